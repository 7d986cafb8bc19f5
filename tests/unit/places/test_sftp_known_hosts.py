"""Which keys of a host are known, unknown, changed or revoked; and how one is added to a file."""

from __future__ import annotations

import base64
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.servers.sshd import need_sshd
from tui.places.sftp.known_hosts import Verdict, look_up, remember, revoked_in

if TYPE_CHECKING:
    from pathlib import Path

ED, RSA = "ssh-ed25519", "ssh-rsa"


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def written(folder: Path, *lines: str) -> Path:
    file = folder / "known_hosts"
    file.write_text("".join(line + "\n" for line in lines))
    return file


@pytest.mark.parametrize(
    ("line", "name", "verdict"),
    [
        ("far {ed} {one}", "far", Verdict.KNOWN),
        ("far {ed} {two}", "far", Verdict.CHANGED),
        ("far {rsa} {two}", "far", Verdict.CHANGED),
        ("near {ed} {two}", "far", Verdict.UNKNOWN),
        ("near,far {ed} {one} comment", "far", Verdict.KNOWN),
        ("FAR {ed} {one}", "far", Verdict.KNOWN),
        ("*.org,!bad.org {ed} {one}", "far.org", Verdict.KNOWN),
        ("*.org,!bad.org {ed} {one}", "bad.org", Verdict.UNKNOWN),
        ("[far]:2222 {ed} {one}", "[far]:2222", Verdict.KNOWN),
        ("[far]:2222 {ed} {two}", "[far]:2222", Verdict.CHANGED),
        ("[far]:2222 {ed} {one}", "far", Verdict.UNKNOWN),
        ("far {ed} {one}", "[far]:2222", Verdict.KNOWN),
        ("far {ed} {two}", "[far]:2222", Verdict.UNKNOWN),
        ("@revoked * {ed} {one}", "far", Verdict.REVOKED),
        ("@revoked far {ed} {two}", "far", Verdict.UNKNOWN),
        ("@cert-authority * {ed} {one}", "far", Verdict.UNKNOWN),
        ("@other far {ed} {one}", "far", Verdict.UNKNOWN),
        ("# far {ed} {one}", "far", Verdict.UNKNOWN),
        ("far {ed} not-base64!", "far", Verdict.UNKNOWN),
        ("|1|nonsense {ed} {one}", "far", Verdict.UNKNOWN),
    ],
)
def test_a_key_is_judged_by_the_lines_that_fit(
    line: str, name: str, verdict: Verdict, tmp_path: Path
) -> None:
    words = {"ed": ED, "rsa": RSA, "one": text_of(b"one"), "two": text_of(b"two")}
    known = look_up(name, [written(tmp_path, line.format(**words))])
    assert known.judge(ED, b"one")[0] is verdict


def test_the_line_that_contradicts_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "# mine", f"far {RSA} {text_of(b'rsa')}", f"far {ED} {text_of(b'two')}")
    verdict, line = look_up("far", [file]).judge(ED, b"one")
    assert verdict is Verdict.CHANGED
    assert line is not None
    assert (line.file, line.line) == (file, 3)


def test_a_revoked_key_is_refused_also_where_it_is_known(tmp_path: Path) -> None:
    file = written(tmp_path, f"far {ED} {text_of(b'one')}", f"@revoked far {ED} {text_of(b'one')}")
    assert look_up("far", [file]).judge(ED, b"one")[0] is Verdict.REVOKED


def test_one_of_several_known_keys_will_do_and_their_kinds_are_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path, f"far {RSA} {text_of(b'rsa')}", f"far {ED} {text_of(b'one')}")
    known = look_up("far", [tmp_path / "none", file])
    assert known.kinds == (RSA, ED)
    assert known.judge(RSA, b"rsa")[0] is known.judge(ED, b"one")[0] is Verdict.KNOWN


def test_a_hashed_name_that_openssh_wrote_is_found(tmp_path: Path) -> None:
    need_sshd()
    file = written(tmp_path, f"[far]:2222 {ED} {text_of(b'one')}", f"near {ED} {text_of(b'two')}")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "far" not in file.read_text()
    assert look_up("[far]:2222", [file]).judge(ED, b"one")[0] is Verdict.KNOWN
    assert look_up("near", [file]).judge(ED, b"one")[0] is Verdict.CHANGED


@pytest.mark.parametrize("hashed", [False, True])
def test_a_key_that_is_remembered_is_known_and_openssh_finds_it(hashed: bool, tmp_path: Path) -> None:
    need_sshd()
    file = tmp_path / "ssh" / "known_hosts"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True)
    key = " ".join((tmp_path / "k.pub").read_text().split()[:2])
    remember(file, "[far]:2222", key, hashed=hashed)
    data = base64.b64decode(key.split()[1])
    assert look_up("[far]:2222", [file]).judge(ED, data)[0] is Verdict.KNOWN
    assert ("far" in file.read_text()) is not hashed
    found = subprocess.run(["ssh-keygen", "-F", "[far]:2222", "-f", file], capture_output=True, text=True)
    assert key in found.stdout
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_last_line_without_an_end_stays_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"near {ED} {text_of(b'two')}")
    remember(file, "far", f"{ED} {text_of(b'one')}", hashed=False)
    assert file.read_text().splitlines() == [f"near {ED} {text_of(b'two')}", f"far {ED} {text_of(b'one')}"]


def test_many_who_remember_at_once_leave_whole_lines_each_key_once(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    names = [f"host{number % 10}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: remember(file, name, f"{ED} {text_of(b'one')}", hashed=False), names))
    assert sorted(file.read_text().splitlines()) == sorted(
        f"{name} {ED} {text_of(b'one')}" for name in set(names)
    )


def test_a_file_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        remember(tmp_path / "file" / "known_hosts", "far", f"{ED} {text_of(b'one')}", hashed=False)


def test_revoked_keys_are_read_as_text_and_a_binary_list_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "revoked"
    file.write_text(f"# gone\n{ED} {text_of(b'one')} me\n")
    assert [(key.data, key.line) for key in revoked_in(file)] == [(b"one", 2)]
    file.write_bytes(b"SSHKRL\n\0" + os.urandom(8))
    with pytest.raises(ValueError, match="binary list"):
        revoked_in(file)
