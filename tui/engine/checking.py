"""A verify job: compares what sources hold with what stands at their targets; every difference is an error row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.rows import ErrorRow
from tui.engine.run import Sums
from tui.engine.sources import begin, end, pages
from tui.model.error import NotFound, PlaceError, VerificationFailed
from tui.model.job import Conflict
from tui.places.local.checking import Checked, TreeCheck, Verdict
from tui.places.local.checkpoint import START, Checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.local.checking import Finding

REMEDY = "Copy it again if the source is right; else look at both."


class Checking:
    """Reads everything from the disks, once: after a pause or a crash it goes on where it was.

    What is extra at the target is no error: others may put things there.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.row = run.record.row

    async def execute(self) -> None:
        """Compare all there is, or until the run is stopped."""
        run, record = self.run, self.run.record
        first, at = _place(record.checkpoint)
        if not record.checkpoint:
            await run.journal.drop_errors(self.row.id)
            await begin(run)
        else:  # an earlier go may have ended with an error that is no difference
            record.errors = await run.journal.drop_errors(self.row.id, whole=True)
        async for page in pages(run, first):
            for source in page:
                if not run.stopped:
                    await self._source(source, at if source.idx == first else START)
        if not run.stopped:
            record.checkpoint = ""
        end(run)

    async def _source(self, source: Source, at: Checkpoint) -> None:
        run = self.run
        assert source.target is not None
        kept_both = run.record.conflict is Conflict.RENAME
        check = TreeCheck(
            source.location,
            source.target,
            run.brake,
            kept_both=kept_both,
            begin=at,
            exclude=run.record.row.exclude,
        )
        try:
            while not (run.stopped or check.exhausted):
                part = await run.hop(check.step)
                place = (source.idx + 1, START) if check.exhausted else (source.idx, check.checkpoint)
                await self._take(source, part, _text(*place))
                await run.pay(part.size_bytes)
        except PlaceError as error:
            run.record.checkpoint = _text(source.idx + 1, START)
            await self._write([self._row(source, error, error.location or source.location)])
        finally:
            run.release(check)

    async def _take(self, source: Source, part: Checked, checkpoint: str) -> None:
        differ = sum(found.verdict is Verdict.DIFFERS for found in part.findings)
        sums = Sums(
            part.files, part.size_bytes, verified_files=part.files - differ, verified_bytes=part.size_bytes
        )
        rows = [
            self._row(source, _error(found), found.target)
            for found in part.findings
            if found.verdict is not Verdict.EXTRA
        ]
        rows += [self._row(source, error, error.location or source.location) for error in part.failures]
        self.run.count(sums, part.current)
        self.run.record.checkpoint = checkpoint
        if rows:
            await self._write(rows)

    async def _write(self, rows: Sequence[ErrorRow]) -> None:
        """Write errors down together with how far the check is: none is told twice, and none is lost.

        (Nothing may be waited for between the change of the checkpoint and this.)
        """
        await self.run.write_errors(rows, self.run.record.columns())

    @staticmethod
    def text(number: int, at: Checkpoint = START) -> str:
        """Return as text where a check is: in which source, and where in it."""
        return _text(number, at)

    def _row(self, source: Source, error: PlaceError, location: Location) -> ErrorRow:
        at = self.run.clock.now()
        return ErrorRow(source.idx, b"", b"", False, location, error.code, error.message, error.remedy, at)


def _place(text: str) -> tuple[int, Checkpoint]:
    """Return the number of the source that is to be gone on with, and where in it."""
    if not text:
        return 0, START
    number, _, at = text.partition(" ")
    return int(number), Checkpoint.from_text(at)


def _text(number: int, at: Checkpoint) -> str:
    return f"{number} {at.text}"


def _error(found: Finding) -> PlaceError:
    if found.verdict is Verdict.MISSING:
        return NotFound(f"{found.target} is missing: it should be a copy of {found.source}", REMEDY)
    why = {"link": "where it points", "device": "number"}.get(found.why, found.why)
    return VerificationFailed(f"{found.target} differs from {found.source} in {why}", REMEDY)
