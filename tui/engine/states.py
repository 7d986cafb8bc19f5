"""Changes of a job's state: in memory at once, then in the journal, which may be full for a while."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tui.model.error import FerryError
from tui.model.job import TRANSITIONS, JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.asking import Asking
    from tui.engine.board import Board, Record
    from tui.engine.clock import Clock
    from tui.engine.journal import Journal

logger = logging.getLogger(__name__)

UNWRITTEN = "the journal cannot be written: this is forgotten where the engine ends before it can be"


class States:
    """Brings jobs from one state into another.

    What they have come to holds also where it cannot be written down: then they say so, and it is written as soon as it
    can be.
    """

    def __init__(self, journal: Journal, board: Board, clock: Clock, asking: Asking) -> None:
        self._journal, self._board, self._clock, self._asking = journal, board, clock, asking
        self._owed: dict[int, Record] = {}
        """Jobs of which the journal does not tell what it should."""

    async def take_up(self, records: Sequence[Record]) -> None:
        """Queue what was under way when an engine ended.

        Raises:
            EngineError: It cannot be written down: better not to begin.
        """
        for record in records:
            self._enter(record, JobState.QUEUED)
        await self._journal.update_all([(r.id, _columns(r)) for r in records])

    async def set(self, record: Record, state: JobState) -> None:
        """Bring a job into another state."""
        self._enter(record, state)
        await self._write([record])

    async def decree(self, records: Sequence[Record], state: JobState) -> None:
        """Bring jobs where a person wants them, all at once, and have it on the disk."""
        for record in records:
            self._enter(record, state)
        await self._write(records, durable=True)

    async def _write(self, records: Sequence[Record], *, durable: bool = False) -> None:
        try:
            await self._journal.update_all([(r.id, _columns(r)) for r in records], durable=durable)
        except FerryError as error:
            for record in records:
                logger.warning("job %d is %s, which is not written down: %s", record.id, record.state, error)
                self.owe(record)
        else:
            for record in records:
                self._owed.pop(record.id, None)

    def owe(self, record: Record) -> None:
        """Note that the journal does not tell of a job what it should, and have the job say so."""
        self._owed[record.id] = record
        record.note = record.note or UNWRITTEN
        self._board.touch(record)

    async def pay_debts(self) -> None:
        """Write down what could not be, if that is possible by now."""
        owed = [record for record in self._owed.values() if self._board.get(record.id) is record]
        if not owed:
            return
        noted = [record for record in owed if record.note == UNWRITTEN]
        for record in noted:
            record.note = ""
        try:
            await self._journal.update_all([(r.id, _columns(r)) for r in owed], durable=True)
            for record in owed:
                if record.state is JobState.CANCELLED:
                    await self._journal.forget_questions(record.id)
                self._owed.pop(record.id, None)
        except FerryError:
            for record in noted:
                record.note = record.note or UNWRITTEN
            return
        logger.info("what could not be written down of %d jobs is in the journal now", len(owed))
        for record in noted:
            self._board.touch(record)

    def _enter(self, record: Record, state: JobState) -> None:
        assert state in TRANSITIONS[record.state], f"{record} cannot become {state}"
        now = self._clock.now()
        was, record.state = record.state, state
        if state is JobState.RUNNING:
            record.started_at = record.started_at or now
        record.ended_at = now if state.is_final else None
        if state in (JobState.PAUSED, JobState.CANCELLED):
            self._asking.forget(record)
        if state is not JobState.WAITING:
            record.wants_host = False
        if state in (JobState.DONE, JobState.FAILED):
            record.stage_for = None
        if state in (JobState.RUNNING, JobState.DONE, JobState.FAILED) or was in _EXPLAINED:
            record.note = ""
        if state is JobState.RUNNING:
            record.fault = ""
        elif state is JobState.FAILED:
            record.note = record.fault
        if state is not JobState.RUNNING:
            logger.info("job %d: %s", record.id, f"{state}, {record.note!a}" if record.note else state)
        self._board.turn(record)


def _columns(record: Record) -> dict[str, object]:
    """Return all that a change of state may have changed."""
    return {
        "state": record.state,
        "note": record.note,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "cleanup": record.cleanup,
        "failed_only": record.failed_only,
        **record.columns(),
    }


_EXPLAINED = (JobState.PAUSED, JobState.QUEUED)
"""States whose notes say why a job does not go on: of another state that is not true."""
