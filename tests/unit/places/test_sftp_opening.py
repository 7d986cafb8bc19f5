"""A place of another host, from a location to its files; and what a second connection does not ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncssh
import pytest

from tests.servers.answering import Door, answering
from tests.servers.proxy import running_proxy
from tests.unit.places.sftp_askers import Somebody
from tui.model.ask import YES, AskKind
from tui.model.error import AuthenticationFailed, PlaceUnavailable, Unsupported
from tui.model.location import Location
from tui.places.sftp import silence
from tui.places.sftp.opening import SftpOpener
from tui.places.sftp.settings import SshSettings
from tui.places.sftp.silence import Silence

ROOT = Location("/", "sftp", "here")

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.sshd import Sshd
    from tui.places.base import Opener


def opener(folder: Path, text: str) -> Opener:
    file = folder / "config"
    file.write_text(text)
    return SftpOpener(SshSettings(file))


async def test_a_location_leads_to_its_files(sshd: Sshd, source: Path, tmp_path: Path) -> None:
    (source / "note").write_bytes(b"hello")
    folder = Location(str(source), "sftp", "here")
    place = await opener(tmp_path, sshd.config_for("here")).open(folder, Somebody())
    assert place.alive
    assert [entry.name async for page in place.list(folder) for entry in page] == ["note"]
    assert (await place.get(folder.child("note"), 100))[1] == b"hello"
    await place.close()
    assert not place.alive


async def test_a_lost_connection_is_made_anew_without_asking(tmp_path: Path) -> None:
    async with answering(Door(password="right", sftp=True)) as door:
        ours = opener(tmp_path, door.config_for("here", tmp_path, UserKnownHostsFile="/dev/null"))
        root = Location("/", "sftp", "here")
        somebody = Somebody.saying(YES, "right")
        place = await ours.open(root, somebody)
        assert somebody.kinds == [AskKind.HOST_KEY, AskKind.PASSWORD]
        door.connections[-1].abort()
        with pytest.raises(PlaceUnavailable):
            await place.stat(root)
        assert not place.alive
        await place.close()

        again = await ours.open(root, Somebody())
        assert (await again.stat(root)).name == ""
        await again.close()
        assert door.heard == ["right", "right"]


async def test_another_opener_knows_nothing_of_it(tmp_path: Path) -> None:
    async with answering(Door(password="right", sftp=True)) as door:
        text, root = door.config_for("here", tmp_path), Location("/", "sftp", "here")
        await (await opener(tmp_path, text).open(root, Somebody.saying("right"))).close()
        nobody = Somebody.saying(AuthenticationFailed("nobody is there"))
        with pytest.raises(AuthenticationFailed, match="nobody is there"):
            await opener(tmp_path, text).open(root, nobody)


async def test_a_host_without_sftp_says_so_and_is_left(tmp_path: Path) -> None:
    async with answering(Door(password="right")) as door:
        root = Location("/", "sftp", "here")
        with pytest.raises(Unsupported, match="offers no SFTP"):
            await opener(tmp_path, door.config_for("here", tmp_path)).open(root, Somebody.saying("right"))
        for connection in door.connections:
            await connection.wait_closed()
        assert all(isinstance(connection, asyncssh.SSHServerConnection) for connection in door.connections)


async def test_who_has_waited_for_a_silent_host_hears_soon_that_it_does_not_answer_anew_either(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "_SILENT_S", 0.0)
    monkeypatch.setattr(silence, "PATIENCE_S", 0.4)
    monkeypatch.setattr(silence, "_LEAST_S", 0.1)
    async with running_proxy(sshd.port) as proxy:
        file = tmp_path / "config"
        file.write_text(sshd.config_for("here", Port=proxy.port, HostKeyAlias=f"[127.0.0.1]:{sshd.port}"))
        ours = SftpOpener(SshSettings(file, keepalive_s=0.1))
        place = await ours.open(ROOT, Somebody())
        proxy.freeze()
        with pytest.raises(PlaceUnavailable):
            await place.stat(ROOT)
        await place.close()
        with pytest.raises(PlaceUnavailable, match=r"did not answer within [0-4](\.\d)? s"):
            await ours.open(ROOT, Somebody())


def test_a_silence_counts_only_for_whoever_comes_at_once() -> None:
    long, short = Silence(9.0, until=100.0), Silence(0.5, until=100.0)
    assert long.counts(100.1)
    assert not long.counts(110.0)
    assert not short.counts(100.1)
    assert [Silence(lasted_s, until=100.0).word_s for lasted_s in (5.0, 9.0, 30.0)] == [5.0, 1.0, 1.0]
