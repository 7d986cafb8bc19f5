"""What a job's line says while it waits for a host."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui.engine.run import Run
    from tui.model.location import Location


@contextmanager
def noting(run: Run) -> Iterator[Callable[[str], None]]:
    """Give what puts a note on a job; after the block it has the one of before again, unless others put theirs."""
    before = mine = run.record.note

    def note(text: str) -> None:
        nonlocal mine
        run.record.note = mine = text
        run.touch()

    try:
        yield note
    finally:
        if run.record.note == mine:
            note(before)


def host_of(location: Location) -> str:
    """Return what people call the host or store of a location."""
    return location.authority.rpartition("@")[2] or location.scheme
