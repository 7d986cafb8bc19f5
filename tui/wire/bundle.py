"""Many sources in one folder, as they travel: the folder once, and the names as bytes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.model.siblings import Siblings
from tui.wire.faults import WRONG_PARAMETERS, CallError

if TYPE_CHECKING:
    from tui.model.job import Request

_CUT = 1 << 18
"""About so much is split at a time: the interpreter lets no other thread run meanwhile."""
BULKY_SOURCES = 1000
"""More sources than these are bundled, if they are in one folder."""


def bundle(request: Request) -> tuple[Request, bytes]:
    """Return a request with the first of its sources alone, and the names of all with NUL between them.

    One whose sources are few, or in several folders, stays as it is, without names. (Long for many: for a thread.)
    """
    sources = request.sources
    if len(sources) <= BULKY_SOURCES:
        return replace(request, sources=tuple(sources)), b""
    if isinstance(sources, Siblings):
        names = b"\0".join(map(os.fsencode, sources.names))
    else:
        start = sources[0].path.rpartition("/")[0] + "/"
        if any(
            each.path.rpartition("/")[0] + "/" != start or each.parent != sources[0].parent
            for each in sources
        ):
            return replace(request, sources=tuple(sources)), b""
        names = b"\0".join(os.fsencode(each.name) for each in sources)
    return replace(request, sources=(sources[0],)), names


def unbundle(request: Request, names: bytes) -> Request:
    """Return the request that was bundled.

    Raises:
        CallError: Something in it is no name.
    """
    if not names:
        return request
    found = _names_in(os.fsdecode(names))
    if b"/" in names or len(request.sources) != 1 or any(name in ("", ".", "..") for name in found):
        raise CallError(
            WRONG_PARAMETERS, "submit: the names of the sources are not plain names of one folder"
        )
    return replace(request, sources=Siblings(request.sources[0].parent, found))


def _names_in(text: str) -> list[str]:
    found: list[str] = []
    start = 0
    while (end := text.find("\0", start + _CUT)) >= 0:
        found += text[start:end].split("\0")
        start = end + 1
    return found + text[start:].split("\0")
