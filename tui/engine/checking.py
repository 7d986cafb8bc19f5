"""A verify job: compares what sources hold with what stands at their targets; every difference is an error row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.rows import ErrorRow
from tui.engine.run import Sums
from tui.model.error import NotFound, PlaceError, VerificationFailed
from tui.model.job import Conflict
from tui.places.local.checking import Checked, TreeCheck, Verdict
from tui.places.local.content import Stopped

if TYPE_CHECKING:
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.local.checking import Finding

PAGE = 512
REMEDY = "Copy it again if the source is right; else look at both."


class Checking:
    """Reads everything from the disks, from the start: what was read before a pause or a crash proves nothing now.

    What is extra at the target is no error: others may put things there.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.row = run.record.row

    async def execute(self) -> None:
        """Compare all there is, or until the run is stopped."""
        run, record = self.run, self.run.record
        record.walk += 1
        await run.journal.begin_walk(self.row.id, record.walk)
        record.errors = await run.journal.drop_errors(self.row.id)
        record.tally.begin()
        start = 0
        while not run.stopped and (page := await run.journal.sources(self.row.id, start, PAGE)):
            for source in page:
                if not run.stopped:
                    await self._source(source)
            start = page[-1].idx + 1
        if not run.stopped:
            record.walked = True
            record.tally.end()

    async def _source(self, source: Source) -> None:
        run = self.run
        assert source.target is not None
        kept_both = run.record.conflict is Conflict.RENAME
        check = TreeCheck(source.location, source.target, run.brake, kept_both=kept_both)
        try:
            while not (run.stopped or check.exhausted):
                part = await run.hop(check.step)
                await self._take(source, part)
                await run.pay(part.size_bytes)
        except Stopped:
            pass
        except PlaceError as error:
            await run.write_errors([self._row(source, error, error.location or source.location)])
        finally:
            run.release(check)

    async def _take(self, source: Source, part: Checked) -> None:
        differ = sum(found.verdict is Verdict.DIFFERS for found in part.findings)
        sums = Sums(
            part.files, part.size_bytes, verified_files=part.files - differ, verified_bytes=part.size_bytes
        )
        self.run.count(sums, part.current)
        rows = [
            self._row(source, _error(found), found.target)
            for found in part.findings
            if found.verdict is not Verdict.EXTRA
        ]
        rows += [self._row(source, error, error.location or source.location) for error in part.failures]
        if rows:
            await self.run.write_errors(rows)

    def _row(self, source: Source, error: PlaceError, location: Location) -> ErrorRow:
        at = self.run.clock.now()
        return ErrorRow(source.idx, b"", b"", False, location, error.code, error.message, error.remedy, at)


def _error(found: Finding) -> PlaceError:
    if found.verdict is Verdict.MISSING:
        return NotFound(f"{found.target} is missing: it should be a copy of {found.source}", REMEDY)
    why = {"link": "where it points", "device": "number"}.get(found.why, found.why)
    return VerificationFailed(f"{found.target} differs from {found.source} in {why}", REMEDY)
