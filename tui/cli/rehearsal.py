"""`--dry-run`: what would be done, in numbers, with nothing touched."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from tui import format
from tui.cli import events
from tui.cli.diagnostics import Status
from tui.cli.operands import Plan
from tui.cli.sync import clash_text
from tui.cli.taken import Taken, find
from tui.model.entry import Totals
from tui.model.error import PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.job import Conflict, JobKind, Request
from tui.model.misfit import Misfits, Names, Unfit
from tui.places.local.forecast import Forecast, Found
from tui.places.local.gathered import Gathered
from tui.places.local.hops import Brake
from tui.places.local.name_rules import one_for_all, rules_for
from tui.places.local.root import nearest
from tui.places.local.scan import Scan
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.cli.session import Session
    from tui.cli.taken import Tell
    from tui.model.location import Location
    from tui.model.misfit import Misfit

SHOWN_NAMES = 10

_VERBS = {
    JobKind.COPY: "copy",
    JobKind.MOVE: "move",
    JobKind.DELETE: "delete",
    JobKind.TRASH: "move to the trash",
}
_WOULD_BE = {
    Conflict.ASK: "would be asked about",
    Conflict.SKIP: "would be skipped",
    Conflict.OVERWRITE: "would be overwritten",
    Conflict.NEWER: "would be overwritten where the source is newer",
    Conflict.RENAME: "would be kept, the new one under another name",
    Conflict.FAIL: "would be refused",
}


_NAMES_WOULD_BE = {
    Names.ASK: "would be asked about",
    Names.LOOKALIKE: "would be changed",
    Names.UNDERSCORE: "would be changed",
    Names.SKIP: "would be left out",
    Names.KEEP: "would be refused",
}


class Foreseen(Struct):
    """What a request would do.

    Attributes:
        totals: All that the sources hold.
        taken: What stands at the target under their names.
        misfits: What the target's filesystem does not take.
    """

    plan: Plan
    request: Request
    totals: Totals
    taken: Taken
    misfits: Misfits = field(default_factory=Misfits)

    @property
    def status(self) -> Status:
        """The exit status the request would end with, as far as can be told."""
        taken, conflict = self.taken, self.request.conflict
        never = taken.never_replaced(conflict)
        if conflict is Conflict.FAIL and taken.different > never:
            return Status.CONFLICT
        unseen = taken.failed or self.totals.unreadable or self.totals.untold
        return Status.ERRORS if never or unseen or self.plan.refused else Status.DONE


def rehearse(session: Session, plan: Plan, request: Request, *, json: bool) -> int:
    """Print what a request would do and return the exit status it would end with, as far as can be told."""
    totals, taken = measure(plan.sources, exclude=request.exclude), Taken(teller(session, json=json))
    find(plan, request, taken)
    found = Found(SHOWN_NAMES)
    for misfits in _misfits(plan, request.names, request.exclude):
        found.add(misfits)
        if json:
            for misfit in misfits:
                session.out.json(events.misfit(misfit))
    return told(session, Foreseen(plan, request, totals, taken, found.sum()), json=json)


def teller(session: Session, *, json: bool) -> Tell | None:
    """Return what tells a program of each name that is taken; people are told of the first in the end."""
    if not json:
        return None
    return lambda difference, source, target: session.out.json(events.difference(difference, source, target))


def told(session: Session, foreseen: Foreseen, *, json: bool) -> int:
    """Write what would be done, and return the exit status."""
    plan, taken = foreseen.plan, foreseen.taken
    if json:
        for error in (*plan.refused, *taken.failures):
            session.out.json(events.refusal(error, error.location))
        session.out.json(_summary(foreseen))
    elif plan.sources:
        into = f" {'into' if plan.into else 'to'} {visible(str(plan.target))}" if plan.target else ""
        session.out.line(f"would {_VERBS[foreseen.request.kind]} {amount(foreseen.totals)}{into}")
        if plan.target_is_missing:
            session.out.line(f"would make the folder {visible(str(plan.target))}")
        _tell_taken(session, foreseen)
        _tell_misfits(session, foreseen.misfits, foreseen.request.names)
    session.messages.rows(plan.refused, len(plan.refused))
    session.messages.rows(taken.failures, taken.failed)
    return foreseen.status


def _tell_taken(session: Session, foreseen: Foreseen) -> None:
    """Say how many names are taken, and name the first of them."""
    taken, conflict = foreseen.taken, foreseen.request.conflict
    if taken.files_same:
        are = "is" if taken.files_same == 1 else "are"
        session.out.line(f"{format.entries(taken.files_same)} {are} complete there already")
    if not taken.different:
        return
    never = taken.never_replaced(conflict)
    heads = []
    if taken.different > never:
        heads.append(f"{_names(taken.different - never)} taken and {_WOULD_BE[conflict]}")
    if never:
        error = "an error" if never == 1 else "errors"
        heads.append(f"{_names(never)} a folder on one side only and would be {error}")
    session.out.line("; ".join(heads) + ":")
    for location, difference in taken.first[:SHOWN_NAMES]:
        session.out.line(f"  {visible(_from_target(foreseen.plan, location))}{clash_text(difference)}")
    if taken.different > SHOWN_NAMES:
        session.out.line(f"  … and {format.count(taken.different - SHOWN_NAMES)} more")


def _names(number: int) -> str:
    return "1 name is" if number == 1 else f"{format.count(number)} names are"


def _from_target(plan: Plan, location: Location) -> str:
    """Return the path of something at the target, from the folder that things are put into."""
    assert plan.target is not None
    return (plan.target if plan.into else plan.target.parent).relative(location)


def _summary(foreseen: Foreseen) -> dict[str, Any]:
    plan, request, totals = foreseen.plan, foreseen.request, foreseen.totals
    taken, misfits = foreseen.taken, foreseen.misfits
    return {
        "event": "summary",
        "dry_run": True,
        "kind": str(request.kind),
        "exit": int(foreseen.status),
        "files_total": totals.files,
        "folders_total": totals.folders,
        "bytes_total": totals.size_bytes,
        "files_same": taken.files_same,
        "unreadable": totals.unreadable,
        "conflicts": taken.different,
        "conflict_urls": [location.url for location, _ in taken.first],
        "conflict": str(request.conflict),
        "clashes": taken.clashes,
        "unfit_names": misfits.names,
        "unfit_clashes": misfits.clashes,
        "unfit_sizes": misfits.sizes,
        "unfit_kinds": misfits.kinds,
        "names": str(request.names),
        "errors": len(plan.refused) + taken.failed,
        **events.place("target", plan.target),
        "into": plan.into,
    }


def _tell_misfits(session: Session, misfits: Misfits, names: Names) -> None:
    """Name what the target's filesystem does not take."""
    if not misfits.total:
        return
    does = "does" if misfits.first[0].sure else "may"
    session.out.line(f"the target's filesystem {does} not take {format.misfits(misfits)}:")
    for misfit in misfits.first:
        session.out.line(f"  {visible(str(misfit.source))}: {visible(misfit.why)}{_fate(misfit, names)}")
    if misfits.total > len(misfits.first):
        session.out.line(f"  … and {format.count(misfits.total - len(misfits.first))} more")


