"""Going through all sources of a job, from the first to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.job import JobKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.engine.rows import Source
    from tui.engine.run import Run

PAGE = 512
"""Rows read from the journal at a time."""


async def begin(run: Run, *, removes: bool = False) -> None:
    """Start a walk through everything, which finds again what was done before, unless it `removes` what is done."""
    record = run.record
    record.walk += 1
    await run.journal.begin_walk(record.id, record.walk)
    record.errors = await run.journal.forget_errors(record.id)
    record.tally.begin(removes=removes or record.row.kind in (JobKind.DELETE, JobKind.TRASH))


async def pages(run: Run, start: int = 0) -> AsyncIterator[list[Source]]:
    """Yield the sources from number `start` on, page by page, until there are no more or the run is stopped."""
    while not run.stopped and (page := await run.journal.sources(run.record.id, start, PAGE)):
        yield page
        start = page[-1].idx + 1


def end(run: Run) -> None:
    """Note that everything was looked at, unless the run was stopped before."""
    if not run.stopped:
        run.record.walked = True
        run.record.tally.end()
