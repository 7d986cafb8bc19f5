"""Losses of a connection in a row: where nothing is done in between, something is at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.error import EndsConnection

if TYPE_CHECKING:
    from tui.engine.run import Run
    from tui.model.error import PlaceError

ALONE_AFTER = 2
"""What was under way at so many losses is tried without the rest: only then can it be told what is at fault."""

MOST_LOSSES = 8
"""What ends the connection so often in a row, with nothing done in between, is given up."""


class Streak:
    """Counts losses in a row with nothing done in between.

    What is done shows in what a job tells of itself: entries, bytes, errors, and the steps only `Run.advanced` counts.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._mark: tuple[int, ...] = ()
        self._count = 0

    def add(self) -> int:
        """Note a loss; return the how manieth it is in a row."""
        record, tally = self._run.record, self._run.record.tally
        mark = (
            tally.files_done,
            tally.bytes_done,
            tally.files_removed,
            record.errors,
            self._run.advanced,
        )
        if mark != self._mark:
            self._mark, self._count = mark, 0
        self._count += 1
        return self._count


def given_up(error: PlaceError) -> EndsConnection:
    """Return what is told of an entry at which the connection ends whenever it is touched."""
    return EndsConnection(f"{error.message} ({MOST_LOSSES} times in a row)", location=error.location)
