"""Opening the journal: its jobs as they stand in memory, and what was wrong with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tui import format
from tui.engine.board import Record
from tui.engine.doubt import BOOT_NOTE
from tui.model.error import FerryError, JournalDamaged
from tui.places.local.boot import boot_id

if TYPE_CHECKING:
    from tui.engine.clock import Clock
    from tui.engine.journal import Journal

logger = logging.getLogger(__name__)

PAGE = 1000


async def open_journal(journal: Journal, clock: Clock) -> tuple[list[Record], str]:
    """Open the journal; return its jobs, and in a sentence what was wrong with it, or "".

    A damaged one is set aside, and the jobs that can be read are saved. Damage to a letter or a number is not seen
    everywhere, so those that had not ended are paused: somebody has to look at them first.

    Raises:
        EngineError: It cannot be used.
    """
    note = await journal.open()
    if not note:
        try:
            return await _records(journal, clock), ""
        except JournalDamaged as error:
            note = await journal.begin_anew(str(error.__cause__))
    lost = [id for id in await journal.numbers() if not await _is_sound(journal, id, clock)]
    await journal.forget(lost)
    records = await _records(journal, clock)
    saved = format.entries(len(records), "job was saved", "jobs were saved")
    note = f"{note}; {saved}, what had not ended is paused"
    logger.error("%s", note)
    return records, note


async def _records(journal: Journal, clock: Clock) -> list[Record]:
    for draft in await journal.drafts():  # whoever began it has not come to its end
        await journal.forget_draft(draft)
    await journal.note_boot(boot_id(), BOOT_NOTE)
    rows = await journal.jobs()
    try:
        return [Record(row, clock) for row in rows]
    except (ValueError, LookupError, TypeError, AttributeError, FerryError) as error:
        raise JournalDamaged(f"a job cannot be understood: {error}") from error


async def _is_sound(journal: Journal, id: int, clock: Clock) -> bool:
    """Say whether all that is kept of a job can be understood."""
    try:
        (row,) = await journal.jobs(id)
        Record(row, clock)
        for start in range(0, row.source_count, PAGE):
            await journal.sources(id, start, PAGE)
            await journal.traces(id, start, PAGE)
        await journal.request(id)
        await journal.error_rows(id, await journal.last_error(id), -1)
        await journal.questions(id, -1)
        await journal.decisions(id)
        await journal.links(id)
    except (ValueError, LookupError, TypeError, AttributeError, FerryError) as error:
        logger.warning("job %d cannot be saved: %s", id, error)
        return False
    return True
