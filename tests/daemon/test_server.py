"""What the engine's socket does with whatever comes in, on an engine in memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.daemon.homes import FakeEngine, Raw, copy_request, eventually
from tui.client.connection import Connection, Lost
from tui.client.remote import RemoteClient
from tui.client.runtime import listen
from tui.daemon import server as server_module
from tui.daemon.server import Server
from tui.model.error import EngineError, EngineUnreachable, NoSuchJob, NotPossible, ProtocolMismatch
from tui.model.job import Disconnected, JobKind, Request, Update
from tui.model.location import Location
from tui.model.parts import PART, first_part
from tui.paths import Paths
from tui.wire.protocol import METHODS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tui.wire.protocol import Method

SAY_HELLO = b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":%d,"version":"9"}}\n'


class Serving:
    """A server on a socket in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths.from_environment({"FERRY_HOME": str(folder)})
        self.engine = FakeEngine()
        self.asked_to_stop = asyncio.Event()
        self.server: Server
        self._raws: list[Raw] = []

    async def start(self) -> None:
        self.server = Server(self.engine, self.asked_to_stop.set)  # type: ignore[arg-type]
        await self.server.listen(listen(self.paths.socket))

    async def raw(self, *, greet: bool = True) -> Raw:
        client = Raw(self.paths.socket)
        self._raws.append(client)
        if greet:
            await client.greet()
        return client

    async def close(self) -> None:
        for client in self._raws:
            client.close()
        self.engine.gate.set()
        await self.server.close("the test ended")


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    made = Serving(tmp_path / "h")
    await made.start()
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\x00\xff\xfegarbage\n", -32700),
        (b'{"jsonrpc":"2.0","id":2\n', -32700),
        (b"[1,2]\n", -32600),
        (b'{"jsonrpc":"2.0","id":2,"method":"fly"}\n', -32601),
        (b'{"jsonrpc":"2.0","id":2,"method":"__class__"}\n', -32601),
        (b'{"jsonrpc":"2.0","id":2,"method":"job","params":{}}\n', -32602),
        (b'{"jsonrpc":"2.0","id":2,"method":"job","params":[1]}\n', -32602),
        (b'{"jsonrpc":"2.0","id":2,"method":"cancel","params":{"id":1}}\n', -32602),
        (b'{"jsonrpc":"2.0","id":2,"method":"resume"}\n', -32603),
    ],
)
async def test_what_cannot_be_done_is_answered_and_the_next_call_works(
    serving: Serving, line: bytes, code: int
) -> None:
    client = await serving.raw()
    assert (await client.ask(line))["error"]["code"] == code
    assert await client.ask(b'{"jsonrpc":"2.0","id":"a","method":"jobs"}\n') == {
        "jsonrpc": "2.0",
        "id": "a",
        "result": [],
    }
    assert serving.engine.calls == []


async def test_nothing_is_done_before_a_hello(serving: Serving) -> None:
    client = await serving.raw(greet=False)
    answer = await client.ask(b'{"jsonrpc":"2.0","id":2,"method":"cancel"}\n')
    assert answer["error"] == {"code": -32600, "message": "say hello first"}
    assert serving.engine.calls == []


async def test_another_protocol_is_refused_but_may_stop_the_engine(serving: Serving) -> None:
    client = await serving.raw(greet=False)
    answer = await client.ask(SAY_HELLO % 999)
    assert answer["error"]["data"]["kind"] == "ProtocolMismatch"
    assert (await client.ask(b'{"jsonrpc":"2.0","id":2,"method":"jobs"}\n'))["error"]["code"] == -32600
    assert (await client.ask(b'{"jsonrpc":"2.0","id":3,"method":"shutdown"}\n'))["result"] is None
    await eventually(serving.asked_to_stop.is_set)


async def test_half_a_line_and_a_vanished_client_harm_nobody(serving: Serving) -> None:
    other = await serving.raw()
    client = await serving.raw()
    await client.say(b'{"jsonrpc":"2.0","id":2,"method":"canc')
    client.close()
    await eventually(lambda: serving.server.clients == 1)
    assert (await other.ask(b'{"jsonrpc":"2.0","id":2,"method":"jobs"}\n'))["result"] == []
    assert serving.engine.calls == []


async def test_a_line_may_come_in_pieces(serving: Serving) -> None:
    client = await serving.raw()
    for piece in (b'{"jsonrpc":"2.0",', b'"id":2,"meth', b'od":"jobs"}'):
        await client.say(piece)
        await asyncio.sleep(0)
    assert (await client.ask(b"\n"))["result"] == []


