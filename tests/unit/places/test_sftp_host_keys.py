"""Whose host key is taken: asked once where it is unknown, refused where it is another than the known one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import asyncssh
import pytest

from tests.servers.answering import Door, answering
from tests.servers.sshd import make_key, running_sshd
from tests.unit.places.sftp_askers import Somebody
from tui.model.ask import YES, AskKind
from tui.model.error import HostKeyMismatch, PlaceError
from tui.model.location import Location
from tui.places.sftp.asking import Answers
from tui.places.sftp.connecting import connect
from tui.places.sftp.settings import SshSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.sshd import Sshd

HERE = Location("/", "sftp", "here")


def settings(folder: Path, text: str) -> SshSettings:
    file = folder / "config"
    file.write_text(text)
    return SshSettings(file)


def printed_by(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def is_let_in(folder: Path, text: str, somebody: Somebody | None = None) -> bool:
    """Connect to "here" and away again; say whether that went well to the end."""
    connection = await connect(HERE, somebody or Somebody(), settings(folder, text))
    try:
        return (await connection.run("echo hello", encoding="utf-8")).stdout == "hello\n"
    finally:
        connection.close()
        await connection.wait_closed()


async def test_a_known_host_is_connected_to_without_a_question(sshd: Sshd, tmp_path: Path) -> None:
    assert await is_let_in(tmp_path, sshd.config_for("here"))


@pytest.mark.parametrize("hashed", ["yes", "no"])
async def test_an_unknown_key_is_asked_about_once_and_remembered(
    sshd: Sshd, tmp_path: Path, hashed: str
) -> None:
    known = tmp_path / "ssh" / "known_hosts"
    text = sshd.config_for("here", UserKnownHostsFile=known, HashKnownHosts=hashed)
    somebody = Somebody.saying(YES)
    assert await is_let_in(tmp_path, text, somebody)
    fingerprint = printed_by("ssh-keygen", "-l", "-f", sshd.folder / "host_ed25519").split()[1]
    assert somebody.kinds == [AskKind.HOST_KEY]
    assert fingerprint in somebody.asked[0].text
    assert not somebody.asked[0].secret
    assert known.read_text().startswith("|1|" if hashed == "yes" else f"[127.0.0.1]:{sshd.port} ssh-ed25519 ")

    assert await is_let_in(tmp_path, text)
    assert len(known.read_text().splitlines()) == 1


async def test_a_key_that_is_not_accepted_ends_it_and_nothing_was_sent(tmp_path: Path) -> None:
    async with answering(Door(password="right")) as door:
        known = tmp_path / "known"
        text = door.config_for("here", tmp_path, UserKnownHostsFile=known)
        with pytest.raises(HostKeyMismatch, match="was not accepted"):
            await connect(HERE, Somebody.saying("no"), settings(tmp_path, text))
        assert (door.users, door.heard) == ([], [])
        assert not known.exists()


@pytest.mark.parametrize("strict", ["yes", "no", "ask", "accept-new"])
async def test_a_changed_key_is_refused_whatever_the_strictness_and_nothing_is_sent(
    tmp_path: Path, strict: str
) -> None:
    """Somebody in between has another key, and would gladly take the password."""
    async with answering(Door(password="right")) as door:
        text = door.config_for("here", tmp_path, StrictHostKeyChecking=strict)
        known = tmp_path / "known_hosts_here"
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        known.write_text(f"# mine\n[127.0.0.1]:{door.port} {other}")
        somebody = Somebody()
        with pytest.raises(
            HostKeyMismatch, match=f"is not the one it is known by \\({known}:2\\)"
        ) as refused:
            await connect(HERE, somebody, settings(tmp_path, text))
        assert f"`ssh-keygen -f {known} -R '[127.0.0.1]:{door.port}'`" in refused.value.remedy
        assert (somebody.asked, door.users, door.heard) == ([], [], [])


async def test_a_host_that_changes_its_key_after_it_was_accepted_is_refused(tmp_path: Path) -> None:
    answers = Answers()
    door = Door(password="right")
    async with answering(door):
        text = door.config_for("here", tmp_path, UserKnownHostsFile=tmp_path / "known")
        connection = await connect(HERE, Somebody.saying(YES, "right"), settings(tmp_path, text), answers)
        connection.abort()
    door.heard.clear()
    async with answering(door):  # the same port, and another key
        with pytest.raises(HostKeyMismatch):
            await connect(HERE, Somebody(), settings(tmp_path, text), answers)
        assert door.heard == []


async def test_a_key_that_could_not_be_written_down_is_held_to_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answers, door = Answers(), Door(password="right")
    async with answering(door):
        text = door.config_for("here", tmp_path, UserKnownHostsFile=tmp_path / "file" / "known")
        connection = await connect(HERE, Somebody.saying(YES, "right"), settings(tmp_path, text), answers)
        connection.abort()
        again = await connect(HERE, Somebody(), settings(tmp_path, text), answers)
        again.abort()
    door.heard.clear()
    async with answering(door):  # the same port, and another key
        somebody = Somebody()
        with pytest.raises(HostKeyMismatch, match="is not the one that was accepted before"):
            await connect(HERE, somebody, settings(tmp_path, text), answers)
        assert (somebody.asked, door.heard) == ([], [])


async def test_a_revoked_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("here")
    (tmp_path / "revoked").write_text(sshd.host_key + "\n")
    with pytest.raises(HostKeyMismatch, match=f"was revoked \\({tmp_path}/revoked:1\\)"):
        await is_let_in(tmp_path, text + f"  RevokedHostKeys {tmp_path}/revoked\n")
    with pytest.raises(PlaceError, match=r"RevokedHostKeys .*no such file"):
        await is_let_in(tmp_path, text + f"  RevokedHostKeys {tmp_path}/none\n")


async def test_strictness_yes_refuses_an_unknown_key_without_asking(sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("here", UserKnownHostsFile=tmp_path / "known", StrictHostKeyChecking="yes")
    with pytest.raises(HostKeyMismatch, match="is not known, and StrictHostKeyChecking is yes"):
        await is_let_in(tmp_path, text)


@pytest.mark.parametrize("strict", ["no", "accept-new"])
async def test_looser_strictness_takes_a_new_key_without_asking_and_remembers_it(
    sshd: Sshd, tmp_path: Path, strict: str
) -> None:
    known = tmp_path / "known"
    text = sshd.config_for("here", UserKnownHostsFile=known, StrictHostKeyChecking=strict)
    assert await is_let_in(tmp_path, text)
    assert sshd.host_key.rpartition(" ")[0] in known.read_text()


async def test_an_accepted_key_that_can_be_written_nowhere_is_not_asked_about_again(
    sshd: Sshd, tmp_path: Path
) -> None:
    answers = Answers()
    text = sshd.config_for("here", UserKnownHostsFile="/dev/null")
    for somebody in (Somebody.saying(YES), Somebody()):
        connection = await connect(HERE, somebody, settings(tmp_path, text), answers)
        connection.close()
        await connection.wait_closed()
        assert not somebody.answers


async def test_a_host_known_by_one_of_its_keys_shows_that_one(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd", kinds=("ed25519", "rsa", "ecdsa")) as server:
        text = server.config_for("here")
        for key in server.host_keys.values():
            (server.folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {key}\n")
            assert await is_let_in(tmp_path, text)


async def test_the_key_alias_is_the_name_that_counts(sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("here", HostKeyAlias="cluster")
    (sshd.folder / "known_hosts").write_text(f"cluster {sshd.host_key}\n")
    assert await is_let_in(tmp_path, text)


async def test_an_authority_vouches_for_a_host(tmp_path: Path) -> None:
    authority = make_key(tmp_path / "ca")
    folder = tmp_path / "sshd"
    with running_sshd(folder, extra=f"HostCertificate {folder}/host_ed25519-cert.pub") as server:
        sign = ("-s", tmp_path / "ca", "-I", "x", "-h", "-n", "127.0.0.1", folder / "host_ed25519.pub")
        printed_by("ssh-keygen", "-q", *sign)
        server.stop()
        server.start()
        text = server.config_for("here")
        (folder / "known_hosts").write_text(f"@cert-authority [127.0.0.1]:* {authority}\n")
        assert await is_let_in(tmp_path, text)

        other = make_key(tmp_path / "other")
        (folder / "known_hosts").write_text(f"@cert-authority * {other}\n")
        with pytest.raises(HostKeyMismatch, match="is not known"):
            await is_let_in(tmp_path, text + "  StrictHostKeyChecking yes\n")
