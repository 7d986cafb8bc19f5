"""Names at a target with rules of its own: agreed upon before a job writes anything, and kept to from then on."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tui import format
from tui.engine.rows import name_of
from tui.engine.run import Stop
from tui.engine.sources import pages
from tui.model.error import CollisionRefused, PlaceError
from tui.model.job import Conflict, JobKind
from tui.model.misfit import Misfits, Names
from tui.places.local.content import Stopped
from tui.places.local.fitting import Fitting, clashing, key_of
from tui.places.local.forecast import Forecast, Found
from tui.places.local.gathered import Gathered, unless
from tui.places.local.name_rules import NameRules, one_for_all, rules_for
from tui.places.local.root import nearest
from tui.places.local.seen import SeenNames

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.engine.board import Record
    from tui.engine.rows import JobRow, Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.local.fitting import Clashes
    from tui.places.local.hops import Brake
    from tui.places.local.new_names import NewNames

LookAhead = Callable[["Run", NameRules, int | None], Awaitable[None]]

SHOWN = 100
"""So many misfits are kept, to be shown."""


def may_change_names(row: JobRow) -> bool:
    """Say whether a job is one that gives its sources other names, where its target's filesystem wants that."""
    if row.target is None or not row.target.is_local:
        return False
    # What a far move has taken away is not there any more to tell what the rest was called.
    return row.kind is JobKind.COPY or (row.kind is JobKind.MOVE and not row.far)


async def agree_on_names(run: Run, look_ahead: LookAhead | None = None) -> None:
    """Find out what the target's filesystem takes; hold the job where some of it does not fit and nobody decided.

    The rules are written down when they are first known: a job that goes on keeps to them, so to its names.

    Args:
        look_ahead: Goes through all the job brings, where that is not on the local disk.
    """
    record, row = run.record, run.record.row
    record.misfits = Misfits()
    if row.target is None or not may_change_names(row):
        return
    asks = record.names is Names.ASK and not record.walk  # what has begun has its names
    rules: NameRules | None
    fits: int | None = None
    if record.name_rules is None or asks:
        try:
            rules, fits = await run.hop(_find_out, row.target, row.tag, record.name_rules, into=row.into)
        except (PlaceError, OSError):
            rules = record.name_rules  # the job will find out what is wrong there, and tell it
        if rules is None or not rules.are_narrow:
            return
        if record.name_rules is None:
            record.name_rules = rules
            await run.journal.update(row.id, {"name_rules": rules.as_text()})
    if asks:
        await (look_ahead or _look_ahead)(run, record.name_rules, fits)
    run.fitting = fitting_of(record)


def fitting_of(record: Record) -> Fitting | None:
    """Return how names of a job are changed, as it was agreed upon; None: not at all."""
    if record.name_rules is None or not record.names.changes:
        return None
    return Fitting(record.name_rules, record.names, record.row.exclude)


def _find_out(
    target: Location, tag: str, known: NameRules | None, *, into: bool
) -> tuple[NameRules, int | None]:
    folder, _ = nearest(target if into else target.parent)
    with folder:
        return known or rules_for(folder.fd, tag), one_for_all(folder.fd)


async def _look_ahead(run: Run, rules: NameRules, fits: int | None) -> None:
    """Go through all the job brings, before anything of it is written."""
    record, found = run.record, begin_looking(run)
    names = Gathered()
    async for page in pages(run):
        names.add(name_of(record.row, source) for source in page)
    forecast = Forecast(names, rules, Names.ASK, run.brake, fits=fits, exclude=record.row.exclude)
    try:
        async for page in pages(run):
            forecast.take([(source.location, name_of(record.row, source)) for source in page])
            while not (forecast.exhausted or run.stopped) and record.names is Names.ASK:
                found.add(await run.hop(forecast.step))
            if record.names is not Names.ASK:
                break
    finally:
        run.release(forecast)
    end_looking(run, found)


def begin_looking(run: Run) -> Found:
    """Tell that a job looks for names that do not fit; return what takes them in."""
    run.record.note = "looks whether all names fit the target"
    run.touch()
    return Found(SHOWN)


