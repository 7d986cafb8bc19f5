"""Comparing a copy that has ended with its sources once more: what a job is asked that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.planner import refuse
from tui.model.job import Conflict, JobKind, Request
from tui.model.parts import PART

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.engine.board import Record
    from tui.engine.journal import Journal
    from tui.engine.rows import JobRow, Source
    from tui.model.location import Location
    from tui.model.parts import Part


async def request_for(journal: Journal, record: Record) -> Request:
    """Return the request that verifies a job, with its first part of sources.

    Raises:
        NotPossible: It is no copy, has not ended, or may have put things under names nobody knows any more.
    """
    row, what = record.row, f"verify job {record.id}"
    if row.kind is not JobKind.COPY:
        raise refuse(what, f"only copies can be verified again, and this is a {row.kind}")
    if not record.state.is_final:
        raise refuse(what, f"it is {record.state}; wait for its end")
    if record.names.changes and record.name_rules is not None:
        raise refuse(what, "names may have been changed for its target, and would be missed there")
    sources, targets = _part(row, await journal.sources(record.id, 0, PART))
    return Request(
        kind=JobKind.VERIFY,
        sources=sources,
        targets=targets,
        target=row.target,
        into=row.into,
        conflict=Conflict.RENAME if await _kept_both(journal, record) else Conflict.ASK,
        priority=record.priority,
        exclude=row.exclude,
    )


async def further_parts_for(journal: Journal, record: Record) -> AsyncIterator[Part]:
    """Yield the sources, with their targets, that such a request is still to get."""
    for start in range(PART, record.row.source_count, PART):
        yield _part(record.row, await journal.sources(record.id, start, PART))


def _part(row: JobRow, sources: Sequence[Source]) -> Part:
    return (
        tuple(source.location for source in sources),
        tuple(source.target or _final(row, source.location) for source in sources),
    )


async def _kept_both(journal: Journal, record: Record) -> bool:
    """Say whether a job may have put something under another name than it has in the source."""
    decisions = await journal.decisions(record.id)
    return record.conflict is Conflict.RENAME or any(each.rule is Conflict.RENAME for each in decisions)


def _final(row: JobRow, source: Location) -> Location:
    """Return where a copy put a source that got no other name."""
    assert row.target is not None
    return row.target.child(source.name) if row.into else row.target
