"""What a copy would find at its target under the names it brings: something different, or the same already."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tui.cli.diagnostics import SHOWN_ERRORS
from tui.model.comparison import Change, Compared, Difference
from tui.model.error import NotFound, PlaceError, from_os_error
from tui.model.fidelity import Trait
from tui.model.job import Conflict, JobKind
from tui.model.location import Location
from tui.places.local.comparing import Comparison, Lone
from tui.places.local.hops import Brake
from tui.places.local.root import Root
from tui.places.local.standing import Pair, facts, is_folder, look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui.cli.operands import Plan
    from tui.model.job import Request

    Tell = Callable[[Difference, Location, Location], None]
    """Takes a difference, the source, and the target whose name is taken."""

MOST_KEPT = 1000

_NEVER_OVER = (Conflict.OVERWRITE, Conflict.NEWER, Conflict.FAIL)
"""Under these rules it is an error where one side has a folder and the other something else."""


class Taken(Struct):
    """Adds up the names at a target that are taken.

    Attributes:
        tell: Is called for each that is taken by something different.
        different: So many are.
        clashes: Of these, the ones with a folder on one side only.
        files_same: Files that are complete there already.
        first: The first of those that are different.
        failures: The first of what could not be looked at; `failed` counts all.
    """

    tell: Tell | None = None
    different: int = 0
    clashes: int = 0
    files_same: int = 0
    first: list[tuple[Location, Difference]] = field(default_factory=list)
    failures: list[PlaceError] = field(default_factory=list)
    failed: int = 0

    def add(self, part: Compared, source: Location, final: Location) -> None:
        """Take in how a source, or something in it, differs from what stands in its place."""
        self.files_same += part.files_same
        self.failed += len(part.failures)
        self.failures += part.failures[: SHOWN_ERRORS - len(self.failures)]
        for difference in part.differences:
            if difference.change is Change.ATTRIBUTES and not difference.is_folder:
                self.files_same += 1  # only a sync gives what stands there the rest
            if difference.change not in (Change.CHANGED, Change.CLASH):
                continue
            self.different += 1
            self.clashes += difference.change is Change.CLASH
            target = final.below(difference.path)
            if len(self.first) < MOST_KEPT:
                self.first.append((target, difference))
            if self.tell is not None:
                self.tell(difference, source.below(difference.path), target)

    def never_replaced(self, conflict: Conflict) -> int:
        """Return how many are an error under a rule that decides about the others."""
        return self.clashes if conflict in _NEVER_OVER else 0


def find(plan: Plan, request: Request, taken: Taken) -> None:
    """Look on the disk what stands in the places of the sources, and of all that is in them."""
    for source, final in plan.finals():
        try:
            for part in _compared(source, final, request):
                taken.add(part, source, final)
        except NotFound:
            continue  # nor is the folder it would be in
        except PlaceError as error:
            taken.add(Compared(failures=[error]), source, final)


def _compared(source: Location, final: Location, request: Request) -> Iterator[Compared]:
    """Yield how a source differs from what stands in its place; nothing where that is free."""
    strict = request.verify or request.kind is JobKind.MOVE
    times = Trait.TIMES in request.preserve
    name, final_name = os.fsencode(source.name), os.fsencode(final.name)
    try:
        with Root.open(source.parent.path) as here, Root.open(final.parent.path) as there:
            info, standing = look(here.fd, name or b"."), look(there.fd, final_name or b".")
            if info is None or standing is None:
                return
            if not (is_folder(info) and is_folder(standing)):
                pair = Pair(here.fd, there.fd, there.ways, Brake(), strict=strict, times=times)
                same = pair.same(name, info, final_name, standing)
                yield Compared(files_same=1) if same else Compared([_difference(info, standing)])
                return
    except OSError as error:
        raise from_os_error(error, final, "look at") from error
    comparison = Comparison(
        source.path, final.path, Brake(), strict=strict, times=times, lone=Lone.NONE, exclude=request.exclude
    )
    with closing(comparison):
        while not comparison.exhausted:
            yield comparison.step()


def _difference(info: os.stat_result, standing: os.stat_result) -> Difference:
    change = Change.CLASH if is_folder(info) != is_folder(standing) else Change.CHANGED
    return Difference("", change, facts(info), facts(standing))
