"""`ferry sync`: what would be done as a plan, what is to be removed as a question, and the job."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tui import format
from tui.cli import events
from tui.cli.diagnostics import Status
from tui.cli.exclusions import exclusion_of
from tui.cli.operands import Plan, holds, locate
from tui.cli.transfer import check_ways, limit_of, submit_and_follow, verifies
from tui.client.sparing import Sparing, here
from tui.model.comparison import Amounts, Change, Compared
from tui.model.error import (
    NotAFolder,
    NotFound,
    NotPossible,
    SameFile,
    TargetInsideSource,
    UsageError,
    from_os_error,
)
from tui.model.job import NORMAL_PRIORITY, Conflict, JobKind, Request
from tui.model.location import Location
from tui.places.local.comparing import Comparison, Lone
from tui.places.local.hops import Brake
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.model.comparison import Difference
    from tui.model.exclusion import Exclusion

SHOWN_EXTRAS = 10

_SIGNS = {
    Change.NEW: ("+", "green"),
    Change.CHANGED: ("~", "yellow"),
    Change.ATTRIBUTES: ("=", "dim"),
    Change.EXTRA: ("-", "red"),
    Change.CLASH: ("!", "red"),
}


def run(session: Session, parsed: Parsed) -> int:
    """Do what the words ask for and return the exit status."""
    check_options(parsed)
    plan = plan_sync(parsed.operands)
    delete = parsed.has("--delete")
    request = requested(session, parsed, plan, exclusion_of(parsed))
    if parsed.has("--dry-run"):
        rehearsal = Rehearsal(session, plan, delete=delete, most=most_of(parsed), json=parsed.has("--json"))
        for part in _compare(plan, request):
            rehearsal.add(part)
        return rehearsal.end()
    if (doomed := doomed_of(session, parsed)) is not None:
        quickly = replace(request, by_content=False, verify=False)  # what is removed goes by names
        for part in _compare(plan, quickly):
            doomed.add(part)
        if not doomed.may_go(plan):
            return Status.INTERRUPTED
    return submit_and_follow(session, parsed, plan, request)


def check_options(parsed: Parsed) -> None:
    """Refuse options that cannot be what they say, before anything is looked at.

    Raises:
        UsageError: One cannot, or two exclude each other.
    """
    check_ways(parsed)
    limit_of(parsed)
    if most_of(parsed) is not None and not parsed.has("--delete"):
        raise UsageError("--max-delete says how much --delete may remove", "Say both, or neither.")


def most_of(parsed: Parsed) -> int | None:
    """Return what --max-delete says; None: there is no end.

    Raises:
        UsageError: It is no number.
    """
    given = parsed.get("--max-delete")
    if given is not None and not (given.isascii() and given.isdecimal()):
        raise UsageError(f"--max-delete takes a number of files and folders, not {given!r}")
    return None if given is None else int(given)


def doomed_of(session: Session, parsed: Parsed) -> Doomed | None:
    """Return what looks at all that is to be removed, where that is to be asked about or counted."""
    asks = parsed.has("--delete") and not parsed.has("--yes") and session.asks_before_deleting
    most = most_of(parsed)
    return None if most is None and not asks else Doomed(session, asks=asks, most=most)


def requested(session: Session, parsed: Parsed, plan: Plan, exclude: Exclusion) -> Request:
    """Return the request that the options ask for."""
    return Request(
        kind=JobKind.SYNC,
        sources=tuple(plan.sources),
        target=plan.target,
        into=False,
        conflict=Conflict.OVERWRITE,
        priority=int(parsed.get("--priority") or NORMAL_PRIORITY),
        limit_bytes_s=limit_of(parsed),
        paused=parsed.has("--paused"),
        delete_extra=parsed.has("--delete"),
        by_content=parsed.has("--checksum"),
        verify=verifies(session, parsed),
        flush=session.settings.queue.flush,
        staging=session.settings.queue.staging,
        exclude=exclude,
    )


def plan_sync(words: Sequence[str]) -> Plan:
    """Return the two folders meant; links that a person named are followed, here and once.

    Raises:
        PlaceError: They are not two folders apart from each other (the second may be missing).
    """
    source, target = (behind_link(locate(word)) for word in words)
    _require_folder(source)
    if os.path.lexists(target.path):
        _require_folder(target)
    elif not os.path.isdir(target.parent.path):
        message = f"cannot make {target}: there is no folder {target.parent}"
        raise NotFound(message, "Make that folder first.", location=target)
    same = os.path.realpath(source.path) == os.path.realpath(target.path)
    return plan_of(
        source, target, lambda outer, inner: os.path.isdir(outer.path) and holds(outer, inner), same=same
    )


def plan_of(
    source: Location, target: Location, holds: Callable[[Location, Location], bool], *, same: bool
) -> Plan:
    """Return the plan of a sync between two folders.

    Args:
        holds: Says whether the second location is in the first.
        same: They are one folder.
    Raises:
        SameFile, TargetInsideSource: They are not apart from each other.
    """
    if same:
        remedy = "Both names lead to the same folder; nothing needs to be done."
        raise SameFile(f"cannot sync {source} with itself", remedy, location=source)
    for outer, inner in ((source, target), (target, source)):
        if holds(outer, inner):
            message = f"cannot make {target} like {source}: {inner} is in {outer}"
            remedy = "Choose two folders of which neither is in the other."
            raise TargetInsideSource(message, remedy, location=inner)
    return Plan(sources=[source], target=target, into=False)


def behind_link(location: Location) -> Location:
    if os.path.islink(location.path) and os.path.isdir(location.path):
        return Location.local(os.path.realpath(location.path))
    return location


def _require_folder(location: Location) -> None:
    try:
        mode = os.lstat(location.path).st_mode
    except OSError as error:
        raise from_os_error(error, location, "sync") from error
    if not stat.S_ISDIR(mode):
        remedy = "Name a folder; single files are for `ferry copy`."
        raise NotAFolder(f"cannot sync {location}: it is not a folder", remedy, location=location)


def _compare(plan: Plan, request: Request) -> Iterator[Compared]:
    """Yield how the target differs from the source, as the job would find it; with --delete, less what would stay."""
    assert plan.target is not None
    delete = request.delete_extra
    comparison = Comparison(
        plan.sources[0].path,
        plan.target.path,
        Brake(),
        by_content=request.by_content,
        strict=request.verify,
        lone=Lone.ALL if delete else Lone.UNOPPOSED,
        exclude=request.exclude,
    )
    sparing = Sparing(plan.target, here()) if delete else None
    try:
        while not comparison.exhausted:
            part = comparison.step()
            yield sparing.look(part) if sparing else part
    finally:
        comparison.close()


# The plan


class Rehearsal:
    """Prints every difference as it is found, and in the end what would be done in numbers."""

    def __init__(
        self, session: Session, plan: Plan, *, delete: bool, json: bool, most: int | None = None
    ) -> None:
        self._session, self._plan = session, plan
        self._delete, self._json, self._most = delete, json, most
        self._amounts = Amounts()

    def add(self, part: Compared) -> None:
        session = self._session
        self._amounts.add(part)
        for difference in part.differences:
            if self._json:
                session.out.json(events.difference(difference, *_places(self._plan, difference)))
            else:
                session.out.line(line_of(session, difference))
        for error in part.failures:
            if self._json:
                session.out.json(events.refusal(error, error.location))
            session.messages.error(error)

    def end(self) -> int:
        """Return the exit status."""
        clashes = 0 if self._delete else self._amounts.number(Change.CLASH)
        too_many = too_many_of(self._plan, self._amounts, self._most)
        status = Status.ERRORS if self._amounts.failures or clashes or too_many else Status.DONE
        if too_many:
            self._amounts.failures += 1
        if self._json:
            if too_many:
                self._session.out.json(events.refusal(too_many, self._plan.target))
            self._session.out.json(_summary(self._plan, self._amounts, status, delete=self._delete))
        else:
            for line in in_numbers(self._amounts, str(self._plan.target), delete=self._delete):
                self._session.out.line(visible(line))
        if too_many:
            self._session.messages.error(too_many)
        return status


def line_of(session: Session, difference: Difference) -> str:
    """Return one difference as a line: a sign, the path, a / behind a folder."""
    sign, colour = _SIGNS[difference.change]
    path = visible(difference.path) or "."
    if difference.is_folder:
        path += "/"
    return session.out.styled(f"{sign} {path}{clash_text(difference)}", colour)


def clash_text(difference: Difference) -> str:
    """Return on which side the folder is, to be read after the name of what clashes; empty for all else."""
    if difference.change is not Change.CLASH:
        return ""
    return " (a folder at the source)" if difference.is_folder else " (a folder at the target)"


def in_numbers(amounts: Amounts, target: str, *, delete: bool) -> Iterator[str]:
    """Yield what a sync would do, a line for each kind of thing."""
    new, changed = _amount(amounts, Change.NEW), _amount(amounts, Change.CHANGED)
    if not (new or changed or any(map(amounts.number, Change))):
        yield f"nothing to do: {format.entries(amounts.files_same)} the same"
        return
    if new:
        yield f"would copy {new} to {target}"
    if changed:
        yield f"would replace {changed}"
    if number := amounts.number(Change.ATTRIBUTES):
        yield f"would set the attributes of {format.entries(number, 'entry', 'entries')}"
    if extra := _amount(amounts, Change.EXTRA):
        yield f"would remove {extra}" if delete else f"would leave {extra}, without --delete"
    if number := amounts.number(Change.CLASH):
        clashing = format.entries(number, "name") + (" is" if number == 1 else " are")
        what = "a folder on one side only"
        yield f"{clashing} {what}: " + ("would be replaced" if delete else "an error each, without --delete")
    if amounts.files_same:
        yield f"{format.entries(amounts.files_same)} the same"


def _amount(amounts: Amounts, change: Change) -> str:
    """Return "3 files and 1 folder, 4.5 MiB", or "" for nothing."""
    files, folders = amounts.files.get(change, 0), amounts.folders.get(change, 0)
    parts = [format.entries(files)] if files else []
    if folders:
        parts.append(format.entries(folders, "folder"))
    text = " and ".join(parts)
    return f"{text}, {format.size(amounts.size_bytes.get(change, 0))}" if files else text


def _places(plan: Plan, difference: Difference) -> tuple[Location, Location]:
    assert plan.target is not None
    return plan.sources[0].below(difference.path), plan.target.below(difference.path)


def _summary(plan: Plan, amounts: Amounts, status: Status, *, delete: bool) -> dict[str, Any]:
    return {
        "event": "summary",
        "dry_run": True,
        "kind": str(JobKind.SYNC),
        "exit": int(status),
        **{str(change): amounts.number(change) for change in Change},
        **{f"{change}_bytes": amounts.size_bytes.get(change, 0) for change in Change},
        "files_same": amounts.files_same,
        "errors": amounts.failures,
        "delete": delete,
        **events.place("source", plan.sources[0]),
        **events.place("target", plan.target),
    }


def too_many_of(plan: Plan, amounts: Amounts, most: int | None) -> NotPossible | None:
    """Return why a sync does nothing where it would remove more than it may."""
    number = amounts.number(Change.EXTRA) + amounts.number(Change.CLASH)
    if most is None or number <= most:
        return None
    what = f"{format.entries(number, 'entry', 'entries')} would be removed from {plan.target}"
    return NotPossible(
        f"nothing is done: {what}, more than --max-delete {most}",
        "See that the source is whole, or allow more.",
    )


# The question


class Doomed:
    """Counts what is to be removed, and lists it and asks.

    Args:
        asks: Somebody is to be asked.
        most: So much may be removed; None: any number of files and folders.
    """

    def __init__(self, session: Session, *, asks: bool, most: int | None) -> None:
        self._session, self._asks, self._most = session, asks, most
        self._amounts = Amounts()
        self._shown = 0

    def add(self, part: Compared) -> None:
        doomed = [each for each in part.differences if each.change in (Change.EXTRA, Change.CLASH)]
        self._amounts.add(Compared(doomed))
        if not self._asks:
            return
        for difference in doomed[: max(0, SHOWN_EXTRAS - self._shown)]:
            self._session.messages.say(line_of(self._session, difference))
        self._shown += len(doomed)

    def may_go(self, plan: Plan) -> bool:
        """Return whether there is nothing to remove, or nobody to be asked, or somebody says that it may be.

        Raises:
            NotPossible: It is more than may be removed.
        """
        from tui.cli.asking import yes

        if too_many := too_many_of(plan, self._amounts, self._most):
            raise too_many
        if not self._shown:
            return True
        messages = self._session.messages
        if self._shown > SHOWN_EXTRAS:
            messages.say(f"… and {format.count(self._shown - SHOWN_EXTRAS)} more")
        parts = [_amount(self._amounts, Change.EXTRA)]
        if number := self._amounts.number(Change.CLASH):
            parts.append(f"{format.entries(number, 'name')} in the way")
        what = " and ".join(filter(None, parts))
        return yes(messages, f"Remove {what} from {visible(str(plan.target))} for good? [y/N] ")
