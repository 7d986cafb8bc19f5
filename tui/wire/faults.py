"""Errors as they travel: ours keep their class, text, remedy, location and further facts."""

from __future__ import annotations

from typing import Final

import msgspec

from tui.model.error import EngineError, FerryError, PlaceError, UsageError, classes
from tui.model.location import Location
from tui.wire.shapes import escape, unescape

NOT_JSON: Final = -32700
NOT_A_CALL: Final = -32600
NO_SUCH_METHOD: Final = -32601
WRONG_PARAMETERS: Final = -32602
INTERNAL: Final = -32603
OURS: Final = -32000
"""Codes of JSON-RPC 2.0, section 5.1; ours is the first of those left to servers."""

Plain = str | int | float | bool | None


class Details(msgspec.Struct, omit_defaults=True):
    """What JSON-RPC has no field for."""

    kind: str = ""
    remedy: str = ""
    location: str | None = None
    extras: dict[str, Plain] = {}


class Fault(msgspec.Struct, omit_defaults=True):
    """The error object of JSON-RPC."""

    code: int
    message: str
    data: Details | None = None


class CallError(Exception):
    """What was received is not a call that can be answered otherwise."""

    def __init__(self, code: int, message: str, id: int | str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.id = code, message, id


def fault_of(error: Exception) -> Fault:
    """Return what is sent for an error; of errors that are not ours only the class is told, the log has the rest."""
    if isinstance(error, CallError):
        return Fault(error.code, escape(error.message))
    if not isinstance(error, FerryError):
        return Fault(INTERNAL, f"the engine failed inside ({type(error).__name__})")
    location = error.location.url if isinstance(error, PlaceError) and error.location else None
    extras = {
        key: escape(value) if isinstance(value, str) else value
        for key, value in vars(error).items()
        if key not in ("message", "remedy", "location") and isinstance(value, Plain)
    }
    details = Details(error.code, escape(error.remedy), location, extras)
    return Fault(OURS, escape(error.message), details)


def error_of(fault: Fault) -> FerryError:
    """Return the error a fault tells of."""
    message, details = unescape(fault.message), fault.data or Details()
    if fault.code == WRONG_PARAMETERS:
        return UsageError(message)
    if fault.code != OURS:
        return EngineError(message, "Its log says more: `ferry doctor` names the file.")
    cls = classes().get(details.kind, EngineError)
    error = cls.__new__(cls)
    FerryError.__init__(error, message, unescape(details.remedy))
    for key, value in details.extras.items():
        setattr(error, key, unescape(value) if isinstance(value, str) else value)
    if isinstance(error, PlaceError):
        error.location = _location(details.location)
    return error


def _location(url: str | None) -> Location | None:
    try:
        return None if url is None else Location.from_url(url)
    except UsageError:
        return None
