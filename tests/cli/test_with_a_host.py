"""Commands, their real engine, and a real OpenSSH server on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from real_ferry import RealFerry

from tests.daemon.homes import until
from tests.servers.sshd import make_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.sshd import Sshd


class Ferry(RealFerry):
    """Of a person who knows the host `box`, and another by the name of `stranger`."""

    def __init__(self, folder: Path, sshd: Sshd, *more: Any) -> None:
        self.there = folder / "there"
        here, ssh = folder / "here", folder / "person" / ".ssh"
        for each in (here, self.there, ssh):
            each.mkdir(parents=True)
        stranger = sshd.config_for("stranger", UserKnownHostsFile=ssh / "known", StrictHostKeyChecking="ask")
        (ssh / "config").write_text(sshd.config_for("box") + stranger)
        self.known = ssh / "known"
        environ = {"FERRY_HOME": str(folder / "home"), "HOME": str(folder / "person")}
        super().__init__(here, environ, *more)

    def url(self, name: str = "", host: str = "box") -> str:
        return f"sftp://{host}{self.there}/{name}"


@pytest.fixture
def real(
    tmp_path: Path,
    sshd: Sshd,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Iterator[Ferry]:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    ferry = Ferry(tmp_path, sshd, monkeypatch, capfdbinary)
    try:
        yield ferry
    finally:
        ferry.end()


def test_a_tree_goes_to_a_host_and_comes_back(real: Ferry) -> None:
    tree = real.here / "tree"
    (tree / "sub").mkdir(parents=True)
    data = bytes(range(256)) * 12_000
    (tree / "big").write_bytes(data)
    (tree / "sub" / "a b%\x1b").write_bytes(b"two")
    assert b"copied 2 files" in real("copy", "tree", real.url("new/")).stdout
    assert (real.there / "new" / "tree" / "big").read_bytes() == data
    assert real("ls", real.url("new/tree/sub")).stdout == b"a b%\x1b\n"
    assert real("cat", real.url("new/tree/big"), real.url("new/tree/sub/a%20b%25%1B")).stdout == data + b"two"
    counted = json.loads(real("du", "--json", real.url("new")).stdout)
    assert (counted["files"], counted["folders"], counted["size_bytes"]) == (2, 3, len(data) + 3)
    assert b"all alike" in real("verify", "tree", real.url("new")).stdout
    (tree / "sub" / "a b%\x1b").write_bytes(b"owt")
    assert b"(content)" in real("verify", "tree", real.url("new"), status=1).stdout
    assert b"moved 2" in real("move", real.url("new/tree/"), "back/").stdout
    assert (real.here / "back" / "tree" / "big").read_bytes() == data
    assert b"copied 1 file" in real("copy", "--foreground", "back/tree/big", real.url("x/")).stdout
    assert (real.there / "x" / "big").read_bytes() == data
    real("mkdir", real.url("x/y"))
    assert b"deleted 1 file" in real("delete", real.url("new"), real.url("x")).stdout
    assert list(real.there.iterdir()) == []


def test_a_move_to_a_host_is_undone_after_a_restart_unless_something_changed_there(real: Ferry) -> None:
    tree = real.here / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "one").write_bytes(b"one")
    (tree / "sub" / "two").write_bytes(b"two")
    real("move", "tree", real.url("new/"))
    real("engine", "stop")
    assert b"brought back 2" in real("queue", "undo", "1").stdout
    assert (tree / "sub" / "two").read_bytes() == b"two"
    assert list((real.there / "new").iterdir()) == []
    real("move", "tree", real.url("new/"))
    (real.there / "new" / "tree" / "sub" / "two").write_bytes(b"owt and more")
    told = real("queue", "undo", "3", status=1).stderr
    assert b"something in sftp://box/" in told
    assert b"was changed, added or removed since" in told
    assert not tree.exists()
    assert (real.there / "new" / "tree" / "one").read_bytes() == b"one"


def test_an_undoing_whose_engine_is_killed_is_gone_on_with(real: Ferry) -> None:
    tree = real.here / "tree"
    (tree / "sub").mkdir(parents=True)
    data = {f"sub/{number}": bytes([number]) * (200 << 10) for number in range(20)}
    for name, text in data.items():
        (tree / name).write_bytes(text)
    real("move", "tree", real.url("new/"))
    real("queue", "limit", "1MB/s")
    real("queue", "undo", "--detach", "1")
    pid = json.loads(real("engine", "status", "--json").stdout)["pid"]
    until(lambda: len(list(tree.rglob("*"))) > 3)
    os.kill(pid, signal.SIGKILL)
    assert len(list((real.there / "new").rglob("*"))) > 3
    real("queue", "limit", "off")
    real("queue", "wait")
    assert {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file()} == data
    assert list((real.there / "new").iterdir()) == []


def test_hosts_of_the_ssh_configuration_are_listed(real: Ferry) -> None:
    told = [json.loads(line) for line in real("hosts", "--json").stdout.splitlines()]
    assert {"box", "stranger"} <= {each["title"] for each in told}


def test_without_a_terminal_a_host_that_is_not_known_is_not_waited_for(real: Ferry) -> None:
    asked = real("ls", real.url(host="stranger"), status=1)
    assert b"asks for its key to be looked at" in asked.stderr
    (real.here / "a").write_bytes(b"one")
    queued = real("copy", "a", real.url(host="stranger"), status=1)
    assert b"`ferry queue answer-host 1` does" in queued.stderr
    (job,) = map(json.loads, real("queue", "--json").stdout.splitlines())
    assert (job["state"], [each["ask"] for each in job["host_questions"]]) == ("waiting", ["host_key"])
    with real.terminal("queue", "answer-host", "1", width=120) as terminal:
        terminal.wait_for(r"\[yes/no\]")
        assert "SHA256:" in terminal.text
        terminal.press(*"yes", "enter")
        terminal.wait_until(lambda: terminal.process.poll() is not None)
        assert terminal.process.returncode == 0
    real("queue", "wait", "1")
    assert (real.there / "a").read_bytes() == b"one"
    assert b"a\n" in real("ls", real.url(host="stranger")).stdout


def test_whoever_waits_on_a_terminal_is_asked_about_a_host(real: Ferry) -> None:
    (real.here / "a").write_bytes(b"one")
    real("copy", "--detach", "a", real.url(host="stranger"))
    with real.terminal("queue", "wait", "1", width=120) as terminal:
        terminal.wait_for(r"\[yes/no\]")
        terminal.press(*"yes", "enter")
        terminal.wait_until(lambda: terminal.process.poll() is not None)
        assert terminal.process.returncode == 0
    assert (real.there / "a").read_bytes() == b"one"


def test_on_a_terminal_a_host_that_is_not_known_is_asked_about(real: Ferry) -> None:
    (real.there / "one").touch()
    with real.terminal("ls", real.url(host="stranger"), width=120) as terminal:
        terminal.wait_for(r"\[yes/no\]")
        terminal.press(*"yes", "enter")
        terminal.wait_until(lambda: terminal.process.poll() is not None)
        terminal.settle(0.05)
        assert terminal.process.returncode == 0
        assert "one" in terminal.text
    assert real.known.read_text()


def test_a_reader_that_leaves_is_no_error(real: Ferry) -> None:
    (real.there / "big").write_bytes(bytes(8 << 20))
    with real.process("cat", real.url("big"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.read(1) == b"\0"
        command.stdout.close()
        assert command.stderr.read() == b""
        assert command.wait(30) == 0


def test_folders_are_synced_with_a_host(real: Ferry) -> None:
    tree = real.here / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "one").write_bytes(b"one")
    (real.there / "tree" / "old").mkdir(parents=True)
    planned = real("sync", "--dry-run", "--delete", "tree", real.url("tree")).stdout.splitlines()
    assert {b"- old/", b"+ sub/", b"+ sub/one"} & set(planned) >= {b"- old/", b"+ sub/"}
    real("sync", "--delete", "tree", real.url("tree"))
    assert [path.name for path in (real.there / "tree").iterdir()] == ["sub"]
    assert (real.there / "tree" / "sub" / "one").read_bytes() == b"one"
    assert real("sync", "--dry-run", real.url("tree"), "tree").stdout == b"nothing to do: 1 file the same\n"


def test_the_passphrase_of_a_key_is_asked_for_until_it_is_right(real: Ferry, sshd: Sshd) -> None:
    key = real.known.parent / "locked"
    sshd.allow(make_key(key, passphrase="open sesame"))
    with (real.known.parent / "config").open("a") as file:
        file.write(sshd.config_for("locked", IdentityFile=key))
    (real.there / "one").touch()
    with real.terminal("ls", real.url(host="locked"), width=120) as terminal:
        terminal.wait_for("(?i)passphrase.*:")
        terminal.press(*"wrong", "enter")
        terminal.wait_for("That was not right")
        terminal.press(*"open sesame", "enter")
        terminal.wait_until(lambda: terminal.process.poll() is not None)
        terminal.settle(0.05)
        assert terminal.process.returncode == 0
        assert "one" in terminal.text
        assert "sesame" not in terminal.text
