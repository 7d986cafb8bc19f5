"""Model types as msgspec sees them: the same fields, with every location and every text made safe for JSON.

A location travels as its URL. Any other text may quote the name of a file, hence hold lone surrogates, which JSON
cannot: such a text is percent-encoded behind a NUL, which no name of a file can begin with.
"""

from __future__ import annotations

import functools
import types
import typing
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
import msgspec.structs

from tui.model.error import UsageError
from tui.model.location import Location

_ESCAPED = "\0"


class _Stand(type):
    """Type of the stand-ins below: msgspec looks whether a hook gave an instance, and what ours give always is."""

    def __instancecheck__(cls, instance: object) -> bool:
        return True


class Place(metaclass=_Stand):
    """Stands for a Location."""


class Text(metaclass=_Stand):
    """Stands for a str."""


def escape(text: str) -> str:
    """Return a text JSON can hold; `unescape` gives the original back."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ESCAPED + quote(text.encode(errors="surrogatepass"))
    return _ESCAPED + quote(text) if text.startswith(_ESCAPED) else text


def unescape(text: str) -> str:
    """Undo `escape`."""
    if not text.startswith(_ESCAPED):
        return text
    return unquote_to_bytes(text[1:]).decode(errors="surrogatepass")


def _outward(stand: type, value: Any) -> Any:
    return value.url if stand is Place else escape(value)


def _inward(stand: type, value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
    try:
        return Location.from_url(value) if stand is Place else unescape(value)
    except UsageError as error:
        raise ValueError(error.message) from error


@functools.cache
def shape(hint: Any) -> Any:
    """Return the type that stands for `hint` on the wire."""
    if hint is Location:
        return Place
    if hint is str:
        return Text
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return functools.reduce(lambda left, right: left | right, map(shape, typing.get_args(hint)))
    if origin := typing.get_origin(hint):
        return origin[tuple(part if part is ... else shape(part) for part in typing.get_args(hint))]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        columns = [_column(field) for field in msgspec.structs.fields(hint)]
        # A misspelt "ids" must not read as "all jobs".
        return msgspec.defstruct(hint.__name__, columns, forbid_unknown_fields=True)
    return hint


def _column(field: msgspec.structs.FieldInfo) -> Any:
    """Return what a field is on the wire: its name, its type and its default, where it has one."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.name, shape(field.type), msgspec.field(default_factory=field.default_factory)
    return field.name, shape(field.type), field.default


class Codec:
    """Turns values of one type into JSON and back."""

    def __init__(self, hint: Any) -> None:
        self._hint = hint
        self._shape = shape(hint)
        self._decoder = msgspec.json.Decoder(self._shape, dec_hook=_inward)

    def encode(self, value: Any) -> bytes:
        safe = msgspec.convert(value, self._shape, from_attributes=True, dec_hook=_outward)
        return msgspec.json.encode(safe)

    def decode(self, data: bytes | msgspec.Raw) -> Any:
        """Return the value.

        Raises:
            msgspec.DecodeError: It is not JSON, or (`msgspec.ValidationError`) not of this type.
        """
        return msgspec.convert(self._decoder.decode(data), self._hint, from_attributes=True)
