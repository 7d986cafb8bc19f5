"""Packets that are put together and taken apart in Ferry's own way: the same bytes, and asyncssh's guarantees."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest

from tests.servers.sftp import connect
from tests.servers.sshd import running_sshd
from tui.model.error import PlaceUnavailable
from tui.model.location import Location
from tui.places.base import Attributes, Identity
from tui.places.sftp import trimming
from tui.places.sftp.place import SftpPlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers.sshd import Sshd

GCM, CHACHA, CTR = "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"
STEP = 1 << 20
DATA = os.urandom(9 * STEP + 12345)
NOTHING_ASKED = Attributes()


@contextlib.asynccontextmanager
async def place_with(server: Sshd, cipher: str = GCM, **options: Any) -> AsyncIterator[SftpPlace]:
    """Have a place on a server that is spoken to in a cipher."""
    connection = await connect(server, encryption_algs=[cipher], **options)
    place = await SftpPlace.start(connection, Location("/", "sftp", "test"))
    try:
        yield place
    finally:
        await place.close()


def is_trimmed(place: SftpPlace) -> bool:
    return isinstance(place._connection, trimming._Connection)


def sent_by(place: SftpPlace) -> list[int]:
    """Return a list that will hold how many bytes went out at once, each time."""
    transport = place._connection._transport
    assert transport is not None
    sent: list[int] = []
    write = transport.write

    def count(data: bytes) -> None:
        sent.append(len(data))
        write(data)

    transport.write = count  # type: ignore[method-assign]
    return sent


async def round_trip(place: SftpPlace, folder: Path) -> None:
    """Write a file and read it, in steps that fit no packet."""
    location = Location(str(folder / "a"), "sftp", "test")
    await write_file(place, location)
    assert (folder / "a").read_bytes() == DATA
    reader = await place.open_reader(location)
    parts = [await reader.read(offset, STEP - 7) for offset in range(0, len(DATA), STEP - 7)]
    await reader.close()
    assert b"".join(parts) == DATA
    assert (await place.stat(location)).size_bytes == len(DATA)


async def write_file(place: SftpPlace, location: Location) -> None:
    writer = await place.open_writer(location, Identity("job12345", len(DATA), 5))
    for offset in range(0, len(DATA), STEP - 7):
        await writer.write(offset, DATA[offset : offset + STEP - 7])
    await writer.publish(NOTHING_ASKED, replace=False, flush=False)


@pytest.mark.parametrize("cipher", [GCM, "aes256-gcm@openssh.com", CHACHA])
async def test_the_asyncssh_that_is_installed_is_one_that_was_read(
    sshd: Sshd, tmp_path: Path, cipher: str
) -> None:
    async with place_with(sshd, cipher) as place:
        assert is_trimmed(place), (
            f"asyncssh {asyncssh.__version__} is new to tui/places/sftp/trimming.py: see whether what that stands"
            " in for (_recv_pkthdr, _recv_packet, send_packet, _flush_send_buf) is as it was, and say so in _READ"
        )
        await round_trip(place, tmp_path)


async def test_what_stood_in_for_is_still_there() -> None:
    for name in ("_recv_pkthdr", "_recv_packet", "send_packet", "_send"):
        assert callable(getattr(asyncssh.SSHClientConnection, name))
    for name in ("_flush_send_buf", "_accept_data", "writelines"):
        assert callable(getattr(asyncssh.SSHClientChannel, name))


@pytest.mark.parametrize(
    ("cipher", "options"),
    [(CTR, {}), (GCM, {"compression_algs": ["zlib@openssh.com"]})],
    ids=["another cipher", "compression"],
)
async def test_what_was_not_read_is_left_as_it_is(
    sshd: Sshd, tmp_path: Path, cipher: str, options: dict[str, Any]
) -> None:
    async with place_with(sshd, cipher, **options) as place:
        assert not is_trimmed(place)
        await round_trip(place, tmp_path)


@pytest.mark.parametrize("version", ["2.20.0", "2.24.2", "3.0.0", "unknown"])
async def test_another_asyncssh_is_left_as_it_is(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(asyncssh, "__version__", version)
    async with place_with(sshd) as place:
        assert not is_trimmed(place)
        await round_trip(place, tmp_path)


@pytest.mark.parametrize("cipher", [GCM, CHACHA])
async def test_the_server_may_want_new_keys_at_any_time(tmp_path: Path, cipher: str) -> None:
    (tmp_path / "far").mkdir()
    with running_sshd(tmp_path / "sshd", extra="RekeyLimit 1M") as server:
        async with place_with(server, cipher) as place:
            first = place._connection._recv_encryption
            await round_trip(place, tmp_path / "far")
            assert place._connection._recv_encryption is not first
            assert is_trimmed(place)


@pytest.mark.parametrize("cipher", [GCM, CHACHA])
async def test_new_keys_are_made_when_they_are_due(sshd: Sshd, tmp_path: Path, cipher: str) -> None:
    async with place_with(sshd, cipher, rekey_bytes=1 << 20) as place:
        first = place._connection._send_encryption
        await round_trip(place, tmp_path)
        assert place._connection._send_encryption is not first


@pytest.mark.parametrize("cipher", [GCM, CHACHA])
async def test_a_packet_that_is_not_genuine_ends_the_connection(sshd: Sshd, cipher: str) -> None:
    async with place_with(sshd, cipher) as place:
        place._connection.data_received(b"\0\0\0\x20" + os.urandom(48))
        with pytest.raises(PlaceUnavailable):
            await place.stat(Location("/", "sftp", "test"))
        assert not place.alive


async def test_nothing_goes_out_while_new_keys_are_made(sshd: Sshd) -> None:
    async with place_with(sshd) as place:
        connection, sent = place._connection, sent_by(place)
        connection._kex_complete = False
        asked = asyncio.create_task(place.stat(Location("/", "sftp", "test")))
        await asyncio.sleep(0.02)
        assert sent == []
        connection._kex_complete = True
        connection._send_deferred_packets()
        await asked


async def test_packets_go_out_several_at_once_and_none_of_them_empty(sshd: Sshd, tmp_path: Path) -> None:
    async with place_with(sshd) as place:
        sent = sent_by(place)
        await write_file(place, Location(str(tmp_path / "a"), "sftp", "test"))
        # As many packets as that it takes at least, with sshd's largest.
        assert len(sent) < len(DATA) / (32 << 10)
        assert sum(sent) < len(DATA) * 1.01 + 10_000
