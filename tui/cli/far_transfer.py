"""`ferry copy`, `move` and `delete` where some operands are URLs: one client looks, queues and follows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.cli.diagnostics import Status
from tui.cli.exclusions import leave_out_sources
from tui.cli.far_operands import Looking, plan_removal, plan_transfer
from tui.cli.reaching import reach
from tui.cli.rehearsal import Foreseen, teller, told
from tui.cli.taken import Taken
from tui.cli.transfer import (
    REMOVING,
    aimed,
    check_ways,
    confirmed,
    engine_for,
    kind_of,
    prepared,
    queue,
    tell_refused,
)
from tui.model.comparison import Change, Compared, Difference
from tui.model.entry import EntryKind, Totals
from tui.model.error import NotFound, PlaceError, UsageError
from tui.model.exclusion import NOTHING
from tui.model.fidelity import Trait
from tui.model.job import JobKind

if TYPE_CHECKING:
    from tui.cli.arguments import Parsed
    from tui.cli.operands import Plan
    from tui.cli.session import OpenClient, Session
    from tui.model.entry import Facts
    from tui.model.exclusion import Exclusion
    from tui.model.job import Request
    from tui.model.location import Location


def run(session: Session, parsed: Parsed) -> int:
    """Do what the words ask for and return the exit status."""
    check_ways(parsed)
    kind = kind_of(parsed)
    if kind is JobKind.TRASH:
        raise UsageError("there is no trash on other hosts", "Leave out --trash to delete for good.")
    return asyncio.run(_run(session, parsed, prepared(session, parsed, kind)))


async def _run(session: Session, parsed: Parsed, request: Request) -> int:
    client = engine_for(session, parsed)
    try:
        looking = Looking(client, session.messages)
        plan = await _plan(looking, parsed, request.kind)
        leave_out_sources(plan, request.exclude)
        if parsed.has("--dry-run"):
            return await _rehearse(session, parsed, client, plan, request)
        if not tell_refused(session, plan, json=parsed.has("--json")):
            return Status.ERRORS
        asks = request.kind is JobKind.DELETE and not parsed.has("--yes")
        if asks and not await _sure(session, client, plan):
            return Status.INTERRUPTED
        return await queue(session, parsed, client, plan, aimed(request, plan))
    finally:
        await client.close()


async def _plan(looking: Looking, parsed: Parsed, kind: JobKind) -> Plan:
    if kind in REMOVING:
        plan = await plan_removal(looking, parsed.operands)
    else:
        plan = await plan_transfer(looking, parsed.operands, str(kind))
    if looking.unanswered is not None and (parsed.has("--dry-run") or parsed.has("--foreground")):
        raise looking.unanswered  # Nobody could answer an engine that ends with this command.
    return plan


async def _measure(
    session: Session, client: OpenClient, plan: Plan, time_limit_s: float, exclude: Exclusion = NOTHING
) -> Totals:
    measuring = client.measure(plan.sources, time_limit_s=time_limit_s, exclude=exclude)
    return await reach(client, session.messages, plan.sources, measuring)


async def _rehearse(
    session: Session, parsed: Parsed, client: OpenClient, plan: Plan, request: Request
) -> int:
    """Print in numbers what would be done, with nothing touched."""
    totals = await _measure(session, client, plan, 3600.0, request.exclude) if plan.sources else Totals()
    json = parsed.has("--json")
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


async def _sure(session: Session, client: OpenClient, plan: Plan) -> bool:
    """Say in numbers what is to be deleted, and ask, where there is somebody to ask."""
    if not session.asks_before_deleting:
        return True
    return confirmed(session, await _measure(session, client, plan, 5.0))
