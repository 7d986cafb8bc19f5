"""Names at a target with rules of its own: agreed upon before a job writes anything, and kept to from then on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui import format
from tui.engine.rows import name_of
from tui.engine.run import Stop
from tui.model.error import CollisionRefused, PlaceError
from tui.model.job import Conflict, JobKind
from tui.model.misfit import Misfits, Names
from tui.places.local.fitting import Fitting, key_of
from tui.places.local.forecast import Forecast, Found
from tui.places.local.name_rules import ORDINARY, NameRules, one_for_all, rules_for
from tui.places.local.root import nearest

if TYPE_CHECKING:
    from tui.engine.rows import JobRow, Source
    from tui.engine.run import Run
    from tui.model.location import Location

SHOWN = 100
"""So many misfits are kept, to be shown."""


async def agree_on_names(run: Run) -> None:
    """Find out what the target's filesystem takes; hold the job where some of it does not fit and nobody decided.

    The rules are written down when they are first known: a job that goes on keeps to them, so to its names.
    """
    record, row = run.record, run.record.row
    record.misfits = Misfits()
    if row.kind not in (JobKind.COPY, JobKind.MOVE) or row.target is None:
        return
    fits: int | None = None
    if record.name_rules is None:
        try:
            rules, fits = await run.hop(_find_out, row.target, row.tag, into=row.into)
        except (PlaceError, OSError):
            return  # the job will find out what is wrong there, and tell it
        if not rules.are_narrow:
            return
        record.name_rules = rules
        await run.journal.update(row.id, {"name_rules": rules.as_text()})
    if record.names is Names.ASK and not (record.failed_only or record.walked):
        await _look_ahead(run, record.name_rules, fits)
    if record.names.changes:
        run.fitting = Fitting(record.name_rules, record.names)


def _find_out(target: Location, tag: str, *, into: bool) -> tuple[NameRules, int | None]:
    folder, _ = nearest(target if into else target.parent)
    with folder:
        return rules_for(folder.fd, tag), one_for_all(folder.fd)


async def _look_ahead(run: Run, rules: NameRules, fits: int | None) -> None:
    """Go through all the job brings, before anything of it is written."""
    record = run.record
    sources = await run.journal.sources(record.id, 0, record.row.source_count)
    forecast = Forecast(
        [(source.location, name_of(record.row, source)) for source in sources],
        rules,
        Names.ASK,
        run.brake,
        fits=fits,
    )
    found = Found(SHOWN)
    record.note = "looks whether all names fit the target"
    run.touch()
    try:
        while not (forecast.exhausted or run.stopped):
            found.add(await run.hop(forecast.step))
    finally:
        run.release(forecast)
    record.note = ""
    if found.counts and not run.stopped:
        record.misfits = found.sum()
        record.note = f"the target's filesystem does not take {format.misfits(record.misfits)}"
        run.stop(Stop.NAMES)
    run.touch()


class TopNames:
    """Chooses the names that a job's sources get in the target folder, in their order.

    Sources of one name, from different folders, are left to the conflict rule, as anywhere.
    """

    def __init__(self, row: JobRow, rules: NameRules | None, fitting: Fitting | None) -> None:
        self._row, self._rules, self._fitting = row, rules or ORDINARY, fitting
        self._taken: dict[str | bytes, bytes] = {}
        self._numbered: dict[int, bytes] = {}

    def choose(self, source: Source, rule: Conflict) -> bytes | None:
        """Return the name of a source at the target; None where it is left out.

        Args:
            rule: The conflict rule that holds for it. Where names are not to be changed, it asks, numbers or refuses.
        Raises:
            CollisionRefused: It would replace another source, by a name that is one with its own there.
        """
        name = name_of(self._row, source)
        if source.target is not None or source.idx in self._numbered:
            name = self._numbered.get(source.idx, name)
            self._taken.setdefault(key_of(self._rules, name), name)
            return name
        fit = self._fitting.fit(name) if self._fitting else name
        key = key_of(self._rules, fit)
        if self._taken.setdefault(key, fit) == fit:
            return None if self._leaves_out(fit, name) else fit
        if self._fitting is None and rule not in (Conflict.OVERWRITE, Conflict.NEWER):
            return fit
        if self._fitting is None:
            where = self._row.target.child(os.fsdecode(name)) if self._row.target else source.location
            there = os.fsdecode(self._taken[key])
            raise CollisionRefused(
                f"cannot write {where}: it would be the same there as {there}",
                "Rename one of them, or copy it with --names lookalike.",
                location=where,
            )
        if self._fitting.way is Names.SKIP:
            return None
        taken = set(self._taken)
        fit = self._fitting.free(fit, taken)
        self._taken[key_of(self._rules, fit)] = self._numbered[source.idx] = fit
        return fit

    def _leaves_out(self, fit: bytes, name: bytes) -> bool:
        return fit != name and self._fitting is not None and self._fitting.way is Names.SKIP
