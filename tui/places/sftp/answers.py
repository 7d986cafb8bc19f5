"""What a server's answers mean: each is what was asked for, a refusal, or the end of the connection."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeVar

from tui.places.sftp.errors import Lost, Refused
from tui.places.sftp.protocol import Attrs, Code, Kind, Named, read_attributes, read_names, read_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.places.sftp.channel import Data

T = TypeVar("T")

_OK = bytes(4)
NO = (Code.OP_UNSUPPORTED, Code.FAILURE, Code.PERMISSION_DENIED, Code.BAD_MESSAGE)
"""What servers say to what they do not do, whatever it is done to."""


def taken(answer: tuple[int, Data], wanted: Kind) -> bytes:
    """Return the body of an answer of the wanted kind; raise for any other."""
    kind, body = answer
    if kind == wanted and kind != Kind.STATUS:
        return bytes(body)
    if kind == Kind.STATUS:
        if wanted == Kind.STATUS and body[:4] == _OK:  # nearly all; what it says besides is not read
            return b""
        code, words = decoded(read_status, bytes(body))
        raise Refused(code, words)
    if kind == Kind.LOST:
        raise Lost(bytes(body).decode(errors="replace"))
    raise Lost("it does not speak SFTP as it should")


def decoded(read: Callable[[bytes], T], body: bytes) -> T:
    try:
        return read(body)
    except (struct.error, ValueError) as error:
        raise Lost("it does not speak SFTP as it should") from error


def refusal(answer: tuple[int, Data]) -> int | None:
    """Return the code with which something was refused; None if it was not."""
    try:
        taken(answer, Kind.STATUS)
    except Refused as refused:
        return refused.code
    return None


def is_ok(answer: tuple[int, Data]) -> bool:
    """Say whether what was asked for has been done; raise only where nobody knows."""
    return refusal(answer) is None


def is_told_of_open(answer: tuple[int, Data]) -> bool:
    """Say whether a server tells of an open file what it tells of its name; it may refuse, or tell its size only."""
    try:
        return bool(attrs_of(answer).mode)
    except Refused as refused:
        if refused.code not in NO:
            raise
        return False


def attrs_of_open(answer: tuple[int, Data], named: Attrs) -> Attrs:
    """Return what a server tells of an open file: what its name showed, as far as it tells nothing."""
    if is_told_of_open(answer):
        return attrs_of(answer)
    return named._replace(size_bytes=attrs_of(answer).size_bytes) if answer[0] == Kind.ATTRS else named


def attrs_of(answer: tuple[int, Data]) -> Attrs:
    return decoded(read_attributes, taken(answer, Kind.ATTRS))[0]


def data_of(answer: tuple[int, Data]) -> Data:
    """Return the bytes a read brought; none at the end of the file."""
    kind, body = answer
    if kind == Kind.DATA:
        if len(body) < 4 or len(body) < (end := 4 + int.from_bytes(body[:4], "big")):
            raise Lost("it does not speak SFTP as it should")
        return body[4:end]
    try:
        taken(answer, Kind.DATA)
    except Refused as refused:
        if refused.code != Code.EOF:
            raise
    return b""


def names_of(answer: tuple[int, Data]) -> list[Named]:
    """Return a page of a folder; an empty one at its end."""
    try:
        return decoded(read_names, taken(answer, Kind.NAME))
    except Refused as refused:
        if refused.code != Code.EOF:
            raise
    return []