def end_looking(run: Run, found: Found) -> None:
    """Hold the job where something does not fit, unless it was decided meanwhile what becomes of it."""
    record = run.record
    record.note = ""
    if found.counts and not run.stopped and record.names is Names.ASK:
        record.misfits = found.sum()
        record.note = f"the target's filesystem does not take {format.misfits(record.misfits)}"
        run.stop(Stop.NAMES)
    run.touch()


class TopNames:
    """Chooses the names that a job's sources get in the target folder: the same in every go at it.

    Sources of one name, from different folders, are left to the conflict rule, as anywhere.
    """

    def __init__(self, row: JobRow, rules: NameRules | None, fitting: Fitting | None) -> None:
        self._row, self._rules, self._fitting = row, rules, fitting
        self._changed: NewNames = dict[bytes, bytes | None]()
        """By the names sources would have: what they are called instead; None: left out."""
        self._met: Clashes = dict[bytes, bytes]()
        """Names that would be one with that of an earlier source."""
        self._numbered: dict[str | bytes, bytes] = {}
        """What was kept beside something else, by what all have in common that are one with its new name."""
        self._wanted: SeenNames | None = None
        """What the names of sources have in common with others; None: they are few, and not worth knowing it."""

    async def settle(self, run: Run) -> None:
        """Look at all sources, before the first is handled."""
        if self._rules is None:
            return
        own, numbered = Gathered(), False
        async for page in pages(run):
            own.add(self._own(source) for source in page)
            numbered = numbered or any(source.target is not None for source in page)
        with suppress(Stopped):
            await run.hop(self._settle, own, run.brake)
        if numbered:
            async for page in pages(run):
                self._note(source for source in page if source.target is not None)

    def _settle(self, own: Gathered, brake: Brake) -> None:
        assert self._rules is not None
        if self._fitting is not None:
            self._changed = self._fitting.changed(own, brake=brake)
        else:
            self._met = clashing(self._rules, own, brake, as_they_came=True)
        if not own.are_few:
            self._wanted = SeenNames()
            for name in unless(brake, own):
                self._wanted.meet(key_of(self._rules, self._changed.get(name, name) or name))

    def _own(self, source: Source) -> bytes:
        """Return the name a source would have, were the target an ordinary filesystem and empty."""
        return name_of(self._row, replace(source, target=None))

    def _note(self, sources: Iterable[Source]) -> None:
        """Remember what was kept beside something else, where a source to come may want its name."""
        assert self._rules is not None
        for source in sources:
            assert source.target is not None
            own, given = self._own(source), os.fsencode(source.target.name)
            if given == self._changed.get(own, own):
                continue
            key = key_of(self._rules, given)
            if self._wanted is None or self._wanted.knows(key):
                self._numbered[key] = own

    def choose(self, source: Source, rule: Conflict) -> bytes | None:
        """Return the name of a source at the target; None where it is left out.

        Args:
            rule: The conflict rule that holds for it.
        Raises:
            CollisionRefused: It would replace another source, by a name that is one with its own there.
        """
        if self._rules is None:
            return name_of(self._row, source)
        if source.target is not None:
            self._note((source,))
            return name_of(self._row, source)
        own = self._own(source)
        name = self._changed.get(own, own)
        if name is not None and rule in (Conflict.OVERWRITE, Conflict.NEWER) and self.has_met(source):
            raise self.refusal(source)
        return name

    def has_met(self, source: Source) -> bool:
        """Say whether a source's name is one at the target with that of another, which has it."""
        return self._other(source) is not None

    def _other(self, source: Source) -> bytes | None:
        if self._rules is None or source.target is not None:
            return None
        own = self._own(source)
        name = self._changed.get(own, own)
        kept = self._numbered.get(key_of(self._rules, name)) if name is not None else None
        return kept if kept not in (None, own) else self._met.get(own)

    def refusal(self, source: Source) -> CollisionRefused:
        """Return the error of a source that would replace another, or be merged with it."""
        where = (
            self._row.target.child(os.fsdecode(self._own(source))) if self._row.target else source.location
        )
        there = os.fsdecode(self._other(source) or b"another source")
        remedy = "Rename one of them, or copy it with --names lookalike."
        return CollisionRefused(
            f"cannot write {where}: it would be the same there as {there}", remedy, location=where
        )
