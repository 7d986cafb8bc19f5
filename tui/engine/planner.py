"""Decisions about names, before anything is touched. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.error import NotPossible, Unsupported, UsageError
from tui.model.job import HIGHEST_PRIORITY, LOWEST_PRIORITY, JobKind
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tui.engine.rows import Source
    from tui.model.job import Request

SCHEMES = ("file", "sftp", "s3")
"""Kinds of places a request may name, unless it is checked for others."""

NO_TRASH = "What is deleted there cannot be brought back."

CHUNK = 256
"""Sources looked at in one go."""


def check(request: Request, schemes: Collection[str] = SCHEMES) -> None:
    """Refuse a request that makes no sense as it stands.

    Args:
        schemes: The kinds of places there are.

    Raises:
        UsageError: Something is missing, or does not go together.
        Unsupported: It names a place that is not known, or that cannot do this.
    """
    if not request.sources:
        raise UsageError("nothing to do: no source was named", "Name at least one file or folder.")
    if request.kind is JobKind.MAKE:
        raise UsageError("what is made is made at once, without a job")
    if request.far:
        _check_far(request, schemes)
    for source in request.sources:
        if source.is_root:
            raise UsageError(
                "the root folder cannot be copied, moved or removed", "Name what is in it instead."
            )
    if request.kind in (JobKind.COPY, JobKind.MOVE, JobKind.SYNC):
        _check_target(request)
    elif request.verify:
        raise UsageError("only copies and moves can be verified")
    _check_targets(request)
    if request.kind is JobKind.SYNC and (request.into or len(request.sources) != 1):
        raise UsageError("a sync makes one folder like one other")
    if request.exclude:
        if request.kind not in (JobKind.COPY, JobKind.SYNC, JobKind.VERIFY):
            raise UsageError(f"a {request.kind} leaves nothing out", "Name just what it is about.")
        request.exclude.check()
    check_priority(request.priority)
    check_limit(request.limit_bytes_s)


def _check_far(request: Request, schemes: Collection[str]) -> None:
    """Refuse what cannot be done beyond the local disk."""
    for location in (
        *request.sources,
        *request.targets,
        *((request.target,) if request.target else ()),
    ):
        if location.scheme not in schemes:
            raise Unsupported(
                f"cannot reach {location}: {location.scheme} is not known here",
                f"Places are of: {', '.join(sorted(schemes))}.",
                location=location,
            )
    source = request.sources[0]
    if any(_place(other) != _place(source) for other in request.sources):
        raise UsageError("all sources must be at one place", "Make one job for each place.")
    if request.kind is JobKind.TRASH:
        where = source.authority.rpartition("@")[2] or source.scheme
        raise Unsupported(
            f"there is no trash on {where}: delete it for good instead", NO_TRASH, location=source
        )
    if request.kind is JobKind.RENAME and any(_place(new) != _place(source) for new in request.targets):
        raise UsageError("a new name is at the same place as the old one", "To bring it elsewhere, move it.")
    if request.kind is JobKind.VERIFY and any(
        _place(o) != _place(request.targets[0]) for o in request.targets
    ):
        raise UsageError("all targets must be at one place", "Make one job for each place.")
    is_download = request.kind is JobKind.COPY and request.target is not None and request.target.is_local
    if request.names.changes and not is_download:
        raise UsageError(
            "names are changed by what goes to a folder of this computer, from a host by copies only"
        )


def _check_targets(request: Request) -> None:
    """Refuse a request where not each source has a target of its own, or one has that is given none."""
    if request.kind is JobKind.VERIFY and len(request.targets) != len(request.sources):
        raise UsageError("to verify needs one target for each source")
    if request.kind is JobKind.RENAME and len(request.targets) != len(request.sources):
        raise UsageError("a list of renames needs one new name for each old one")
    if request.targets and request.kind not in (JobKind.VERIFY, JobKind.RENAME):
        raise UsageError(f"the sources of a {request.kind} have no targets of their own")


def _place(location: Location) -> tuple[str, str]:
    return location.scheme, location.authority


def _check_target(request: Request) -> None:
    if request.target is None:
        raise UsageError("no target was named", "Name where it should go.")
    if not request.into and len(request.sources) != 1:
        raise UsageError("several sources cannot become one target", "Name a folder as the target.")
    if not request.into and request.target.is_root:
        raise UsageError("nothing can take the place of the root folder")


def check_priority(priority: int) -> None:
    if not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise UsageError(f"a priority is {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}, not {priority}")


def check_limit(bytes_s: int | None) -> None:
    if bytes_s is not None and bytes_s < 1:
        raise UsageError("a limit is at least one byte a second", "To lift it, ask for none.")


def chunks(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Cut sources, in order, into runs of the same parent and of different names: each can be done in one go.

    (A name that comes twice goes to the same target: the second one must find the first one there.)
    """
    held: list[Source] = []
    names: set[str] = set()
    for source in sources:
        name = source.location.name
        if held and (
            source.location.parent != held[0].location.parent or name in names or len(held) >= CHUNK
        ):
            yield held
            held, names = [], set()
        held.append(source)
        names.add(name)
    if held:
        yield held


@dataclass(slots=True)
class Renames:
    """A list of renames put in order.

    Attributes:
        park: Those that first step aside under a name of passage: their old name is another one's new name.
        refused: By index, the location that is in the way (or wanted twice).
    """

    park: list[int] = field(default_factory=list)
    refused: dict[int, Location] = field(default_factory=dict)


def plan_renames(sources: Sequence[Location], targets: Sequence[Location], taken: set[Location]) -> Renames:
    """Order a list of renames, so that swaps and circles work and nothing outside of the list is touched.

    Args:
        taken: Those of the targets under whose names something stands now.
    """
    plan = Renames()
    owner: dict[Location, int] = {source: idx for idx, source in enumerate(sources)}
    claimed: dict[Location, int] = {}
    for idx, target in enumerate(targets):
        if target in claimed:
            plan.refused[idx] = target
        elif target in taken and target not in owner:
            plan.refused[idx] = target
            claimed[target] = idx
        else:
            claimed[target] = idx
    waiting = list(plan.refused)
    while waiting:  # one that stays keeps its name from whoever wanted it
        stays = sources[waiting.pop()]
        follower = claimed.get(stays)
        if follower is not None and follower not in plan.refused and targets[follower] == stays:
            plan.refused[follower] = stays
            waiting.append(follower)
    wanted = {targets[idx] for idx in range(len(targets)) if idx not in plan.refused}
    plan.park = [
        idx
        for idx, source in enumerate(sources)
        if idx not in plan.refused and source in wanted and targets[idx] != source
    ]
    return plan


def neighbour_order(ids: Sequence[int], moving: set[int], where: str) -> list[int]:
    """Return the queue's order after moving some of its jobs "top", "bottom", "up" or "down".

    Raises:
        UsageError: `where` is none of these.
    """
    order = list(ids)
    if where in ("top", "bottom"):
        chosen = [id for id in order if id in moving]
        rest = [id for id in order if id not in moving]
        return chosen + rest if where == "top" else rest + chosen
    if where not in ("up", "down"):
        raise UsageError(f'a job moves "top", "bottom", "up" or "down", not "{where}"')
    steps = range(1, len(order)) if where == "up" else range(len(order) - 2, -1, -1)
    for at in steps:
        other = at - 1 if where == "up" else at + 1
        if order[at] in moving and order[other] not in moving:
            order[at], order[other] = order[other], order[at]
    return order


def refuse(what: str, why: str) -> NotPossible:
    return NotPossible(f"cannot {what}: {why}")
