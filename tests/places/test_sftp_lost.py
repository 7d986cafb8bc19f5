"""A place over SFTP whose line breaks, goes silent, or whose server dies: it is told soon, and nothing is torn."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from typing import TYPE_CHECKING

import pytest

from tests.servers.proxy import Proxy, running_proxy
from tests.servers.sftp import connected, place_on
from tui.model.error import PlaceUnavailable
from tui.model.location import Location
from tui.places.base import Attributes, Identity
from tui.places.sftp.place import SftpPlace
from tui.places.sftp.writing import UNPROVEN_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.servers.sshd import Sshd

TAG = "job12345"
STEP = 1 << 20
DATA = os.urandom(UNPROVEN_BYTES + 5 * STEP + 12345)
IDENTITY = Identity(TAG, len(DATA), 5)
NOTHING_ASKED = Attributes()


@pytest.fixture
async def proxy(sshd: Sshd) -> AsyncIterator[Proxy]:
    async with running_proxy(sshd.port) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_is_left_unsaid(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No task and no future dies with an error nobody has heard of."""
    yield
    gc.collect()
    told = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in told] == []


def at(path: Path, name: str = "") -> Location:
    location = Location(str(path), "sftp", "test")
    return location.child(name) if name else location


async def write_to_the_end(place: SftpPlace, location: Location) -> int:
    """Write DATA, or what is missing of it; return from where. What is there already must be right."""
    writer = await place.open_writer(location, IDENTITY)
    there = await writer.check(STEP)
    assert there == DATA[max(0, writer.start - STEP) : writer.start]
    try:
        for offset in range(writer.start, len(DATA), STEP):
            await writer.write(offset, DATA[offset : offset + STEP])
        await writer.publish(NOTHING_ASKED, replace=False, flush=False)
    except PlaceUnavailable:
        await writer.suspend()
        raise
    return writer.start


# Some points are within the first bytes, some where the file is nearly done; none is at a border of anything.
@pytest.mark.parametrize("cut_at", [100, 40_001, 700_003, 3_000_017, 5_555_555, 9_900_009, 13_300_100])
@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_file_cut_off_anywhere_is_gone_on_with(
    sshd: Sshd, proxy: Proxy, tmp_path: Path, cut_at: int, by_reset: bool
) -> None:
    async with place_on(sshd, proxy.port) as place:
        proxy.cut_after(cut_at, by_reset=by_reset)
        with pytest.raises(PlaceUnavailable):
            await write_to_the_end(place, at(tmp_path, "a"))
        assert not place.alive
    assert "a" not in os.listdir(tmp_path)
    halves = [os.stat(tmp_path / name).st_size for name in os.listdir(tmp_path)]

    async with place_on(sshd, proxy.port) as place:
        start = await write_to_the_end(place, at(tmp_path, "a"))
        assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == DATA
    assert start <= max([0, *halves])


async def test_cut_off_again_and_again_it_is_whole_in_the_end(
    sshd: Sshd, proxy: Proxy, tmp_path: Path
) -> None:
    for cut_at in (UNPROVEN_BYTES + 4_300_000, 3_000_000, 60_000, 4_500_000):
        async with place_on(sshd, proxy.port) as place:
            proxy.cut_after(cut_at)
            with pytest.raises(PlaceUnavailable):
                await write_to_the_end(place, at(tmp_path, "a"))
    async with place_on(sshd, proxy.port) as place:
        assert await write_to_the_end(place, at(tmp_path, "a")) > 0
    assert (tmp_path / "a").read_bytes() == DATA


async def test_what_may_lie_beyond_a_gap_is_written_again(sshd: Sshd, tmp_path: Path) -> None:
    async with place_on(sshd) as place:
        writer = await place.open_writer(at(tmp_path, "a"), IDENTITY)
        await writer.suspend()
        (half,) = os.listdir(tmp_path)
        proven = 2 * STEP + 77
        (tmp_path / half).write_bytes(DATA[:proven])
        os.truncate(
            tmp_path / half, proven + UNPROVEN_BYTES
        )  # a server that lost some writes, and did the last

        assert await write_to_the_end(place, at(tmp_path, "a")) == proven
    assert (tmp_path / "a").read_bytes() == DATA


async def test_never_more_is_under_way_than_a_half_file_allows_for(
    sshd: Sshd, proxy: Proxy, tmp_path: Path
) -> None:
    async with place_on(sshd, proxy.port) as place:
        writer = await place.open_writer(at(tmp_path, "a"), IDENTITY)
        proxy.freeze()
        sent = 0

        async def write() -> None:
            nonlocal sent
            for offset in range(0, len(DATA), 1000):
                await writer.write(offset, DATA[offset : offset + 1000])
                sent = offset + 1000

        task = asyncio.create_task(write())
        last = -1
        while sent != last:  # until it waits
            last = sent
            for _ in range(50):
                await asyncio.sleep(0)
        assert not task.done()
        assert 0 < sent <= UNPROVEN_BYTES
        proxy.cut()
        with pytest.raises(PlaceUnavailable):
            await task
        await writer.discard()


