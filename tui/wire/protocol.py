"""What may be said between a client and the engine: every method with its parameters and its result.

The protocol is JSON-RPC 2.0, one message a line, without batches. A client says `hello` first; after `subscribe` the
engine sends `update` notifications on that connection, and `goodbye` before it stops. `hello`, `goodbye` and
`shutdown` stay as they are in every version, so that versions that do not understand each other can say so, and a new
one can stop an old one.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct, defstruct

from tui.model.ask import HostQuestion, KnownHost
from tui.model.comparison import Differences
from tui.model.entry import Entry, Listed, Space, Totals
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.fidelity import Lost
from tui.model.job import Conflict, EngineStatus, Job, JobError, JobKind, Question, Request, Update
from tui.model.location import Location
from tui.model.misfit import Misfits, Names
from tui.model.parts import PART
from tui.model.reach import Reach
from tui.model.upload import Unfinished
from tui.wire.shapes import Codec

if TYPE_CHECKING:
    import msgspec

PROTOCOL = 9
"""Raised with every change of a method, a parameter or a model type that travels."""

LINE_LIMIT_BYTES = 64 << 20
"""The longest message. (A part of a request with the longest paths there are, old and new, has some 24 MiB.)"""

BULKY_BYTES = 256 << 10
"""Longer messages are read and written on a thread, so that no event loop waits for them."""


class Greeting(Struct, frozen=True):
    """Who answers a `hello`."""

    protocol: int
    version: str
    pid: int


class Goodbye(Struct, frozen=True):
    """Why the engine closes its connections."""

    reason: str


class Method:
    """One method: how its parameters and its result travel. (Codecs are made when used: a command needs few.)"""

    def __init__(
        self, name: str, result: Any, *, repeatable: bool, parameters: dict[str, Any], patient: bool = False
    ) -> None:
        self.name = name
        self.patient = patient
        """It takes as long as a host, or a person, takes to answer."""
        self.repeatable = repeatable
        """Asked twice it does what it does asked once."""
        self.hints, self.result_hint = parameters, result

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.hints)

    @cached_property
    def result(self) -> Codec:
        """How its result travels."""
        return Codec(self.result_hint)

    @cached_property
    def _type(self) -> type:
        return defstruct(
            self.name.replace(".", "_"), [_parameter(key, hint) for key, hint in self.hints.items()]
        )

    @cached_property
    def _parameters(self) -> Codec:
        return Codec(self._type)

    def encode(self, arguments: dict[str, Any]) -> bytes:
        return self._parameters.encode(self._type(**arguments))

    def decode(self, data: bytes | msgspec.Raw) -> dict[str, Any]:
        """Return keyword arguments.

        Raises:
            msgspec.DecodeError: They are not those of this method.
        """
        value = self._parameters.decode(bytes(data) or b"{}")
        return {name: getattr(value, name) for name in self.hints}

    def __repr__(self) -> str:
        return f"Method {self.name}({', '.join(self.names)})"


def _parameter(name: str, hint: Any) -> Any:
    if isinstance(hint, tuple):
        return name, *hint
    return name, hint


def _asks(name: str, result: Any = None, /, **parameters: Any) -> Method:
    """Describe a method that may be repeated; a parameter is a type, or (type, default)."""
    return Method(name, type(None) if result is None else result, repeatable=True, parameters=parameters)


def _does(name: str, result: Any = None, /, **parameters: Any) -> Method:
    """Describe a method that must not be repeated unknowingly."""
    return Method(name, type(None) if result is None else result, repeatable=False, parameters=parameters)


def _far(method: Method) -> Method:
    """Make a method one that waits for another host, and can be given up by its token."""
    return Method(
        method.name, method.result_hint, repeatable=method.repeatable,
        parameters=method.hints | {"token": (str, "")}, patient=True,
    )  # fmt: skip


_LOCATIONS = tuple[Location, ...]
_SOME = tuple[int, ...]
_SOME_OR_ALL = (tuple[int, ...] | None, None)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        _asks("hello", Greeting, protocol=int, version=str),
        _asks("shutdown"),
        _asks("subscribe", after=(int | None, None)),
        _asks("submit", int, request=Request, token=(str, "")),
        _does("draft.begin", int, request=Request),
        _does("draft.add", number=int, sources=_LOCATIONS, targets=(_LOCATIONS, ())),
        _asks("draft.submit", int, number=int, token=(str, "")),
        _asks("jobs", tuple[Job, ...]),
        _asks("job", Job, id=int, seconds=(float, 0.0)),
        _asks("request", Request, id=int),
        _asks("sources", _LOCATIONS, id=int, start=(int, 0), count=(int, PART)),
        _asks("pause", ids=_SOME_OR_ALL),
        _asks("resume", ids=_SOME_OR_ALL),
        _asks("cancel", ids=_SOME_OR_ALL, keep=(bool, True)),
        _does("retry", ids=_SOME_OR_ALL),
        _does("start", ids=_SOME),
        _does("reorder", ids=_SOME, where=str),
        _asks("set_priority", ids=_SOME, priority=int),
        _does("remove", ids=_SOME_OR_ALL),
        _does("restore", _SOME),
        _does("note_step", int, kind=JobKind, location=Location, before=Location),
        _does("undo", int, id=int),
        _does("verify", int, id=int),
        _asks("limit", bytes_s=int | None, ids=_SOME_OR_ALL),
        _asks("set_slots", slots=int),
        _asks("set_conflict", ids=_SOME, rule=Conflict),
        _asks("set_names", ids=_SOME, names=Names),
        _asks("misfits", Misfits, id=int),
        _asks("errors", tuple[JobError, ...], id=int, start=(int, 0), count=(int, 1000)),
        _asks("losses", tuple[Lost, ...], id=int),
        _asks("questions", tuple[Question, ...], id=(int | None, None), count=(int, 100)),
        _does("answer", question=int, rule=Conflict, for_all=(bool, False)),
        _asks("host_questions", tuple[HostQuestion, ...]),
        _does("answer_host", id=int, answer=str | None),
        _asks("hosts", tuple[KnownHost, ...]),
        _asks("status", EngineStatus),
        # Other places. (A listing is read once, page by page, hence never repeated.)
        _far(_does("far.open", int, folder=Location)),
        _far(_does("far.page", Listed, number=int)),
        _does("far.shut", number=int),
        _does("far.drop", token=str),
        _asks("far.reach", Reach, place=Location),
        _far(_asks("far.resolve", Location, location=Location)),
        _far(_asks("far.details", Listed, folder=Location, names=tuple[str, ...])),
        _far(_asks("far.stat", Entry, location=Location, follow=(bool, False))),
        _far(_asks("far.read", bytes, location=Location, offset=int, size_bytes=int)),
        _far(_asks("far.space", Space, folder=Location)),
        _far(
            _asks(
                "far.measure",
                Totals,
                locations=_LOCATIONS,
                time_limit_s=float,
                exclude=(Exclusion, NOTHING),
            )
        ),
        _far(
            _does(
                "far.compare",
                int,
                source=Location,
                target=Location,
                by_content=bool,
                exclude=(Exclusion, NOTHING),
            )
        ),
        _far(_does("far.differences", Differences, number=int)),
        _far(
            _does(
                "far.uploads",
                tuple[Unfinished, ...],
                place=Location,
                older_than_s=float,
                remove=(bool, False),
            )
        ),
        _far(_does("far.make_folder", Location, location=Location)),
        _far(_does("far.create_file", location=Location)),
        _far(_does("far.rename", location=Location, new=Location)),
        _far(_asks("far.set_mode", location=Location, mode=int)),
        _far(_does("far.make_symlink", location=Location, points_to=str)),
    )
}
"""All methods by name. `submit` and `draft.submit` may be repeated because of their token: the same is the same job.

A request with more sources than are one part (`tui.model.parts`) comes as a draft that belongs to its connection: begun
with the first part, the others added, a job once it is submitted, and forgotten where the connection ends before."""

UPDATE = Method("update", type(None), repeatable=True, parameters={"update": Update})
GOODBYE = Method("goodbye", type(None), repeatable=True, parameters={"goodbye": Goodbye})
"""Notifications of the engine."""
NOTIFICATIONS = {method.name: method for method in (UPDATE, GOODBYE)}
