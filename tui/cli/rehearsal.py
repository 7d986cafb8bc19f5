"""`--dry-run`: what would be done, in numbers, with nothing touched."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Any

from tui import format
from tui.cli import events
from tui.cli.diagnostics import Status
from tui.model.entry import Totals
from tui.model.error import PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.fidelity import Trait
from tui.model.job import Conflict, JobKind
from tui.model.misfit import Misfits, Names, Unfit
from tui.places.local.forecast import Forecast, Found
from tui.places.local.hops import Brake
from tui.places.local.name_rules import one_for_all, rules_for
from tui.places.local.root import nearest
from tui.places.local.scan import Scan
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.cli.operands import Plan
    from tui.cli.session import Session
    from tui.model.job import Request
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


def rehearse(session: Session, plan: Plan, request: Request, *, json: bool) -> int:
    """Print what a request would do and return the exit status it would be refused with, or 0."""
    conflict, names = request.conflict, request.names
    totals = measure(plan.sources, exclude=request.exclude)
    taken = list(_taken(plan, times=Trait.TIMES in request.preserve))
    found = Found(SHOWN_NAMES)
    for misfits in _misfits(plan, names, request.exclude):
        found.add(misfits)
        if json:
            for misfit in misfits:
                session.out.json(events.misfit(misfit))
    status = rehearsed(plan, totals, taken, conflict)
    told(session, plan, request.kind, conflict, totals, taken, names, status, found.sum(), json=json)
    session.messages.rows(plan.refused, len(plan.refused))
    return status


def rehearsed(plan: Plan, totals: Totals, taken: Sequence[Location], conflict: Conflict) -> Status:
    """Return the exit status a request would be refused with, or end with where not all can be told by names; or 0."""
    if taken and conflict is Conflict.FAIL:
        return Status.CONFLICT
    return Status.ERRORS if plan.refused or totals.untold else Status.DONE


def told(
    session: Session,
    plan: Plan,
    kind: JobKind,
    conflict: Conflict,
    totals: Totals,
    taken: Sequence[Location],
    names: Names,
    status: Status,
    misfits: Misfits | None = None,
    *,
    json: bool,
) -> None:
    """Write what would be done; `taken` are the targets whose names are, by something different."""
    misfits = misfits or Misfits()
    if json:
        _as_json(session, plan, kind, conflict, totals, taken, misfits, names, status)
    elif plan.sources:
        into = f" {'into' if plan.into else 'to'} {visible(str(plan.target))}" if plan.target else ""
        session.out.line(f"would {_VERBS[kind]} {amount(totals)}{into}")
        if plan.target_is_missing:
            session.out.line(f"would make the folder {visible(str(plan.target))}")
        if taken:
            those = "1 name is" if len(taken) == 1 else f"{format.count(len(taken))} names are"
            session.out.line(f"{those} taken and {_WOULD_BE[conflict]}:")
            for location in taken[:SHOWN_NAMES]:
                session.out.line(f"  {visible(location.name)}")
            if len(taken) > SHOWN_NAMES:
                session.out.line(f"  … and {format.count(len(taken) - SHOWN_NAMES)} more")
        _tell_misfits(session, misfits, names)


def _as_json(
    session: Session,
    plan: Plan,
    kind: JobKind,
    conflict: Conflict,
    totals: Totals,
    taken: Sequence[Location],
    misfits: Misfits,
    names: Names,
    status: Status,
) -> None:
    for error in plan.refused:
        session.out.json(events.refusal(error, error.location))
    told: dict[str, Any] = {
        "event": "summary",
        "dry_run": True,
        "kind": str(kind),
        "exit": int(status),
        "files_total": totals.files,
        "folders_total": totals.folders,
        "bytes_total": totals.size_bytes,
        "unreadable": totals.unreadable,
        "conflicts": len(taken),
        "conflict_urls": [location.url for location in taken],
        "conflict": str(conflict),
        "unfit_names": misfits.names,
        "unfit_clashes": misfits.clashes,
        "unfit_sizes": misfits.sizes,
        "unfit_kinds": misfits.kinds,
        "names": str(names),
        "errors": len(plan.refused),
        **events.place("target", plan.target),
        "into": plan.into,
    }
    session.out.json(told)


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
    forecast = Forecast(sources, rules, names, Brake(), fits=fits, exclude=exclude)
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


def _taken(plan: Plan, *, times: bool) -> Iterator[Location]:
    """Yield the targets whose names are taken by something different. (A folder on a folder is merged.)

    Args:
        times: Times travel; where they do not, contents tell.
    """
    for source, final in plan.finals():
        try:
            old, new = os.lstat(final.path), os.lstat(source.path)
        except OSError:
            continue
        if stat.S_ISDIR(new.st_mode) and os.path.isdir(final.path):
            continue
        same_type = stat.S_IFMT(old.st_mode) == stat.S_IFMT(new.st_mode)
        if same_type and (old.st_size, old.st_mtime_ns) == (new.st_size, new.st_mtime_ns):
            continue
        if not (same_type and not times and stat.S_ISREG(new.st_mode) and _same_content(final, source)):
            yield final


def _same_content(first: Location, second: Location) -> bool:
    import filecmp

    try:
        return filecmp.cmp(first.path, second.path, shallow=False)
    except OSError:
        return False
