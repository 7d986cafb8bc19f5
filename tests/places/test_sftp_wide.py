"""Large files over a long way: several sessions of one connection write them, and no cut tears them."""

from __future__ import annotations

import asyncio
import os
import struct
from typing import TYPE_CHECKING

import pytest

from tests.places.test_sftp_talk import Wire, status
from tests.servers.proxy import Proxy, running_proxy
from tests.servers.sftp import place_on
from tests.servers.sshd import running_sshd
from tui.model.error import PlaceError, PlaceUnavailable
from tui.model.location import Location
from tui.places.base import Attributes, Identity
from tui.places.sftp import lanes, spreading
from tui.places.sftp.dressing import Dressing
from tui.places.sftp.lanes import Lanes
from tui.places.sftp.manners import Manners
from tui.places.sftp.naming import Naming
from tui.places.sftp.open_files import OpenFiles
from tui.places.sftp.protocol import Kind, read_text, text
from tui.places.sftp.session import Session
from tui.places.sftp.tools import Tools
from tui.places.sftp.writing import UNPROVEN_BYTES, SftpWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from tests.servers.sshd import Sshd
    from tui.places.sftp.channel import Channel
    from tui.places.sftp.place import SftpPlace

TAG = "job12345"
STEP = 1 << 20
DELAY_S = 0.01
DATA = os.urandom(UNPROVEN_BYTES + 28 * STEP + 12345)
IDENTITY = Identity(TAG, len(DATA), 5)
NOTHING_ASKED = Attributes()


