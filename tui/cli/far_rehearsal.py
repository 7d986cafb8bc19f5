"""`--dry-run` of a copy, a move or a delete where some operands are URLs: what it would do, through one client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.reaching import measure, reach
from tui.cli.rehearsal import Foreseen, teller, told
from tui.cli.taken import Taken
from tui.model.comparison import Change, Compared, Difference
from tui.model.entry import EntryKind, Totals
from tui.model.error import NotFound, PlaceError
from tui.model.fidelity import Trait

if TYPE_CHECKING:
    from tui.cli.operands import Plan
    from tui.cli.session import OpenClient, Session
    from tui.model.entry import Facts
    from tui.model.job import Request
    from tui.model.location import Location

MEASURING_S = 3600.0
"""So long may it take to count what is there."""


async def rehearse(session: Session, client: OpenClient, plan: Plan, request: Request, *, json: bool) -> int:
    """Print in numbers what would be done, with nothing touched."""
    totals = Totals()
    if plan.sources:
        totals = await measure(client, session.messages, plan.sources, MEASURING_S, request.exclude)
    taken = Taken(teller(session, json=json))
    for source, final in plan.finals():
        await reach(client, session.messages, [source, final], _look(client, source, final, request, taken))
    return told(session, Foreseen(plan, request, totals, taken), json=json)


async def _look(
    client: OpenClient, source: Location, final: Location, request: Request, taken: Taken
) -> None:
    """Look what stands in the place of a source, and of all that is in it."""
    try:
        old, new = await client.stat(final), await client.stat(source)
        if old.kind is not EntryKind.FOLDER or new.kind is not EntryKind.FOLDER:
            same = _alike(old.facts, new.facts)
            clash = EntryKind.FOLDER in (old.kind, new.kind)
            change = Change.CLASH if clash else Change.CHANGED
            difference = Difference("", change, new.facts, old.facts)
            taken.add(Compared(files_same=1) if same else Compared([difference]), source, final)
            return
        by_content = Trait.TIMES not in request.preserve
        async for part in client.compare(source, final, by_content=by_content, exclude=request.exclude):
            taken.add(part, source, final)
    except NotFound:
        return  # its place is free
    except PlaceError as error:
        taken.add(Compared(failures=[error]), source, final)


def _alike(one: Facts, other: Facts) -> bool:
    """Say whether a copy of the one would be taken for complete; some hosts keep times to the second only."""
    same_file = (one.kind, one.size_bytes) == (other.kind, other.size_bytes)
    return same_file and abs(one.mtime_ns - other.mtime_ns) < 1_000_000_000
