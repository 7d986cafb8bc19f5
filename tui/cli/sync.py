"""`ferry sync`: what would be done as a plan, what is to be removed as a question, and the job."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from tui import format
from tui.cli import events
from tui.cli.diagnostics import Status, status_of
from tui.cli.operands import Plan, holds, locate
from tui.cli.transfer import check_ways, limit_of, submit_and_follow, verifies
from tui.model.comparison import Amounts, Change, Compared
from tui.model.error import NotAFolder, NotFound, PlaceError, SameFile, TargetInsideSource, from_os_error
from tui.model.job import NORMAL_PRIORITY, Conflict, JobKind, Request
from tui.model.location import Location
from tui.places.local.comparing import Comparison
from tui.places.local.hops import Brake
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.model.comparison import Difference

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
    check_ways(parsed)
    limit_bytes_s = limit_of(parsed)
    plan = plan_sync(parsed.operands)
    delete, by_content = parsed.has("--delete"), parsed.has("--checksum")
    if parsed.has("--dry-run"):
        compared = _compare(plan, by_content=by_content, delete=delete)
        return _rehearse(session, plan, compared, delete=delete, json=parsed.has("--json"))
    if delete and not parsed.has("--yes") and not _sure(session, plan):
        return Status.INTERRUPTED
    request = Request(
        kind=JobKind.SYNC,
        sources=tuple(plan.sources),
        target=plan.target,
        into=False,
        conflict=Conflict.OVERWRITE,
        priority=int(parsed.get("--priority") or NORMAL_PRIORITY),
        limit_bytes_s=limit_bytes_s,
        paused=parsed.has("--paused"),
        delete_extra=delete,
        by_content=by_content,
        verify=verifies(session, parsed),
        flush=session.settings.queue.flush,
        staging=session.settings.queue.staging,
    )
    try:
        return submit_and_follow(session, parsed, plan, request)
    except PlaceError as error:
        session.messages.error(error)
        return status_of(error)


def plan_sync(words: Sequence[str]) -> Plan:
    """Return the two folders meant; links that a person named are followed, here and once.

    Raises:
        PlaceError: They are not two folders apart from each other (the second may be missing).
    """
    source, target = (_behind_link(locate(word)) for word in words)
    _require_folder(source)
    if os.path.lexists(target.path):
        _require_folder(target)
    elif not os.path.isdir(target.parent.path):
        message = f"cannot make {target}: there is no folder {target.parent}"
        raise NotFound(message, "Make that folder first.", location=target)
    if os.path.realpath(source.path) == os.path.realpath(target.path):
        remedy = "Both names lead to the same folder; nothing needs to be done."
        raise SameFile(f"cannot sync {source} with itself", remedy, location=source)
    for outer, inner in ((source, target), (target, source)):
        if os.path.isdir(outer.path) and holds(outer, inner):
            message = f"cannot make {target} like {source}: {inner} is in {outer}"
            remedy = "Choose two folders of which neither is in the other."
            raise TargetInsideSource(message, remedy, location=inner)
    return Plan(sources=[source], target=target, into=False)


def _behind_link(location: Location) -> Location:
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


def _compare(plan: Plan, *, by_content: bool, delete: bool) -> Iterator[Compared]:
    assert plan.target is not None
    comparison = Comparison(
        plan.sources[0].path, plan.target.path, Brake(), by_content=by_content, through_clashes=delete
    )
    try:
        while not comparison.exhausted:
            yield comparison.step()
    finally:
        comparison.close()


# The plan


def _rehearse(session: Session, plan: Plan, compared: Iterator[Compared], *, delete: bool, json: bool) -> int:
    """Print every difference as it is found, and then what would be done in numbers."""
    amounts = Amounts()
    for part in compared:
        amounts.add(part)
        for difference in part.differences:
            if json:
                session.out.json(events.difference(difference, *_places(plan, difference)))
            else:
                session.out.line(line_of(session, difference))
        for error in part.failures:
            if json:
                session.out.json(events.refusal(error, error.location))
            session.messages.error(error)
    status = Status.ERRORS if amounts.failures else Status.DONE
    if json:
        session.out.json(_summary(plan, amounts, status, delete=delete))
        return status
    for line in in_numbers(amounts, str(plan.target), delete=delete):
        session.out.line(visible(line))
    return status


def line_of(session: Session, difference: Difference) -> str:
    """Return one difference as a line: a sign, the path, a / behind a folder."""
    sign, colour = _SIGNS[difference.change]
    path = visible(difference.path) or "."
    if difference.is_folder:
        path += "/"
    if difference.change is Change.CLASH:
        path += " (a folder at the source)" if difference.is_folder else " (a folder at the target)"
    return session.out.styled(f"{sign} {path}", colour)


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


# The question


def _sure(session: Session, plan: Plan) -> bool:
    """List and count what is to be removed, and ask, where there is somebody to ask."""
    if not (session.interactive and session.settings.confirm.delete):
        return True
    from tui.cli.asking import yes

    amounts = Amounts()
    shown = 0
    for part in _compare(plan, by_content=False, delete=True):
        doomed = [each for each in part.differences if each.change in (Change.EXTRA, Change.CLASH)]
        amounts.add(Compared(doomed))
        for difference in doomed[: max(0, SHOWN_EXTRAS - shown)]:
            session.messages.say(line_of(session, difference))
        shown += len(doomed)
    if not shown:
        return True
    if shown > SHOWN_EXTRAS:
        session.messages.say(f"… and {format.count(shown - SHOWN_EXTRAS)} more")
    parts = [_amount(amounts, Change.EXTRA)]
    if number := amounts.number(Change.CLASH):
        parts.append(f"{format.entries(number, 'name')} in the way")
    what = " and ".join(filter(None, parts))
    return yes(session.messages, f"Remove {what} from {visible(str(plan.target))} for good? [y/N] ")