def _fate(misfit: Misfit, names: Names) -> str:
    """Return what would become of an entry, to be read after why it does not fit."""
    if misfit.unfit in (Unfit.SIZE, Unfit.KIND):
        return "; would be asked about" if names is Names.ASK else "; would be refused"
    if misfit.becomes and names.changes:
        return f"; would become {visible(misfit.becomes)}"
    return f"; {_NAMES_WOULD_BE[names]}"


def _misfits(plan: Plan, names: Names, exclude: Exclusion) -> Iterator[list[Misfit]]:
    """Yield what the target's filesystem does not take, as it is found; an ordinary one takes all, unlooked."""
    if plan.target is None:
        return
    try:
        folder, _ = nearest(plan.target if plan.into else plan.target.parent)
    except PlaceError:
        return
    with folder:
        try:
            rules, fits = rules_for(folder.fd), one_for_all(folder.fd)
        except OSError:
            return
    if not rules.are_narrow:
        return
    sources = [(source, os.fsencode(final.name)) for source, final in plan.finals()]
    tops = Gathered(name for _, name in sources)
    forecast = Forecast(tops, rules, names, Brake(), fits=fits, exclude=exclude)
    forecast.take(sources)
    while not forecast.exhausted:
        yield forecast.step()


def measure(
    sources: Sequence[Location], time_limit_s: float | None = None, exclude: Exclusion = NOTHING
) -> Totals:
    """Count what lies at and below locations; `complete` is False where the time was up first."""
    ends = None if time_limit_s is None else time.monotonic() + time_limit_s
    files = folders = size_bytes = unreadable = 0
    complete = True
    for source in sources:
        scan = Scan(source.path, Brake(), exclude=exclude)
        totals = scan.step()
        while not scan.exhausted and (ends is None or time.monotonic() < ends):
            totals = scan.step()
        scan.close()
        files, folders = files + totals.files, folders + totals.folders
        size_bytes, unreadable = size_bytes + totals.size_bytes, unreadable + totals.unreadable
        complete = complete and totals.complete
    return Totals(files, folders, size_bytes, unreadable, complete)


def amount(totals: Totals) -> str:
    """Return "12 files and 3 folders, 4.5 MiB"."""
    text = format.entries(totals.files)
    if totals.folders:
        text += f" and {format.entries(totals.folders, 'folder')}"
    text = f"{text}, {format.size(totals.size_bytes)}"
    if totals.unreadable:
        text += f" ({format.entries(totals.unreadable, 'folder')} cannot be read)"
    if totals.untold:
        text += f" (and {totals.untold} that cannot be told by names, such as {totals.untold_key!a})"
    return text if totals.complete else f"at least {text}"