@pytest.fixture(autouse=True)
def any_rate_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Widen however slow the machine is: the way is long in any case."""
    monkeypatch.setattr(spreading, "_WINDOW_BOUND_BYTES", 0)


@pytest.fixture
async def far(sshd: Sshd) -> AsyncIterator[Proxy]:
    async with running_proxy(sshd.port, DELAY_S) as running:
        yield running


def at(path: Path, name: str = "") -> Location:
    location = Location(str(path), "sftp", "test")
    return location.child(name) if name else location


class Upload:
    """One try at writing DATA. `ways`: by how many sessions, at most; `reach`: how far beyond what is sure, at most."""

    def __init__(self, place: SftpPlace, location: Location, identity: Identity = IDENTITY) -> None:
        self._place, self._location, self._identity = place, location, identity
        self.start = self.ways = self.reach = 0

    async def run(self, each: Callable[[int], None] = lambda offset: None) -> None:
        """Write what is missing. What is there already must be right."""
        writer = await self._place.open_writer(self._location, self._identity)
        self.start = writer.start
        assert await writer.check(STEP) == DATA[max(0, writer.start - STEP) : writer.start]
        try:
            for offset in range(writer.start, len(DATA), STEP):
                await writer.write(offset, DATA[offset : offset + STEP])
                self.ways = max(self.ways, len(writer._spread.ways))
                self.reach = max(self.reach, writer._sent - writer._acknowledged)
                if offset > 10 * STEP and (widening := writer._spread._widening) is not None:
                    await asyncio.wait([widening])
                each(offset)
            await writer.publish(NOTHING_ASKED, replace=False, flush=True)
        except BaseException:
            await writer.suspend()
            raise


async def test_a_large_file_goes_by_several_sessions_of_one_connection(
    far: Proxy, sshd: Sshd, tmp_path: Path
) -> None:
    async with place_on(sshd, far.port) as place:
        upload = Upload(place, at(tmp_path, "a"))
        await upload.run()
        assert upload.ways == 1 + lanes.MOST_FURTHER
        assert upload.reach <= UNPROVEN_BYTES
        assert far.connections == 1
    assert (tmp_path / "a").read_bytes() == DATA
    assert os.listdir(tmp_path) == ["a"]


async def test_over_a_short_way_one_session_does(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "FAR_S", 60)
    async with place_on(sshd) as place:
        upload = Upload(place, at(tmp_path, "a"))
        await upload.run()
        assert upload.ways == 1
    assert (tmp_path / "a").read_bytes() == DATA


async def test_over_a_slow_line_one_session_does(
    far: Proxy, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "_WINDOW_BOUND_BYTES", 1 << 40)  # slower than any line
    async with place_on(sshd, far.port) as place:
        upload = Upload(place, at(tmp_path, "a"))
        await upload.run()
        assert upload.ways == 1


async def test_writers_share_the_sessions_and_the_last_one_leaves_them(
    far: Proxy, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "UNUSED_S", 0.0)
    async with place_on(sshd, far.port) as place:
        uploads = [Upload(place, at(tmp_path, name)) for name in "ab"]
        await asyncio.gather(*(upload.run() for upload in uploads))
        assert {upload.ways for upload in uploads} == {1 + lanes.MOST_FURTHER}
        async with asyncio.timeout(10):
            while place._lanes._opening is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        again = Upload(place, at(tmp_path, "c"))
        await again.run()
        assert again.ways == 1 + lanes.MOST_FURTHER
    for name in "abc":
        assert (tmp_path / name).read_bytes() == DATA


@pytest.mark.parametrize("most", [1, 2])
async def test_a_server_that_allows_few_sessions_is_content(tmp_path: Path, most: int) -> None:
    (tmp_path / "far").mkdir()
    with running_sshd(tmp_path / "sshd", sessions=most) as server:
        async with running_proxy(server.port, DELAY_S) as proxy, place_on(server, proxy.port) as place:
            upload = Upload(place, at(tmp_path / "far", "a"))
            await upload.run()
            assert upload.ways == most
            await place.stat(at(tmp_path / "far"))
    assert (tmp_path / "far" / "a").read_bytes() == DATA


# Some while the sessions are opened, some in the midst, some at the end; none is at a border of anything.
@pytest.mark.parametrize(
    "cut_at", [2_000_003, 3_500_017, 5_000_009, 7_777_777, 13_000_001, 20_000_003, 29_000_017, 37_000_003]
)
async def test_a_wide_file_cut_off_anywhere_is_gone_on_with(
    far: Proxy, sshd: Sshd, tmp_path: Path, cut_at: int
) -> None:
    async with place_on(sshd, far.port) as place:
        far.cut_after(cut_at, by_reset=cut_at % 2 == 0)
        with pytest.raises(PlaceUnavailable):
            await Upload(place, at(tmp_path, "a")).run()
        assert not place.alive
    (half,) = os.listdir(tmp_path)
    size = (tmp_path / half).stat().st_size

    async with place_on(sshd, far.port) as place:
        upload = Upload(place, at(tmp_path, "a"))
        await upload.run()
        assert upload.start >= max(0, size - UNPROVEN_BYTES)
    assert (tmp_path / "a").read_bytes() == DATA
    assert os.listdir(tmp_path) == ["a"]


async def test_a_wide_file_whose_server_dies_again_and_again_is_whole_in_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "far"
    folder.mkdir()
    with running_sshd(tmp_path / "sshd") as server:
        async with running_proxy(server.port, DELAY_S) as proxy:
            for died_at in (20 * STEP, 14 * STEP, 30 * STEP):

                def die(offset: int, died_at: int = died_at) -> None:
                    if died_at <= offset < died_at + STEP:
                        server.kill_sessions()

                async with place_on(server, proxy.port) as place:
                    with pytest.raises(PlaceUnavailable):
                        await Upload(place, at(folder, "a")).run(die)
            async with place_on(server, proxy.port) as place:
                upload = Upload(place, at(folder, "a"))
                await upload.run()
                assert upload.start > 0
    assert (folder / "a").read_bytes() == DATA


async def test_a_further_session_that_dies_by_itself_ends_the_connection(
    far: Proxy, sshd: Sshd, tmp_path: Path
) -> None:
    async with place_on(sshd, far.port) as place:

        def die(offset: int) -> None:
            opening = place._lanes._opening
            if offset > 12 * STEP:
                assert opening is not None
                opening.result()[0].channel.lose("it went")

        with pytest.raises(PlaceUnavailable):
            await Upload(place, at(tmp_path, "a")).run(die)
        assert not place.alive  # what was sent by it is missing: it has to be found out how much is there
    async with place_on(sshd, far.port) as place:
        await Upload(place, at(tmp_path, "a")).run()
    assert (tmp_path / "a").read_bytes() == DATA


async def test_what_is_given_up_while_it_widens_leaves_nothing(
    far: Proxy, sshd: Sshd, tmp_path: Path
) -> None:
    async with place_on(sshd, far.port) as place:
        for most in range(3, 15, 2):
            writer = await place.open_writer(at(tmp_path, "a"), IDENTITY)
            for offset in range(0, most * STEP, STEP):
                await writer.write(offset, DATA[offset : offset + STEP])
            await writer.discard()
            assert os.listdir(tmp_path) == []
        async with asyncio.timeout(10):
            while place._lanes._users:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


# Against servers that answer as a test says.


class Server:
    """A file behind several sessions, with `hold` saying which writes are not answered yet."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.wires: list[Wire] = []
        self.held: list[Callable[[], None]] = []
        self.holds: Callable[[int], bool] = lambda number: False
        self.other: int | None = None
        """A session in which another file stands under the name."""

    def wire(self) -> Wire:
        wire, number = Wire(), len(self.wires)
        wire.answer = lambda kind, request, body: self._answer(number, kind, request, body)
        self.wires.append(wire)
        return wire

    async def channel(self) -> Channel:
        return self.wire().channel

    def _answer(self, number: int, kind: int, request: int, body: bytes) -> bytes | None:
        reply = struct.Struct(">IBI")
        if kind == Kind.INIT:
            return reply.pack(5, Kind.VERSION, 3)
        if kind == Kind.OPEN:
            body = text(b"handle")
            return reply.pack(5 + len(body), Kind.HANDLE, request) + body
        if kind in (Kind.FSTAT, Kind.LSTAT):
            owner = 7 if number == self.other else 0
            body = struct.pack(">IQIIIII", 15, len(self.content), owner, 0, 0o100600, 0, 5)
            return reply.pack(5 + len(body), Kind.ATTRS, request) + body
        if kind == Kind.WRITE:
            _, at = read_text(body)
            (offset,) = struct.unpack_from(">Q", body, at)
            data, _ = read_text(body, at + 8)

            def do() -> None:
                self.content.extend(bytes(max(0, offset + len(data) - len(self.content))))
                self.content[offset : offset + len(data)] = data
                self.wires[number].say(status(request, 0))

            if self.holds(number):
                self.held.append(do)
                return None
            asyncio.get_running_loop().call_soon(do)
            return None
        return status(request, 0)


