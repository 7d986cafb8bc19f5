"""`ferry sync` where a folder is on another host: the client compares, the engine does the rest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.cli.diagnostics import Status
from tui.cli.exclusions import exclusion_of
from tui.cli.far_operands import Looking
from tui.cli.reaching import reach
from tui.cli.sync import Rehearsal, behind_link, check_options, doomed_of, most_of, plan_of, requested
from tui.cli.transfer import engine_for, queue
from tui.client.sparing import sparing
from tui.model.entry import EntryKind
from tui.model.error import NotAFolder, NotFound
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.cli.arguments import Parsed
    from tui.cli.operands import Plan
    from tui.cli.session import OpenClient, Session
    from tui.model.comparison import Compared
    from tui.model.exclusion import Exclusion


def run(session: Session, parsed: Parsed) -> int:
    """Do what the words ask for and return the exit status."""
    check_options(parsed)
    return asyncio.run(_run(session, parsed, exclusion_of(parsed)))


async def _run(session: Session, parsed: Parsed, exclude: Exclusion) -> int:
    client = engine_for(session, parsed)
    delete, json = parsed.has("--delete"), parsed.has("--json")
    try:
        plan = await plan_sync(Looking(client, session.messages), parsed.operands)
        if parsed.has("--dry-run"):
            rehearsal = Rehearsal(session, plan, delete=delete, most=most_of(parsed), json=json)
            add = await _sparing(session, client, plan, rehearsal.add) if delete else rehearsal.add
            await _compare(session, client, plan, add, exclude, by_content=parsed.has("--checksum"))
            return rehearsal.end()
        if (doomed := doomed_of(session, parsed)) is not None:
            add = await _sparing(session, client, plan, doomed.add)
            await _compare(session, client, plan, add, exclude, by_content=False)
            if not doomed.may_go(plan):
                return Status.INTERRUPTED
        return await queue(session, parsed, client, plan, requested(session, parsed, plan, exclude))
    finally:
        await client.close()


async def plan_sync(looking: Looking, words: Sequence[str]) -> Plan:
    """Return the two folders meant; the second may be missing.

    Raises:
        PlaceError: They are not two folders apart from each other.
        Unanswered: A host asks something, and nobody answers.
    """
    found = [await looking.locate(word) for word in words]
    source, target = (behind_link(each) if each.is_local else each for each in found)
    if looking.unanswered is not None:
        raise looking.unanswered
    if not await _is_folder(looking, source):
        raise NotFound(f"cannot sync {source}: no such file or folder", location=source)
    await _is_folder(looking, target)
    return plan_of(source, target, Location.holds, same=source == target)


async def _is_folder(looking: Looking, location: Location) -> bool:
    """Say whether a folder stands there, or nothing does.

    Raises:
        NotAFolder: Something else does.
    """
    entry = await looking.entry(location)
    if entry is not None and entry.kind is not EntryKind.FOLDER:
        remedy = "Name a folder, and not by a link; single files are for `ferry copy`."
        raise NotAFolder(f"cannot sync {location}: it is not a folder", remedy, location=location)
    return entry is not None


async def _sparing(
    session: Session, client: OpenClient, plan: Plan, add: Callable[[Compared], None]
) -> Callable[[Compared], None]:
    """Return what takes a part of the comparison without the home folders, which are not removed."""
    assert plan.target is not None
    short = replace(plan.target, path="/~")
    spared = await reach(client, session.messages, [short], sparing(client, plan.target))
    return lambda part: add(spared.look(part))


async def _compare(
    session: Session,
    client: OpenClient,
    plan: Plan,
    add: Callable[[Compared], None],
    exclude: Exclusion,
    *,
    by_content: bool,
) -> None:
    (source,), target = plan.sources, plan.target
    assert target is not None

    async def compare() -> None:
        async for part in client.compare(source, target, by_content=by_content, exclude=exclude):
            add(part)

    await reach(client, session.messages, [source, target], compare())
