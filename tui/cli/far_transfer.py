"""`ferry copy`, `move` and `delete` where some operands are URLs: one client looks, queues and follows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.cli.diagnostics import Status
from tui.cli.exclusions import leave_out_sources
from tui.cli.far_operands import Looking, plan_removal, plan_transfer
from tui.cli.reaching import measure
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
from tui.model.error import UsageError
from tui.model.job import JobKind

if TYPE_CHECKING:
    from tui.cli.arguments import Parsed
    from tui.cli.operands import Plan
    from tui.cli.session import OpenClient, Session
    from tui.model.job import Request


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
            from tui.cli.far_rehearsal import rehearse

            return await rehearse(session, client, plan, request, json=parsed.has("--json"))
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


async def _sure(session: Session, client: OpenClient, plan: Plan) -> bool:
    """Say in numbers what is to be deleted, and ask, where there is somebody to ask."""
    if not session.asks_before_deleting:
        return True
    return confirmed(session, await measure(client, session.messages, plan.sources, 5.0))
