"""The table of methods, the lines and the errors."""

from __future__ import annotations

import inspect
import json

import pytest

from tui.client.base import Drafts, Queue
from tui.engine.far.browsing import Browsing
from tui.model.error import (
    ConfigError,
    EngineError,
    FerryError,
    NoSuchJob,
    NotFound,
    PlaceUnavailable,
    UsageError,
    classes,
)
from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.model.parts import PART
from tui.wire import lines, protocol
from tui.wire.faults import INTERNAL, OURS, WRONG_PARAMETERS, CallError, Fault, error_of, fault_of
from tui.wire.protocol import METHODS, NOTIFICATIONS

OWN = {"hello", "shutdown", "subscribe"}


def queue_methods() -> dict[str, inspect.Signature]:
    members = inspect.getmembers(Queue, inspect.isfunction)
    return {
        name: inspect.signature(it) for name, it in members if not name.startswith("_") and name != "updates"
    }


def test_the_table_holds_every_method_of_the_queue_and_no_other() -> None:
    about_the_queue = {name for name in METHODS if "." not in name}
    assert about_the_queue - OWN == set(queue_methods())


def test_what_is_asked_of_other_places_is_what_the_engine_can_tell_of_them() -> None:
    for name in METHODS:
        if name.startswith("far."):
            wanted = inspect.signature(getattr(Browsing, name.removeprefix("far."))).parameters
            assert METHODS[name].names == tuple(key for key in wanted if key != "self"), name


@pytest.mark.parametrize("name", ["begin", "add", "submit"])
def test_what_is_asked_of_a_draft_is_what_the_engine_does_with_one(name: str) -> None:
    wanted = [key for key in inspect.signature(getattr(Drafts, name)).parameters if key != "self"]
    assert [key for key in METHODS[f"draft.{name}"].names if key != "token"] == wanted


def test_whatever_waits_for_another_host_can_be_given_up() -> None:
    assert all("token" in method.names for method in METHODS.values() if method.patient)
    assert METHODS["far.open"].patient


@pytest.mark.parametrize("name", sorted(queue_methods()))
def test_parameters_are_named_as_in_the_queue(name: str) -> None:
    wanted = [key for key in queue_methods()[name].parameters if key != "self"]
    assert [key for key in METHODS[name].names if key != "token"] == wanted


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("pause", {}),
        ("resume", {}),
        ("cancel", {}),
        ("retry", {}),
        ("remove", {}),
        ("limit", {"bytes_s": 1}),
        ("errors", {"id": 1}),
        ("questions", {}),
        ("answer", {"question": 1, "rule": "skip"}),
    ],
)
def test_parameters_that_may_be_left_out_are_those_of_the_queue(name: str, least: dict[str, object]) -> None:
    decoded = METHODS[name].decode(json.dumps(least).encode())
    parameters = queue_methods()[name].parameters
    for key in set(METHODS[name].names) - set(least):
        assert decoded[key] == parameters[key].default


def test_a_call_is_one_line_that_reads_back() -> None:
    request = Request(kind=JobKind.COPY, sources=(Location("/a\n\udcff"),), target=Location("/b"))
    line = lines.call(METHODS["submit"], 4, {"request": request, "token": "t"})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    envelope = lines.read(line)
    assert (envelope.id, envelope.method) == (4, "submit")
    assert METHODS["submit"].decode(envelope.params) == {"request": request, "token": "t"}


def test_a_call_that_is_too_long_is_refused_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT_BYTES", 1000)
    request = Request(kind=JobKind.TRASH, sources=(Location("/" + "x" * 1000),))
    with pytest.raises(UsageError, match="too large for the engine"):
        lines.call(METHODS["submit"], 1, {"request": request, "token": ""})


@pytest.mark.parametrize(
    ("line", "code", "id"),
    [
        (b"nonsense\n", -32700, None),
        (b'{"jsonrpc": "2.0", "id": 3, "method": "jobs"', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"\\udcff"}', -32700, None),
        (b"[" * 100_000, -32600, None),
        (b"[]\n", -32600, None),
        (b"3\n", -32600, None),
        (b'{"id": 3}\n', -32600, 3),
        (b'{"jsonrpc": "1.0", "id": 3, "method": "jobs"}\n', -32600, 3),
        (b'{"jsonrpc": "2.0", "id": 3, "method": 4}\n', -32600, 3),
        (b'{"jsonrpc": "2.0", "id": 3}\n', -32600, 3),
        (b'{"jsonrpc": "2.0", "id": "x", "method": "fly"}\n', -32601, "x"),
        (b'{"jsonrpc": "2.0", "id": 3, "method": "update"}\n', -32601, 3),
    ],
)
def test_what_is_no_call_is_refused_by_its_code(line: bytes, code: int, id: object) -> None:
    with pytest.raises(CallError) as caught:
        lines.method_of(lines.read(line), METHODS)
    assert (caught.value.code, caught.value.id) == (code, id)


def test_notifications_are_not_methods() -> None:
    assert not set(NOTIFICATIONS) & set(METHODS)


@pytest.mark.parametrize("cls", sorted(classes().values(), key=lambda cls: cls.__name__))
def test_every_error_keeps_its_class_text_and_remedy(cls: type[FerryError]) -> None:
    back = error_of(fault_of(cls("cannot read \udcff", "Look at \udcfe.")))
    assert type(back) is cls
    assert (back.message, back.remedy) == ("cannot read \udcff", "Look at \udcfe.")
    assert error_of(fault_of(cls("it is so"))).remedy == cls.remedy


def test_errors_keep_their_facts() -> None:
    place = error_of(fault_of(NotFound("gone", location=Location("/a\udcff"))))
    assert isinstance(place, NotFound)
    assert place.location == Location("/a\udcff")
    setting = error_of(fault_of(ConfigError("wrong", file="/etc/\udcff", key="queue.slots")))
    assert isinstance(setting, ConfigError)
    assert (setting.file, setting.key) == ("/etc/\udcff", "queue.slots")
    assert error_of(fault_of(PlaceUnavailable("busy"))).transient


def test_an_error_of_a_newer_engine_is_still_an_error_of_the_engine() -> None:
    fault = fault_of(NoSuchJob("there is no job 3"))
    assert fault.data is not None
    fault.data.kind = "Unheard"
    assert type(error_of(fault)) is EngineError


def test_the_inside_of_an_engine_is_not_told() -> None:
    fault = fault_of(KeyError("secret"))
    assert fault.code == INTERNAL
    assert "secret" not in fault.message
    assert isinstance(error_of(fault), EngineError)


def test_wrong_parameters_are_an_error_of_use() -> None:
    assert isinstance(error_of(Fault(WRONG_PARAMETERS, "limit: …")), UsageError)
    assert fault_of(UsageError("x")).code == OURS


def test_a_part_of_the_longest_names_is_no_message_too_long() -> None:
    longest = Location("/" + "\udcff" * 4094)  # no path is longer, and each byte of it takes three
    line = lines.call(
        METHODS["draft.add"], 1, {"number": 1, "sources": (longest,) * PART, "targets": (longest,) * PART}
    )
    assert len(line) < protocol.LINE_LIMIT_BYTES / 2