async def opened(server: Server, size_bytes: int) -> SftpWriter:
    wire = server.wire()
    session = Session(wire.channel)
    session.distance_s = 1.0
    session.most_written = 128 << 10
    return await SftpWriter.open(
        Tools(
            session,
            Lanes(session, server.channel),
            Naming(session, refuses_taken=True),
            Dressing(session, Manners(), keeps_its_word=True),
            OpenFiles(1),
        ),
        Location("/a", "sftp", "test"),
        (b"/.ferry-a", b"/a"),
        size_bytes,
    )


async def turns(count: int = 100) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def widened(server: Server, data: bytes) -> SftpWriter:
    """Begin a file, and come back when four sessions write it."""
    writer = await opened(server, len(data))
    first = server.wires[0].channel
    await writer.write(0, data[: 2 * STEP])
    await turns()
    first.pause_writing()  # its window is used up
    task = asyncio.create_task(writer.write(2 * STEP, data[2 * STEP : 3 * STEP]))
    await turns()
    first.resume_writing()
    await task
    return writer


async def test_answers_out_of_order_prove_nothing_before_the_gap_is_closed() -> None:
    data, server = os.urandom(20 * STEP), Server()
    writer = await widened(server, data)
    assert len(writer._spread.ways) == 4
    await turns()
    await writer.write(3 * STEP, data[3 * STEP : 4 * STEP])
    await turns()
    server.holds = lambda number: number == 1  # one session is slow, the others are not

    async def write() -> None:
        for offset in range(4 * STEP, 20 * STEP, STEP):
            await writer.write(offset, data[offset : offset + STEP])

    task = asyncio.create_task(write())
    await turns(500)
    assert not task.done()
    gap = next(at for at in range(len(data)) if at >= len(server.content) or server.content[at] != data[at])
    assert len(server.content) > gap
    assert writer._acknowledged <= gap
    assert len(server.content) - gap <= UNPROVEN_BYTES  # so that the size alone tells what is sure

    server.holds = lambda number: False
    while not task.done():
        held, server.held = server.held, []
        for do in reversed(held):
            do()
        await asyncio.sleep(0)
    await task
    await writer.publish(Attributes(mode=0o644), replace=False, flush=False)
    assert server.content == data


async def test_no_more_is_kept_in_memory_than_may_be_under_way() -> None:
    data, server = bytes(20 * STEP), Server()
    writer = await widened(server, data)
    server.holds = lambda number: True
    task = asyncio.create_task(writer.write(3 * STEP, data[3 * STEP :]))
    await turns(500)
    assert not task.done()
    assert sum(way.session.owed_bytes for way in writer._spread.ways) <= UNPROVEN_BYTES
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await writer.discard()


async def test_a_session_that_sees_another_file_is_not_used() -> None:
    data, server = os.urandom(20 * STEP), Server()
    server.other = 2
    writer = await widened(server, data)
    channels = [wire.channel for wire in server.wires]
    assert {channels.index(way.session.channel) for way in writer._spread.ways} == {0, 1, 3}
    await writer.discard()


async def test_ways_that_turn_out_to_lead_elsewhere_are_an_error() -> None:
    data, server = os.urandom(20 * STEP), Server()
    writer = await widened(server, data)
    for offset in range(3 * STEP, 20 * STEP, STEP):
        await writer.write(offset, data[offset : offset + STEP])
        await turns(20)
    server.other = 3
    with pytest.raises(PlaceError, match="swapped"):
        await writer.publish(Attributes(mode=0o644), replace=False, flush=False)
    await writer.discard()


async def test_a_server_that_refuses_sessions_is_asked_once() -> None:
    asked = 0

    async def refuse() -> Channel:
        nonlocal asked
        asked += 1
        raise OSError("no more")

    wire = Wire()
    further = Lanes(wire.session, refuse)
    for _ in range(2):
        sessions: Sequence[Session] = await further.join()
        assert sessions == []
        further.leave()
    assert asked == lanes.MOST_FURTHER
    further.close()
