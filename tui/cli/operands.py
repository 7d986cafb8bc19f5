"""Sources and destinations as written, into locations; what cannot be done is said before anything is queued."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from msgspec import Struct, field

from tui.cli.urls import is_url, parse_url, scp_hint
from tui.model.error import (
    AlreadyExists,
    NotAFolder,
    NotFound,
    PlaceError,
    SameFile,
    TargetInsideSource,
    Unsupported,
    UsageError,
    from_os_error,
)
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Sequence

ID_DIGITS = 18
"""No job's id has more."""

TAKING_AWAY = ("delete", "move")
"""What is done to sources that does not leave them where they are."""


class Plan(Struct):
    """What a command line asks for, checked against the disk."""

    sources: list[Location] = field(default_factory=list)
    refused: list[PlaceError] = field(default_factory=list)
    target: Location | None = None
    into: bool = True
    target_is_missing: bool = False
    """The target was named with a / at its end and is to be made, as a folder."""
    hint: str = ""
    """What the words may have been meant to be, in one or two sentences; empty where nothing seems odd."""
    far_folders: set[Location] = field(default_factory=set)
    """Those of the sources on other hosts that are folders."""

    def finals(self) -> list[tuple[Location, Location]]:
        """Return (source, where it will stand) pairs."""
        if self.target is None:
            return []
        return [(each, self.target.child(each.name) if self.into else self.target) for each in self.sources]


def locate(word: str) -> Location:
    """Return the location of a path or URL from the command line, a path relative to the current folder.

    `..` of a path goes to the folder that really holds the one before it, as it does for the kernel, links or not.
    """
    if is_url(word):
        return parse_url(word)
    parts = word.split("/")
    try:
        if ".." in parts:
            last = len(parts) - parts[::-1].index("..")
            word = os.path.join(os.path.realpath("/".join(parts[:last])), *parts[last:])
        if word.startswith("/") or not word:
            return Location.local(word)
        return Location.local(word, os.getcwd())
    except OSError as error:
        raise UsageError(
            "the current folder has gone", "Change to another one, or write full paths."
        ) from error


def plan_removal(words: Sequence[str]) -> Plan:
    """Return what `delete` is asked to remove."""
    plan = Plan()
    _take(plan, refuse_dots(plan, words, "delete"), "delete")
    return plan


def refuse_dots(plan: Plan, words: Sequence[str], doing: str) -> list[str]:
    """Return the words but for those that end in `.` or `..`, where something is to be taken away by them.

    `rm` and `mv` refuse those, too: one of them is soon typed.
    """
    kept = []
    for word in words:
        last = (unquote(word) if is_url(word) else word).rstrip("/").rpartition("/")[2]
        if last in (".", "..") and doing in TAKING_AWAY:
            message = f"cannot {doing} {word}: folders are not {doing}d by that name"
            plan.refused.append(Unsupported(message, "Write its own.", location=locate(word)))
        else:
            kept.append(word)
    return kept


def plan_transfer(words: Sequence[str], doing: str, *, exact: bool = False) -> Plan:
    """Return what `copy` or `move` is asked for, the last word being the destination.

    Args:
        exact: The one source is meant for the destination itself, a folder too.
    Raises:
        UsageError: The destination cannot take what is to go there.
    """
    *sources, last = words
    target = locate(last)
    plan = aim(
        target,
        len(sources),
        exists=os.path.lexists(target.path),
        is_folder=os.path.isdir(target.path),
        wants_folder=last.endswith("/"),
        exact=exact,
    )
    _take(plan, refuse_dots(plan, sources, doing), doing)
    if not plan.into and plan.sources and not os.path.isdir(target.parent.path):
        remedy = "Make that folder first, or end the destination in / to have all of it made."
        message = f"cannot {doing} to {target}: there is no folder {target.parent}"
        plan.refused.append(NotFound(message, scp_hint(last) or remedy, location=target))
        plan.sources.clear()
    elif not plan.into and (hint := scp_hint(last)):
        plan.hint = f"{last} is taken for a file here. {hint}"
    refuse_impossible(plan, doing)
    return plan


def aim(
    target: Location, source_count: int, *, exists: bool, is_folder: bool, wants_folder: bool, exact: bool
) -> Plan:
    """Return a plan without sources: whether they go into the target or become it.

    Args:
        wants_folder: It was named with a / at its end.
    Raises:
        UsageError: It cannot take what is to go there.
    """
    if wants_folder and exists and not is_folder:
        raise UsageError(
            f"{target} is not a folder", "Leave out the / at its end, or choose another destination."
        )
    if source_count > 1 and not (is_folder or wants_folder):
        what = "is not a folder" if exists else "does not exist"
        remedy = "Name a folder last." if exists else "End it in / to have it made as a folder."
        raise UsageError(f"{target} {what}, and several sources need a folder to go into", remedy)
    if exact and source_count > 1:
        raise UsageError(f"{target} can be only one of several sources", "Name one, or leave out --exact.")
    into = (is_folder or wants_folder) and not exact
    return Plan(target=target, into=into, target_is_missing=wants_folder and not is_folder)