async def test_a_line_without_end_is_refused_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "LINE_LIMIT_BYTES", 1 << 20)
    serving = Serving(tmp_path / "h")
    await serving.start()
    try:
        client = await serving.raw()
        for _ in range(50):
            await client.say(b"x" * 100_000)
        answer = await client.ask(b"\n")
        assert answer["error"] == {
            "code": -32600,
            "message": "the message is longer than 1 MiB; nothing was done",
        }
        assert (await client.ask(b'{"jsonrpc":"2.0","id":2,"method":"jobs"}\n'))["result"] == []
    finally:
        await serving.close()


async def test_a_call_without_an_id_is_done_and_not_answered(serving: Serving) -> None:
    client = await serving.raw()
    await client.say(b'{"jsonrpc":"2.0","method":"pause","params":{"ids":[4]}}\n')
    assert (await client.ask(b'{"jsonrpc":"2.0","id":2,"method":"jobs"}\n'))["id"] == 2
    assert serving.engine.calls == [("pause", (4,))]


async def test_a_slow_call_holds_up_no_other(serving: Serving) -> None:
    serving.engine.gate.clear()
    async with RemoteClient(serving.paths, None) as client:
        slow = asyncio.create_task(client.pause())
        await eventually(lambda: serving.engine.calls)
        assert await client.jobs() == ()
        assert not slow.done()
        serving.engine.gate.set()
        await slow


async def test_errors_arrive_as_what_they_are(serving: Serving) -> None:
    async with RemoteClient(serving.paths, None) as client:
        with pytest.raises(NoSuchJob, match="there is no job 5") as caught:
            await client.job(5)
        assert caught.value.remedy == NoSuchJob.remedy
        with pytest.raises(EngineError, match=r"failed inside \(ZeroDivisionError\)"):
            await client.resume()


async def test_the_same_token_is_the_same_job(serving: Serving, tmp_path: Path) -> None:
    arguments = {"request": copy_request(tmp_path / "a", target=tmp_path), "token": "once"}
    serving.engine.gate.clear()
    first = await Connection.open(serving.paths, 5)
    asked = asyncio.create_task(first.call(METHODS["submit"], arguments))
    await eventually(lambda: serving.engine.calls)
    await first.close()  # the client is lost before it hears the answer
    with contextlib.suppress(Exception):
        await asked
    second = await Connection.open(serving.paths, 5)
    serving.engine.gate.set()
    assert await second.call(METHODS["submit"], arguments) == 1
    assert await second.call(METHODS["submit"], {**arguments, "token": "other"}) == 2
    await second.close()
    assert [name for name, *_ in serving.engine.calls] == ["submit", "submit"]


