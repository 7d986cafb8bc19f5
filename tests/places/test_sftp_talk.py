"""SFTP as it is spoken: with servers that are odd, out of order, or mean harm."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model import error
from tui.model.location import Location
from tui.places.base import Attributes
from tui.places.sftp import errors, listing, protocol, session
from tui.places.sftp.channel import Channel
from tui.places.sftp.errors import Lost, Refused
from tui.places.sftp.manners import MOST_OWED, Manners
from tui.places.sftp.place import SftpPlace
from tui.places.sftp.protocol import Attrs, Code, Kind, text
from tui.places.sftp.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui.places.sftp.channel import Data

FOLDER = Location("/folder", "sftp", "test")
NUMBER = struct.Struct(">I")


class Wire:
    """Stands for asyncssh's end of a channel: takes what is sent, and says what it is told to."""

    def __init__(self, manners: Manners | None = None) -> None:
        self.sent: list[tuple[int, int, bytes]] = []
        self.given_up = False
        self.answer: Callable[[int, int, bytes], bytes | None] = lambda kind, number, body: None
        self.channel = Channel(self._give_up, manners=manners)
        self.channel.connection_made(self)  # type: ignore[arg-type]
        self.session = Session(self.channel)

    def _give_up(self) -> None:
        self.given_up = True

    def write(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            size, kind, number = struct.unpack_from(">IBI", data, at)
            body = data[at + 9 : at + 4 + size]
            self.sent.append((kind, number, body))
            at += 4 + size
            if (told := self.answer(kind, number, body)) is not None:
                asyncio.get_running_loop().call_soon(self.say, told)

    def writelines(self, parts: Iterable[Data]) -> None:
        self.write(b"".join(parts))

    def say(self, packet: bytes) -> None:
        self.channel.data_received(packet, None)

    def set_write_buffer_limits(self, *_: Any) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None: ...

    def kinds(self) -> list[int]:
        return [kind for kind, _, _ in self.sent]


def packet(kind: int, number: int, body: bytes = b"") -> bytes:
    return struct.pack(">IBI", 5 + len(body), kind, number) + body


def status(number: int, code: int, words: bytes = b"") -> bytes:
    return packet(Kind.STATUS, number, NUMBER.pack(code) + text(words) + text(b""))


@pytest.fixture
async def wire() -> Wire:
    return Wire()


async def test_requests_of_one_turn_leave_in_order(wire: Wire) -> None:
    answers = [wire.channel.send(kind, text(b"x")) for kind in (Kind.LSTAT, Kind.REMOVE, Kind.RMDIR)]
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.kinds() == [Kind.LSTAT, Kind.REMOVE, Kind.RMDIR]
    wire.channel.lose("over")
    assert [await answer for answer in answers] == [(Kind.LOST, b"over")] * 3


async def test_answers_find_their_requests_in_any_order(wire: Wire) -> None:
    answers = [wire.channel.send(Kind.REMOVE, text(b"x")) for _ in range(5)]
    await asyncio.sleep(0)
    for kind, number, _ in reversed(wire.sent):
        assert kind == Kind.REMOVE
        wire.say(status(number, number + 100))
    codes = [protocol.read_status((await answer)[1])[0] for answer in answers]
    assert codes == [number + 100 for _, number, _ in wire.sent]


async def test_no_more_is_asked_at_once_than_a_server_bears() -> None:
    wire = Wire(Manners(most_owed=2))
    answers = [wire.channel.send(Kind.REMOVE, text(b"x")) for _ in range(5)]
    for sent in range(2, 6):
        await asyncio.sleep(0)
        assert len(wire.sent) == sent
        wire.say(status(wire.sent[sent - 2][1], Code.OK))
    wire.channel.lose("over")
    assert [(await answer)[0] for answer in answers] == [Kind.STATUS] * 4 + [Kind.LOST]


async def test_a_server_that_breaks_off_when_asked_much_is_asked_less() -> None:
    manners, bore = Manners(), []
    for _ in range(4):
        bore.append(manners.most_owed)
        wire = Wire(manners)
        for _ in range(200):
            wire.channel.send(Kind.REMOVE, text(b"x"))
        await asyncio.sleep(0)
        wire.channel.connection_lost(None)
    assert bore == [MOST_OWED, 64, 16, 4]


@pytest.mark.parametrize("way", ["closed", "owed little", "after long"])
async def test_a_lost_line_is_not_taken_for_a_server_asked_too_much(way: str) -> None:
    wire = Wire(manners := Manners())
    many = 4 if way == "owed little" else 100
    for _ in range(4 * many if way == "after long" else 0):
        wire.channel.send(Kind.REMOVE, text(b"x"))
    await asyncio.sleep(0)
    for _, number, _ in wire.sent:
        wire.say(status(number, Code.OK))
    for _ in range(many):
        wire.channel.send(Kind.REMOVE, text(b"x"))
    await asyncio.sleep(0)
    wire.channel.close() if way == "closed" else wire.channel.connection_lost(None)
    assert manners.most_owed == MOST_OWED


@given(st.lists(st.integers(1, 40), max_size=30))
def test_answers_come_in_pieces_of_any_size(sizes: list[int]) -> None:
    async def play() -> None:
        wire = Wire()
        answers = [wire.channel.send(Kind.READ, text(b"x")) for _ in range(4)]
        await asyncio.sleep(0)
        bodies = [text(bytes([number]) * number * 10) for _, number, _ in wire.sent]
        stream = b"".join(
            packet(Kind.DATA, number, body) for (_, number, _), body in zip(wire.sent, bodies, strict=True)
        )
        at = 0
        for size in sizes:
            wire.say(stream[at : at + size])
            at += size
        wire.say(stream[at:])
        assert [await answer for answer in answers] == [(Kind.DATA, body) for body in bodies]
        wire.channel.lose("")

    asyncio.run(play())


@pytest.mark.parametrize("nonsense", [b"HTTP/1.1 400 Bad Request\r\n", bytes(20), b"\0\0\0\4abcdefgh"])
async def test_what_is_not_sftp_ends_the_connection(wire: Wire, nonsense: bytes) -> None:
    answer = wire.channel.send(Kind.LSTAT, text(b"x"))
    await asyncio.sleep(0)
    wire.say(nonsense)
    assert (await answer)[0] == Kind.LOST
    assert wire.given_up and not wire.channel.alive


@pytest.mark.parametrize("body", [b"", b"\0\0\0\1", b"\xff\xff\xff\xff", b"\0\0\0\2\0\0\0\1a\0\0\0\0"])
async def test_answers_cut_short_are_not_believed(wire: Wire, body: bytes) -> None:
    wire.answer = lambda kind, number, _: packet(
        {Kind.LSTAT: Kind.ATTRS, Kind.REALPATH: Kind.NAME, Kind.REMOVE: Kind.STATUS}[Kind(kind)], number, body
    )
    steps: list[Callable[[], Any]] = [
        lambda: wire.session.realpath(b"."),
        lambda: wire.session.done(Kind.REMOVE),
    ]
    for step in steps:
        with pytest.raises((Lost, Refused)):
            await step()


async def test_an_answer_of_the_wrong_kind_is_not_believed(wire: Wire) -> None:
    wire.answer = lambda kind, number, _: status(number, Code.OK)
    with pytest.raises((Lost, Refused)):
        await wire.session.lstat(b"x")
    wire.answer = lambda kind, number, _: packet(Kind.DATA, number, text(b"x"))
    with pytest.raises(Lost):
        await wire.session.done(Kind.REMOVE, text(b"x"))


async def test_a_handle_nobody_waits_for_is_given_back(wire: Wire) -> None:
    task = asyncio.create_task(wire.session.open(b"x", protocol.READ))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    ((_, number, _),) = wire.sent
    wire.say(packet(Kind.HANDLE, number, text(b"handle")))
    await asyncio.sleep(0)
    assert wire.sent[1][0] == Kind.CLOSE and wire.sent[1][2] == text(b"handle")


async def test_reads_that_come_short_are_asked_for_again(wire: Wire) -> None:
    content = bytes(range(256)) * 300

    def answer(kind: int, number: int, body: bytes) -> bytes:
        offset, size = struct.unpack(">QI", body[-12:])
        data = content[offset : offset + min(size, 1000)]
        return packet(Kind.DATA, number, text(data)) if data else status(number, Code.EOF)

    wire.answer = answer
    for offset, size in ((0, len(content)), (5, 40_000), (0, 100_000), (len(content), 5)):
        assert await wire.session.read(b"handle", offset, size) == content[offset : offset + size]


@pytest.mark.parametrize("name", [b"../../etc/passwd", b"/etc/passwd", b"", b"a\0b"])
async def test_a_name_that_leads_elsewhere_is_refused(wire: Wire, name: bytes) -> None:
    entry = text(name) + text(b"") + protocol.NOTHING
    said = {
        Kind.OPENDIR: lambda number: packet(Kind.HANDLE, number, text(b"handle")),
        Kind.READDIR: lambda number: packet(Kind.NAME, number, NUMBER.pack(1) + entry),
    }
    wire.answer = lambda kind, number, _: said[Kind(kind)](number) if Kind(kind) in said else None
    with pytest.raises(error.PlaceError, match="which is no name"):
        async for _ in listing.list_folder(wire.session, b"/folder", FOLDER):
            pass
    await asyncio.sleep(0)
    assert wire.kinds()[-1] == Kind.CLOSE


async def test_a_listing_tells_owners_where_the_server_does(wire: Wire) -> None:
    lines = [b"-rw-r--r--    3 ann      staff         5 Jan  1 00:00 a", b"whatever it likes to say"]
    entries = b"".join(
        text(b"a") + text(line) + struct.pack(">IQIIIII", 15, 5, 1, 2, 0o100644, 7, 9) for line in lines
    )
    pages = iter([NUMBER.pack(2) + entries])

    def answer(kind: int, number: int, _: bytes) -> bytes | None:
        if kind == Kind.OPENDIR:
            return packet(Kind.HANDLE, number, text(b"handle"))
        body = next(pages, None)
        return packet(Kind.NAME, number, body) if body is not None else status(number, Code.EOF)

    wire.answer = answer
    (page,) = [page async for page in listing.list_folder(wire.session, b"/folder", FOLDER)]
    assert [(entry.owner, entry.group, entry.links) for entry in page] == [("ann", "staff", 3), ("", "", 1)]
    assert page[0].mtime_ns == 9 * protocol.SECOND_NS


@pytest.mark.parametrize(("distance_s", "trips"), [(0.0, 100), (0.1, 8)])
async def test_a_large_folder_far_away_takes_few_round_trips(
    wire: Wire, distance_s: float, trips: int
) -> None:
    wire.session.distance_s = distance_s
    pages = iter(range(300))
    wire.answer = lambda kind, number, _: (
        packet(Kind.HANDLE, number, text(b"handle")) if kind == Kind.OPENDIR else None
    )

    async def names() -> list[str]:
        found = listing.list_folder(wire.session, b"/folder", FOLDER)
        return [entry.name async for page in found for entry in page]

    listed, made = asyncio.create_task(names()), 0
    await asyncio.sleep(0.01)
    while not listed.done():
        asked, wire.sent = wire.sent, []
        for _, number, _ in (each for each in asked if each[0] == Kind.READDIR):
            page = next(pages, None)
            name = text(b"%d" % (page or 0)) + text(b"") + protocol.NOTHING
            told = (
                status(number, Code.EOF) if page is None else packet(Kind.NAME, number, NUMBER.pack(1) + name)
            )
            wire.say(told)
        made += 1
        for _ in range(200):  # the listing takes what came, and asks for more
            await asyncio.sleep(0)
    assert await listed == [str(page) for page in range(300)]
    assert trips <= made <= trips + 2


async def test_what_is_offered_in_another_version_is_not_used(wire: Wire) -> None:
    greeting = (
        text(session.FSYNC) + text(b"2") + text(session.STATVFS) + text(b"2") + text(b"x@y") + text(b"")
    )
    home = NUMBER.pack(1) + text(b"/home/ann") + text(b"") + protocol.NOTHING

    def answer(kind: int, number: int, _: bytes) -> bytes:
        if kind == Kind.SETSTAT:
            return status(number, Code.OK)
        return packet(Kind.VERSION, 3, greeting) if kind == Kind.INIT else packet(Kind.NAME, number, home)

    wire.answer = answer
    assert await wire.session.start() == b"/home/ann"
    assert wire.session.extensions == {session.STATVFS}
    assert wire.session.most_read == wire.session.most_written == 32768


@given(
    st.one_of(st.none(), st.integers(0, 2**63)),
    st.one_of(st.none(), st.integers(0, 0o7777)),
    st.one_of(st.none(), st.integers(-(10**20), 10**20)),
)
def test_attributes_are_read_as_they_are_sent(
    size: int | None, mode: int | None, mtime_ns: int | None
) -> None:
    sent = protocol.attributes(size_bytes=size, mode=mode, mtime_ns=mtime_ns)
    found, end = protocol.read_attributes(b"??" + sent, 2)
    second = min(max((mtime_ns or 0) // protocol.SECOND_NS, 0), 2**32 - 1)
    assert found == Attrs(size or 0, 0, 0, mode or 0, second)
    assert end == 2 + len(sent)


def test_attributes_with_more_than_one_knows_are_skipped_over() -> None:
    extended = struct.pack(">IQII", 0x80000005, 77, 0o100600, 1) + text(b"acl@x") + text(b"???")
    assert protocol.read_attributes(extended + b"rest") == (Attrs(77, 0, 0, 0o100600, 0), len(extended))


@pytest.mark.parametrize(
    ("code", "words", "expected", "why"),
    [
        (Code.NO_SUCH_FILE, "No such file", error.NotFound, "no such file or folder"),
        (Code.PERMISSION_DENIED, "Permission denied", error.PermissionDenied, "permission denied"),
        (Code.FAILURE, "Failure", error.PlaceError, "the server refused it"),
        (Code.FAILURE, "Too many toys.", error.PlaceError, "the server refused it (Too many toys)"),
        (Code.BAD_MESSAGE, "Bad message", error.Unsupported, "the server cannot do that"),
        (Code.CONNECTION_LOST, "", error.PlaceUnavailable, "the connection is lost"),
        (Code.OP_UNSUPPORTED, "", error.Unsupported, "the server cannot do that"),
        (Code.NO_SPACE_ON_FILESYSTEM, "", error.OutOfSpace, "no space left"),
        (999, "", error.PlaceError, "the server refused it"),
    ],
)
def test_refusals_are_told_in_one_sentence(
    code: int, words: str, expected: type[error.PlaceError], why: str
) -> None:
    told = errors.from_refusal(Refused(code, words), FOLDER, "read")
    assert type(told) is expected
    assert str(told) == f"cannot read sftp://test/folder: {why}"
    assert told.location == FOLDER


@pytest.mark.parametrize("said", [b"", b" \n\n", b"\x1b]0;title\x07\n", b"\xff\x00\x01", "grüezi".encode()])
def test_only_plain_text_is_quoted_of_what_is_not_sftp(said: bytes) -> None:
    assert errors.not_sftp(FOLDER, said).message == f"cannot reach {FOLDER}: what answers is not SFTP"
    told = errors.not_sftp(FOLDER, b"\r\nHello, 'you'\r\nmore" + said)
    assert told.message.endswith("not SFTP but \"Hello, 'you'\"")


def test_a_lost_connection_is_told_with_its_cause() -> None:
    told = errors.from_refusal(Lost("it has not answered for 30 seconds"), FOLDER, "read")
    assert type(told) is error.PlaceUnavailable
    assert str(told).endswith("the connection is lost (it has not answered for 30 seconds)")


async def test_bytes_that_still_go_out_are_life(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = wire.channel.send(Kind.WRITE, bytes(1000))
    await asyncio.sleep(0)
    for unsent in (900, 500, 100):
        monkeypatch.setattr(wire, "get_write_buffer_size", lambda unsent=unsent: unsent)
        wire.channel._life_at = -1e9
        wire.channel._look()
        assert wire.channel.alive
    wire.channel._life_at = -1e9
    wire.channel._look()
    assert wire.given_up and (await answer)[0] == Kind.LOST


async def test_what_takes_long_by_nature_is_borne_longer(wire: Wire) -> None:
    wire.session.send_fsync(b"handle")
    await asyncio.sleep(0)
    wire.channel._look()  # what went out counts
    wire.channel._life_at -= 100
    wire.channel._look()
    assert wire.channel.alive
    ((_, number, _),) = wire.sent
    wire.channel.send(Kind.LSTAT, text(b"x"))
    await asyncio.sleep(0)
    wire.say(status(number, Code.OK))
    wire.channel._look()
    wire.channel._life_at -= 100
    wire.channel._look()
    assert wire.given_up


# The beginning


def version(*extensions: tuple[bytes, bytes]) -> bytes:
    offered = b"".join(text(name) + text(value) for name, value in extensions)
    return struct.pack(">IBI", 5 + len(offered), Kind.VERSION, 3) + offered


def home(number: int) -> bytes:
    return packet(Kind.NAME, number, NUMBER.pack(1) + text(b"/home/me") + text(b"") + protocol.NOTHING)


def limits(number: int) -> bytes:
    return packet(Kind.EXTENDED_REPLY, number, struct.pack(">4Q", 0, 40_000, 50_000, 300))


async def test_a_server_that_takes_all_is_asked_all_at_once(wire: Wire) -> None:
    wire.session.begin(ahead=True)
    await asyncio.sleep(0)
    (_, (_, first, _), (_, second, _), (_, third, _)) = wire.sent
    assert wire.kinds() == [Kind.INIT, Kind.REALPATH, Kind.SETSTAT, Kind.EXTENDED]
    wire.say(version((session.LIMITS, b"1")) + home(first) + status(second, Code.OK) + limits(third))
    assert await wire.session.start() == b"/home/me"
    begun = wire.session
    assert (begun.most_read, begun.most_written, begun.most_open) == (40_000, 50_000, 300)


async def test_limits_that_are_not_offered_are_not_believed(wire: Wire) -> None:
    wire.session.begin(ahead=True)
    await asyncio.sleep(0)
    (_, (_, first, _), (_, second, _), (_, third, _)) = wire.sent
    wire.say(version() + home(first) + status(second, Code.OK) + status(third, Code.OP_UNSUPPORTED))
    assert await wire.session.start() == b"/home/me"
    assert wire.session.most_open == 128


async def test_a_server_that_tells_no_limits_after_all_is_taken_for_a_modest_one(wire: Wire) -> None:
    wire.answer = lambda kind, number, body: {
        Kind.INIT: lambda: version((session.LIMITS, b"1")),
        Kind.REALPATH: lambda: home(number),
        Kind.SETSTAT: lambda: status(number, Code.OK),
        Kind.EXTENDED: lambda: status(number, Code.FAILURE),
    }[Kind(kind)]()
    assert await wire.session.start() == b"/home/me"
    assert wire.session.most_read == 32768


async def test_any_other_server_is_greeted_first(wire: Wire) -> None:
    wire.session.begin(ahead=False)
    start = asyncio.create_task(wire.session.start())
    await asyncio.sleep(0.01)
    assert wire.kinds() == [Kind.INIT]
    wire.say(version())
    await asyncio.sleep(0.01)
    assert wire.kinds() == [Kind.INIT, Kind.REALPATH, Kind.SETSTAT]
    wire.say(home(wire.sent[1][1]) + status(wire.sent[2][1], Code.OK))
    assert await start == b"/home/me"


@pytest.mark.parametrize("ahead", [True, False])
async def test_the_distance_is_told_when_it_is_known(wire: Wire, ahead: bool) -> None:
    wire.answer = lambda kind, number, body: {
        Kind.INIT: lambda: version((session.LIMITS, b"1")),
        Kind.REALPATH: lambda: home(number),
        Kind.SETSTAT: lambda: status(number, Code.OK),
        Kind.EXTENDED: lambda: limits(number),
    }[Kind(kind)]()
    told: list[float] = []
    wire.session.when_measured(told.append)
    wire.session.begin(ahead=ahead)
    await wire.session.start()
    await asyncio.sleep(0.01)
    assert told == [wire.session.distance_s]
    assert 0 < told[0] < 5


async def test_a_folder_and_the_look_at_its_mode_go_together(wire: Wire) -> None:
    place = SftpPlace(None, wire.session, None, b"/", "OpenSSH")  # type: ignore[arg-type]
    making = asyncio.create_task(place.make_folder(FOLDER.child("new"), 0o755))
    await asyncio.sleep(0.01)
    assert wire.kinds() == [Kind.MKDIR, Kind.LSTAT]
    found = struct.pack(">IQIIIII", 0x0F, 0, 0, 0, 0o40755, 0, 0)
    wire.say(status(wire.sent[0][1], Code.OK) + packet(Kind.ATTRS, wire.sent[1][1], found))
    await making
    again = asyncio.create_task(place.make_folder(FOLDER.child("next"), 0o755))
    await asyncio.sleep(0.01)
    assert wire.kinds()[2:] == [Kind.MKDIR]
    wire.say(status(wire.sent[2][1], Code.OK))
    await again


ATTRS = struct.pack(">IQIIIII", 0x0F, 1, 0, 0, 0o100644, 0, 7)
"""A file of one byte, as a server tells of it."""
OTHER = struct.pack(">IQIIIII", 0x0F, 1, 0, 0, 0o100644, 0, 8)


def reading(wire: Wire, seen: bytes) -> asyncio.Task[Any]:
    """Begin to read a file that a listing told of, at a server where it is what ATTRS says."""
    wire.answer = lambda kind, number, body: {
        Kind.OPEN: lambda: packet(Kind.HANDLE, number, text(b"h")),
        Kind.READ: lambda: packet(Kind.DATA, number, text(b"x")),
        Kind.FSTAT: lambda: packet(Kind.ATTRS, number, ATTRS),
        Kind.LSTAT: lambda: packet(Kind.ATTRS, number, ATTRS),
        Kind.CLOSE: lambda: status(number, Code.OK),
    }[Kind(kind)]()
    place = SftpPlace(None, wire.session, None, b"/", "OpenSSH")  # type: ignore[arg-type]
    told = protocol.read_attributes(seen)[0].entry("file")
    return asyncio.create_task(place.get(FOLDER.child("file"), 100, told))


async def test_a_file_that_a_listing_told_of_is_not_looked_at_before_it_is_read(wire: Wire) -> None:
    entry, data = await reading(wire, ATTRS)
    assert wire.kinds() == [Kind.OPEN, Kind.READ, Kind.FSTAT, Kind.LSTAT, Kind.CLOSE]
    assert (data, entry.mtime_ns) == (b"x", 7 * protocol.SECOND_NS)


async def test_a_file_that_changed_since_the_listing_is_looked_at_and_read_again(wire: Wire) -> None:
    entry, data = await reading(wire, OTHER)
    read = [Kind.OPEN, Kind.READ, Kind.FSTAT, Kind.LSTAT, Kind.CLOSE]
    assert wire.kinds() == [*read, Kind.LSTAT, *read]
    assert (data, entry.mtime_ns) == (b"x", 7 * protocol.SECOND_NS)


async def test_attributes_go_along_with_the_look_for_a_link(wire: Wire) -> None:
    place = SftpPlace(None, wire.session, None, b"/", "OpenSSH")  # type: ignore[arg-type]
    wire.session.extensions = frozenset({session.LSETSTAT})
    setting = asyncio.create_task(place.set_attributes(FOLDER, Attributes(mtime_ns=0)))
    await asyncio.sleep(0.01)
    assert wire.kinds() == [Kind.LSTAT, Kind.EXTENDED]
    wire.say(packet(Kind.ATTRS, wire.sent[0][1], ATTRS) + status(wire.sent[1][1], Code.OK))
    await setting


async def test_without_a_way_to_spare_links_the_look_comes_first(wire: Wire) -> None:
    place = SftpPlace(None, wire.session, None, b"/", "OpenSSH")  # type: ignore[arg-type]
    setting = asyncio.create_task(place.set_attributes(FOLDER, Attributes(mtime_ns=0)))
    await asyncio.sleep(0.01)
    assert wire.kinds() == [Kind.LSTAT]
    link = struct.pack(">IQIIIII", 0x0F, 1, 0, 0, 0o120777, 0, 7)
    wire.say(packet(Kind.ATTRS, wire.sent[0][1], link))
    with pytest.raises(error.LinkInTheWay):
        await setting
    assert wire.kinds() == [Kind.LSTAT]


async def test_more_is_under_way_where_the_way_is_long(wire: Wire) -> None:
    wire.session.most_open = 1000
    near = SftpPlace(None, wire.session, None, b"/", "OpenSSH").capabilities  # type: ignore[arg-type]
    wire.session.distance_s = 0.03
    far = SftpPlace(None, wire.session, None, b"/", "OpenSSH").capabilities  # type: ignore[arg-type]
    assert (near.pipeline, far.pipeline) == (512, 1500)
    assert far.ahead_bytes > near.ahead_bytes