def _take(plan: Plan, words: Sequence[str], doing: str) -> None:
    """Put the sources on the plan that exist, each once."""
    found: dict[Location, None] = {}
    for word in words:
        location = locate(word)
        try:
            mode = os.lstat(location.path).st_mode
        except (OSError, ValueError) as error:
            plan.refused.append(_refusal(error, location, doing, scp_hint(word)))
            continue
        if word.endswith("/") and not (stat.S_ISDIR(mode) or os.path.isdir(location.path)):
            message = f"cannot {doing} {location}/: it is not a folder"
            plan.refused.append(NotAFolder(message, "Leave out the / at its end.", location=location))
        else:
            found[location] = None
    plan.sources += found


def _refusal(error: OSError | ValueError, location: Location, doing: str, hint: str) -> PlaceError:
    if isinstance(error, OSError):
        refusal = from_os_error(error, location, doing)
        if isinstance(refusal, NotFound):
            refusal.remedy = hint or "Check how it is written; `ferry` takes no patterns, the shell does."
        return refusal
    return PlaceError(f"cannot {doing} {location}: {error}", location=location)


def refuse_impossible(plan: Plan, doing: str) -> None:
    """Take off the plan what would meet itself, or a neighbour, at the target."""
    kept: list[Location] = []
    names: dict[str, Location] = {}
    for source in plan.sources:
        refusal = _impossible(plan, source, names, doing)
        if refusal is None:
            names[source.name] = source
            kept.append(source)
        else:
            plan.refused.append(refusal)
    plan.sources = kept


def _impossible(plan: Plan, source: Location, names: dict[str, Location], doing: str) -> PlaceError | None:
    assert plan.target is not None
    if plan.into and source.is_root:
        remedy = "Name what is in it, or a destination that does not exist yet."
        return Unsupported(
            f"cannot {doing} / into a folder: it has no name of its own", remedy, location=source
        )
    final = plan.target.child(source.name) if plan.into else plan.target
    if not (source.is_local and final.is_local):
        return _impossible_by_name(plan, source, final, names, doing)
    if _real(source) == _real(final):
        message = f"cannot {doing} {source}: source and target are the same file"
        return SameFile(message, "Nothing needs to be done.", location=source)
    if _is_the_file_behind(final, source):
        remedy = "The link would replace its own content; name another destination."
        return SameFile(f"cannot {doing} {source} over {final}: it is a link to it", remedy, location=source)
    if _is_folder(source) and holds(source, final):
        message = f"cannot {doing} {source} into itself ({final})"
        return TargetInsideSource(message, location=source)
    return _name_taken(plan, source, names, doing)


def _impossible_by_name(
    plan: Plan, source: Location, final: Location, names: dict[str, Location], doing: str
) -> PlaceError | None:
    """Judge by names alone what no kernel tells; the engine looks again."""
    if source == final:
        message = f"cannot {doing} {source}: source and target are the same file"
        return SameFile(message, "Nothing needs to be done.", location=source)
    if source in plan.far_folders and source.holds(final):
        message = f"cannot {doing} {source} into itself ({final})"
        return TargetInsideSource(message, location=source)
    return _name_taken(plan, source, names, doing)


def _name_taken(plan: Plan, source: Location, names: dict[str, Location], doing: str) -> PlaceError | None:
    def merges(location: Location) -> bool:
        return _is_folder(location) if location.is_local else location in plan.far_folders

    other = names.get(source.name)
    if other is None or not plan.into or (merges(other) and merges(source)):
        return None
    message = f"cannot {doing} {source}: {other} takes the same name at the target"
    remedy = "Give one of them another name, or copy them one by one."
    return AlreadyExists(message, remedy, location=source)


def _real(location: Location) -> str:
    """Return the path with links resolved, save for a link the location itself may be."""
    return os.path.join(os.path.realpath(location.parent.path), location.name)


def _is_the_file_behind(final: Location, source: Location) -> bool:
    """Say whether a source is a link that leads to what it would replace."""
    if not os.path.islink(source.path) or os.path.islink(final.path):
        return False
    try:
        return os.path.samefile(source.path, final.path)
    except OSError:
        return False


def _is_folder(location: Location) -> bool:
    return os.path.isdir(location.path) and not os.path.islink(location.path)


def holds(folder: Location, location: Location) -> bool:
    """Say whether a folder holds a location, by what the folders above it are, not by how they are called."""
    info = os.stat(folder.path)
    return (info.st_dev, info.st_ino) in _at_or_above(location.parent.path)


def _at_or_above(path: str) -> set[tuple[int, int]]:
    """Return (device, inode) of a folder and of all that hold it, of those that are there and may be looked at."""
    found = set()
    above = Path(os.path.realpath(path))
    for each in (above, *above.parents):
        with contextlib.suppress(OSError):
            info = os.stat(each)
            found.add((info.st_dev, info.st_ino))
    return found


def make_target(plan: Plan) -> None:
    """Make the folder that was asked for with a / at the end of the destination.

    Raises:
        PlaceError: It cannot be made.
    """
    from tui.places.local.single import make_folder

    assert plan.target is not None
    with contextlib.suppress(AlreadyExists):  # it was made meanwhile
        make_folder(plan.target)


def job_ids(words: Sequence[str]) -> list[int]:
    """Return job ids as numbers.

    Raises:
        UsageError: One is not a number.
    """
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) <= ID_DIGITS):
            raise UsageError(
                f"{word!r} is not the id of a job", "`ferry queue` lists the jobs with their ids."
            )
    return [int(word) for word in words]
