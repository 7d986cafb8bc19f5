"""A request about very many sources, cut into parts: one goes into one message, and into one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.model.job import Request
    from tui.model.location import Location

    Part = tuple[tuple[Location, ...], tuple[Location, ...]]
    """Some sources, and the target of each where they have targets of their own."""

PART = 1000
"""So many sources are a part: they travel and are written within a few milliseconds."""


def is_long(request: Request) -> bool:
    """Say whether a request has more sources than one part takes."""
    return len(request.sources) > PART


def first_part(request: Request) -> Request:
    """Return a request with as many of its sources as one part takes."""
    return replace(request, sources=tuple(request.sources[:PART]), targets=request.targets[:PART])


def further_parts(request: Request) -> Iterator[Part]:
    """Yield the sources that the first part leaves, in order."""
    for start in range(PART, len(request.sources), PART):
        end = start + PART
        yield tuple(request.sources[start:end]), request.targets[start:end]