async def test_what_is_under_way_ends_with_the_connection(sshd: Sshd, proxy: Proxy, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(DATA)
    async with place_on(sshd, proxy.port) as place:
        reader = await place.open_reader(at(tmp_path, "a"))
        writer = await place.open_writer(at(tmp_path, "b"), Identity(TAG, 10, 5))
        await writer.write(0, b"12345")
        proxy.freeze()
        put = place.put(at(tmp_path, "c"), b"x", NOTHING_ASKED, TAG, replace=False, flush=True)
        waiting = [
            asyncio.create_task(step)
            for step in (
                put,
                place.stat(at(tmp_path)),
                reader.read(0, len(DATA)),
                reader.look(),
                place.get(at(tmp_path, "a"), len(DATA)),
                place.rename(at(tmp_path, "a"), at(tmp_path, "d")),
                place.abandon(at(tmp_path), TAG),
                writer.publish(NOTHING_ASKED, replace=False, flush=True),
                writer.check(10),
            )
        ]
        for _ in range(10):
            await asyncio.sleep(0)
        proxy.cut()

        async with asyncio.timeout(10):
            results = await asyncio.gather(*waiting, return_exceptions=True)

        assert [type(result) for result in results[:-1]] == [PlaceUnavailable] * 8
        assert results[-1] == b""  # nothing was there before: nobody needs to be asked
        assert all("the connection is lost" in str(result) for result in results[:-1])
        assert not place.alive
        await writer.discard()
        await reader.close()


async def test_a_line_cut_while_the_session_opens_is_a_lost_line(sshd: Sshd, proxy: Proxy) -> None:
    async with connected(sshd, proxy.port) as connection:
        proxy.freeze()
        starting = asyncio.create_task(SftpPlace.start(connection, Location("/", "sftp", "test")))
        await asyncio.sleep(0)
        proxy.cut()
        with pytest.raises(PlaceUnavailable):
            await starting


async def test_a_line_gone_silent_is_noticed(sshd: Sshd, proxy: Proxy, tmp_path: Path) -> None:
    async with place_on(sshd, proxy.port, idle_s=0.2) as place:
        await place.stat(at(tmp_path))
        proxy.freeze()
        async with asyncio.timeout(10):
            with pytest.raises(PlaceUnavailable, match="it has not answered for"):
                await place.stat(at(tmp_path))
            assert not place.alive
            with pytest.raises(PlaceUnavailable):
                await place.stat(at(tmp_path))


async def test_a_place_that_nobody_asks_anything_is_not_given_up(
    sshd: Sshd, proxy: Proxy, tmp_path: Path
) -> None:
    async with place_on(sshd, proxy.port, idle_s=0.05) as place:
        await place.stat(at(tmp_path))
        async with asyncio.timeout(10):
            while place._session.channel._watch is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert place.alive
        await place.stat(at(tmp_path))


async def test_a_dying_server_is_noticed_at_once(own_sshd: Sshd, tmp_path: Path) -> None:
    async with place_on(own_sshd) as place:
        writer = await place.open_writer(at(tmp_path, "a"), IDENTITY)
        own_sshd.kill_sessions()
        async with asyncio.timeout(10):
            with pytest.raises(PlaceUnavailable):
                for offset in range(0, len(DATA), STEP):
                    await writer.write(offset, DATA[offset : offset + STEP])
                await writer.publish(NOTHING_ASKED, replace=False, flush=False)
            await writer.suspend()
        assert not place.alive

    async with place_on(own_sshd) as place:
        await write_to_the_end(place, at(tmp_path, "a"))
    assert (tmp_path / "a").read_bytes() == DATA


async def test_the_end_of_a_writer_does_not_wait_for_a_silent_line(
    sshd: Sshd, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.places.sftp.writing._PATIENCE_S", 0.05)
    monkeypatch.setattr("tui.places.sftp.place._CLOSING_S", 0.05)
    async with place_on(sshd, proxy.port) as place:
        first = await place.open_writer(at(tmp_path, "a"), IDENTITY)
        second = await place.open_writer(at(tmp_path, "b"), IDENTITY)
        proxy.freeze()
        async with asyncio.timeout(10):
            await first.suspend()
            await second.discard()
            await place.close()
        assert not place.alive


async def test_what_is_given_up_half_way_leaves_nothing(sshd: Sshd, tmp_path: Path) -> None:
    async with place_on(sshd) as place:
        for turns in range(30):
            task = asyncio.create_task(
                place.put(at(tmp_path, f"{turns}"), b"x" * 100, NOTHING_ASKED, TAG, replace=True, flush=True)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await place.stat(at(tmp_path))  # what was asked for before has been done
        await place.stat(at(tmp_path))
        assert [name for name in os.listdir(tmp_path) if name.startswith(".ferry-")] == []
        for name in os.listdir(tmp_path):
            assert (tmp_path / name).read_bytes() == b"x" * 100


async def test_who_is_cancelled_does_not_wait_for_a_silent_line(
    sshd: Sshd, proxy: Proxy, tmp_path: Path
) -> None:
    async with place_on(sshd, proxy.port) as place:
        proxy.freeze()
        steps = [
            place.put(at(tmp_path, "a"), b"x", NOTHING_ASKED, TAG, replace=True, flush=True),
            place.open_writer(at(tmp_path, "b"), IDENTITY),
            place.stat(at(tmp_path)),
            place.get(at(tmp_path), 10),
        ]
        tasks = [asyncio.create_task(step) for step in steps]
        for _ in range(10):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert all(task.cancelled() for task in tasks)
        proxy.thaw()
        await place.stat(at(tmp_path))
