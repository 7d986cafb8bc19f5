"""JSON-RPC 2.0 messages as lines: the envelope, without what is inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tui.model.error import UsageError
from tui.wire.faults import NO_SUCH_METHOD, NOT_A_CALL, NOT_JSON, CallError, Fault
from tui.wire.protocol import LINE_LIMIT_BYTES, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

Id = int | str | None


class Envelope(msgspec.Struct, omit_defaults=True):
    """Any message. `result` and `params` are left as they came."""

    jsonrpc: str
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()
    id: int | str | msgspec.UnsetType | None = msgspec.UNSET
    result: msgspec.Raw = msgspec.Raw()
    error: Fault | None = None


_ENVELOPE = msgspec.json.Decoder(Envelope)
_HEAD = b'{"jsonrpc":"2.0",'


def call(method: Method, id: int | None, arguments: dict[str, Any]) -> bytes:
    """Return the line that calls a method; without an id, one that wants no answer.

    Raises:
        UsageError: It is longer than may be sent.
    """
    number = b"" if id is None else b'"id":%d,' % id
    parameters = method.encode(arguments)
    line = _HEAD + number + b'"method":"%s","params":%s}\n' % (method.name.encode(), parameters)
    if len(line) > LINE_LIMIT_BYTES:
        raise UsageError(
            f"this is too large for the engine ({len(line) >> 20} MiB, at most {LINE_LIMIT_BYTES >> 20})",
            "Name the folder instead of all that is in it.",
        )
    return line


def answer(id: Id, method: Method, result: Any) -> bytes:
    return _HEAD + b'"id":%s,"result":%s}\n' % (msgspec.json.encode(id), method.result.encode(result))


def refusal(id: Id, fault: Fault) -> bytes:
    return _HEAD + b'"id":%s,"error":%s}\n' % (msgspec.json.encode(id), msgspec.json.encode(fault))


def read(line: bytes) -> Envelope:
    """Return the message of a line.

    Raises:
        CallError: It is not one. It carries the id to answer to where that could still be read.
    """
    try:
        envelope = _ENVELOPE.decode(line)
    except msgspec.ValidationError as error:
        raise CallError(NOT_A_CALL, f"not a JSON-RPC 2.0 message: {error}", _id_of(line)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallError(NOT_JSON, f"not JSON: {error}") from error
    if envelope.jsonrpc != "2.0":
        raise CallError(NOT_A_CALL, 'not a JSON-RPC 2.0 message: "jsonrpc" must be "2.0"', _id_of(line))
    return envelope


def method_of(envelope: Envelope, known: Mapping[str, Method]) -> Method:
    """Return which of the known methods a message calls or announces.

    Raises:
        CallError: It is none, or one there is not.
    """
    id = None if envelope.id is msgspec.UNSET else envelope.id
    if envelope.method is None:
        raise CallError(NOT_A_CALL, 'not a call: it has no "method"', id)
    method = known.get(envelope.method)
    if method is None:
        raise CallError(NO_SUCH_METHOD, f"there is no method {envelope.method!r}", id)
    return method


class _Numbered(msgspec.Struct):
    id: int | str | None = None


def _id_of(line: bytes) -> Id:
    try:
        return msgspec.json.decode(line, type=_Numbered).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