async def test_a_submit_that_failed_is_not_remembered(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(request: object) -> int:
        raise EngineError("the journal cannot be used")

    request = copy_request(tmp_path / "a", target=tmp_path)
    connection = await Connection.open(serving.paths, 5)
    with monkeypatch.context() as patch:
        patch.setattr(serving.engine, "submit", refuses)
        for token in ("one", ""):
            with pytest.raises(EngineError):
                await connection.call(METHODS["submit"], {"request": request, "token": token})
    assert not serving.server._submits
    assert await connection.call(METHODS["submit"], {"request": request, "token": "one"}) == 1
    await connection.close()


async def test_a_client_waits_its_turn_where_many_wait_to_be_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not take the engine for that of another user, as what has not connected yet tells of nobody."""
    monkeypatch.setattr("tui.client.runtime._BACKLOG", 1)
    serving = Serving(tmp_path / "h")
    listener = listen(serving.paths.socket)  # nobody is taken in yet
    before = [Raw(serving.paths.socket) for _ in range(2)]
    asking = asyncio.create_task(Connection.open(serving.paths, 5))
    await asyncio.sleep(0.1)
    assert not asking.done()
    serving.server = Server(serving.engine, serving.asked_to_stop.set)  # type: ignore[arg-type]
    await serving.server.listen(listener)
    await (await asking).close()
    for client in before:
        client.close()
    await serving.close()


async def test_an_engine_that_takes_nobody_in_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.client.runtime._BACKLOG", 1)
    monkeypatch.setattr("tui.client.connection.TAKEN_IN_S", 0.05)
    paths = Paths.from_environment({"FERRY_HOME": str(tmp_path / "h")})
    with listen(paths.socket):
        before = [Raw(paths.socket) for _ in range(2)]
        with pytest.raises(EngineUnreachable, match="takes nobody in"):
            await Connection.open(paths, 5)
        for client in before:
            client.close()


def long_request(folder: Path, count: int = 2 * PART + 10) -> Request:
    return copy_request(*(folder / f"file \udcff {i}" for i in range(count)), target=folder)


async def test_twenty_thousand_sources_go_there_and_back(serving: Serving, tmp_path: Path) -> None:
    request = long_request(tmp_path, 20_000)
    async with RemoteClient(serving.paths, None) as client:
        id = await client.submit(request)
        assert (await client.job(id)).source_count == 20_000
        assert serving.engine.requests[id] == request
        assert await client.request(id) == first_part(request)
        found: list[Location] = []
        while page := await client.sources(id, len(found)):
            found += page
        assert tuple(found) == request.sources


async def test_a_long_request_comes_in_parts_and_a_short_one_at_once(
    serving: Serving, tmp_path: Path
) -> None:
    async with RemoteClient(serving.paths, None) as client:
        await client.submit(long_request(tmp_path))
        assert [call[:2] for call in serving.engine.calls[:-1]] == [
            ("begin", PART), ("add", PART), ("add", 10),
        ]  # fmt: skip
        serving.engine.calls.clear()
        await client.submit(long_request(tmp_path, PART))
        assert [name for name, *_ in serving.engine.calls] == ["submit"]


async def test_a_list_of_renames_in_parts_keeps_each_name_with_its_new_one(
    serving: Serving, tmp_path: Path
) -> None:
    sources = long_request(tmp_path).sources
    request = Request(
        kind=JobKind.RENAME,
        sources=sources,
        targets=tuple(one.parent.child(one.name + "x") for one in sources),
    )
    async with RemoteClient(serving.paths, None) as client:
        assert serving.engine.requests[await client.submit(request)] == request


async def test_a_long_request_is_forgotten_where_its_client_goes_in_the_middle(
    serving: Serving, tmp_path: Path
) -> None:
    serving.engine.gate.clear()
    client = RemoteClient(serving.paths, None)
    submitting = asyncio.create_task(client.submit(long_request(tmp_path)))
    await eventually(lambda: serving.engine.calls[-1:] == [("add", PART)])
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    serving.engine.gate.set()
    await eventually(lambda: serving.engine.calls[-1] == ("drop", 1))
    assert not serving.engine.drafts.open
    assert await client.jobs() == ()
    await client.close()


async def test_a_long_request_that_lost_its_connection_is_sent_again_and_is_one_job(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the engine heard its last word or not."""
    whole = Connection.call

    async def cut(self: Connection, method: Method, arguments: dict[str, Any]) -> Any:
        told = await whole(self, method, arguments)
        if method.name == "draft.submit" and not lost:
            lost.append(told)
            raise Lost("the connection was cut")
        return told

    lost: list[int] = []
    monkeypatch.setattr(Connection, "call", cut)
    async with RemoteClient(serving.paths, None) as client:
        assert await client.submit(long_request(tmp_path)) == lost[0]
        assert len(await client.jobs()) == 1
        await eventually(lambda: not serving.engine.drafts.open)


async def test_a_draft_is_its_connections_own(serving: Serving, tmp_path: Path) -> None:
    one, other = [await Connection.open(serving.paths, 5) for _ in range(2)]
    request = copy_request(tmp_path / "a", target=tmp_path)
    number = await one.call(METHODS["draft.begin"], {"request": request})
    with pytest.raises(NotPossible, match=f"draft {number} is not known on this connection"):
        await other.call(METHODS["draft.submit"], {"number": number})
    assert await one.call(METHODS["draft.submit"], {"number": number}) == 1
    await one.close()
    await other.close()


async def test_a_slow_subscriber_gets_the_latest_and_holds_up_nobody(
    serving: Serving, tmp_path: Path
) -> None:
    async with RemoteClient(serving.paths, None) as quick:
        for i in range(200):
            await quick.submit(copy_request(tmp_path / f"{'x' * 200}{i}", target=tmp_path))
        slow = await serving.raw()
        await slow.ask(b'{"jsonrpc":"2.0","id":2,"method":"subscribe"}\n')
        for number in range(2000):
            serving.engine.touch(f"change {number}")
            await asyncio.sleep(0)
            if number % 500 == 0:
                assert len(await quick.jobs()) == 200
        taken = serving.engine.taken
        assert taken < 100, "updates were made for a client that does not read"
        heard = 0
        while True:
            message = await slow.hear()
            heard += 1
            if message["params"]["update"]["jobs"][0]["note"] == "change 1999":
                break
        assert heard <= taken + 2


async def test_updates_begin_in_full_and_end_with_the_client(serving: Serving, tmp_path: Path) -> None:
    async with RemoteClient(serving.paths, None) as client:
        await client.submit(copy_request(tmp_path / "a", target=tmp_path))
        updates: Any = client.updates()
        first = await anext(updates)
        assert first.full
        assert [job.id for job in first.jobs] == [1]
        serving.engine.touch("x")
        second = await anext(updates)
        assert not second.full
        assert second.jobs[0].note == "x"
        await updates.aclose()
        await eventually(lambda: serving.server.clients == 1)


async def test_closing_a_client_ends_its_updates(serving: Serving) -> None:
    client = RemoteClient(serving.paths, None)
    updates: Any = client.updates()
    await anext(updates)
    waiting = asyncio.ensure_future(anext(updates, None))
    await asyncio.sleep(0)
    await client.close()
    assert await waiting is None
    with pytest.raises(EngineUnreachable, match="closed"):
        await client.jobs()


async def test_an_engine_that_goes_is_told_once_and_found_again(serving: Serving) -> None:
    async with RemoteClient(serving.paths, None) as client:
        updates: Any = client.updates()
        assert isinstance(await anext(updates), Update)
        await serving.server.close("because")
        lost = await anext(updates)
        assert lost == Disconnected("because")
        back = asyncio.ensure_future(anext(updates))
        await asyncio.sleep(0.05)
        assert not back.done()
        await serving.start()
        update = await back
        assert isinstance(update, Update)
        assert update.full
        assert await client.jobs() == ()
        await updates.aclose()


async def test_what_may_not_be_repeated_is_not(serving: Serving) -> None:
    serving.engine.gate.clear()
    async with RemoteClient(serving.paths, None) as client:
        asked = asyncio.create_task(client.retry([3]))
        await eventually(lambda: serving.engine.calls)
        await serving.server.close("because")
        with pytest.raises(EngineUnreachable, match="because before it answered"):
            await asked
        await serving.start()
        assert await client.jobs() == ()
    assert serving.engine.calls == [("retry", (3,))]


async def test_what_may_be_repeated_is(serving: Serving) -> None:
    serving.engine.gate.clear()
    loop = asyncio.get_running_loop()

    def start_again(_: Paths) -> None:
        asyncio.run_coroutine_threadsafe(serving.start(), loop).result(10)

    async with RemoteClient(serving.paths, start_again) as client:
        asked = asyncio.create_task(client.pause([3]))
        await eventually(lambda: serving.engine.calls)
        await serving.server.close("because")
        serving.engine.gate.set()
        await asked
    assert serving.engine.calls == [("pause", (3,))] * 2


async def test_an_engine_that_does_not_answer_is_not_waited_for_for_ever(serving: Serving) -> None:
    serving.engine.gate.clear()
    async with RemoteClient(serving.paths, None, wait_s=0.2) as client:
        with pytest.raises(EngineUnreachable, match=f"process {os.getpid()}.*did not answer"):
            await client.pause()
        assert await client.jobs() == ()


async def test_a_client_of_another_version_is_told(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.client.connection.PROTOCOL", 999)
    async with RemoteClient(serving.paths, None) as client:
        with pytest.raises(ProtocolMismatch) as caught:
            await client.jobs()
        assert "protocol 999" in caught.value.message
        assert "ferry engine stop" in caught.value.remedy


async def test_a_client_of_another_user_is_refused(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "peer_uid", lambda _: 12345)
    client = await serving.raw(greet=False)
    assert await client.hear() is None
    assert serving.server.clients == 0


# Other hosts


class Waiting:
    """A host that never answers."""

    def __init__(self) -> None:
        self.asked, self.given_up = asyncio.Event(), asyncio.Event()

    async def stat(self, location: Location, follow: bool, token: str) -> None:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()


async def test_what_waits_for_a_host_ends_with_the_client_who_asked(serving: Serving) -> None:
    host = serving.engine.browsing = Waiting()  # type: ignore[attr-defined]
    client = RemoteClient(serving.paths, start=None)
    asking = asyncio.create_task(client.stat(Location("/file", "sftp", "box")))
    await host.asked.wait()
    await client.close()
    await host.given_up.wait()
    with pytest.raises(EngineError):
        await asking
    await eventually(lambda: not serving.server.clients)


async def test_a_call_to_a_host_has_no_time_limit_of_its_own(serving: Serving) -> None:
    host = serving.engine.browsing = Waiting()  # type: ignore[attr-defined]
    client = RemoteClient(serving.paths, start=None, wait_s=0.05)
    asking = asyncio.create_task(client.stat(Location("/file", "sftp", "box")))
    await host.asked.wait()
    await asyncio.wait({asking}, timeout=0.2)
    assert not asking.done()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await client.close()
