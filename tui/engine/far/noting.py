"""What a job says, and what it lets go of, while it waits for a host."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tui.engine import lanes

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


@contextmanager
def away(run: Run, location: Location) -> Iterator[None]:
    """Let other jobs have the disks of one that waits for a host: that may take days, and none of them is used."""
    run.record.absent = lanes.host_of(location)
    run.shared.kick()
    try:
        yield
    finally:
        run.record.absent = None


def host_of(location: Location) -> str:
    """Return what people call the host or store of a location."""
    return location.authority.rpartition("@")[2] or location.scheme
