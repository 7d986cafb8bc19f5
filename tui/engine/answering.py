"""What users decide about the names and conflicts of a job, and the jobs that waited for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.job import Conflict, JobState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from tui.engine.board import Board, Record
    from tui.engine.journal import Journal
    from tui.engine.run import Run
    from tui.model.misfit import Names


class Answering:
    """Takes rules and answers.

    Args:
        runs: The runs of jobs that run, by number; kept by others.
        go_on: Has a job that waits take its turn again.
    """

    def __init__(
        self,
        journal: Journal,
        board: Board,
        runs: Mapping[int, Run],
        go_on: Callable[[Record], Awaitable[None]],
    ) -> None:
        self._journal, self._board, self._runs, self._go_on = journal, board, runs, go_on

    async def set_rule(self, record: Record, rule: Conflict) -> None:
        """Give a job another conflict rule, by which its open questions are answered too."""
        await self._journal.update(record.id, {"conflict": rule})
        record.conflict = rule
        if rule is not Conflict.ASK and not record.state.is_final:
            await self.decide(record, rule)
        self._board.touch(record)

    async def decide(self, record: Record, rule: Conflict, question: int | None = None) -> None:
        """Answer one question of a job, or all, and have the answer carried out."""
        ahead = await self._journal.decide(record.id, rule, record.walk, question)
        if run := self._runs.get(record.id):
            run.answers.learn(ahead)
        record.questions = await self._journal.open_questions(record.id)
        self._board.touch(record)
        await self._go_on(record)

    def has_names(self, record: Record) -> bool:
        """Say whether a job has begun with the names its sources get."""
        run = self._runs.get(record.id)
        return bool(record.walk) or (run is not None and run.has_names and not run.stopped)

    async def set_names(self, records: Sequence[Record], names: Names) -> None:
        """Say what jobs do with names that do not fit; those that wait for it go on."""
        for record in records:
            record.names = names  # before anything is waited for: one of them may be about to begin
            self._board.touch(record)
        for record in records:
            await self._journal.update(record.id, {"names": names}, durable=True)
            if record.state is JobState.WAITING and record.misfits.total:
                await self._go_on(record)
