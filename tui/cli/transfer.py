"""`ferry copy`, `ferry move` and `ferry delete`: from words to a job, and on to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.cli import events
from tui.cli.arguments import nearest
from tui.cli.diagnostics import Status
from tui.cli.exclusions import exclusion_of, leave_out_sources
from tui.cli.keyboard import held_signals
from tui.cli.operands import Plan, make_target, plan_removal, plan_transfer
from tui.cli.report import summary
from tui.config import parse_rate
from tui.model.error import EngineUnreachable, UsageError
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.job import NORMAL_PRIORITY, Conflict, Flush, JobKind, JobState, Request, Staging
from tui.model.misfit import Names
from tui.model.parts import is_long

if TYPE_CHECKING:
    from tui.cli.arguments import Parsed
    from tui.cli.session import OpenClient, Session
    from tui.model.entry import Totals


REMOVING = (JobKind.DELETE, JobKind.TRASH)

QUICK_S = 0.15
"""So long a job is looked at before an event loop is loaded to show its progress."""


def run(session: Session, parsed: Parsed) -> int:
    """Do what the words ask for and return the exit status."""
    check_ways(parsed)
    kind = kind_of(parsed)
    request = prepared(session, parsed, kind)
    plan = plan_removal(parsed.operands) if kind in REMOVING else plan_transfer(parsed.operands, str(kind))
    leave_out_sources(plan, request.exclude)
    if parsed.has("--dry-run"):
        from tui.cli.rehearsal import rehearse

        return rehearse(session, plan, request, json=parsed.has("--json"))
    if not tell_refused(session, plan, json=parsed.has("--json")):
        return Status.ERRORS
    if kind is JobKind.DELETE and not parsed.has("--yes") and not _sure(session, plan):
        return Status.INTERRUPTED
    return submit_and_follow(session, parsed, plan, aimed(request, plan))


def prepared(session: Session, parsed: Parsed, kind: JobKind) -> Request:
    """Return what the options ask for; sources and target are to come.

    Raises:
        UsageError: An option cannot be what it says.
    """
    return Request(
        kind=kind,
        sources=(),
        conflict=_conflict(session, parsed),
        priority=int(parsed.get("--priority") or NORMAL_PRIORITY),
        limit_bytes_s=limit_of(parsed),
        paused=parsed.has("--paused"),
        verify=kind not in REMOVING and verifies(session, parsed),
        preserve=_preserved(parsed),
        flush=Flush(parsed.get("--sync") or session.settings.queue.flush),
        staging=Staging(parsed.get("--stage") or session.settings.queue.staging),
        names=names_of(session, parsed),
        exclude=exclusion_of(parsed),
    )


def aimed(request: Request, plan: Plan) -> Request:
    return replace(request, sources=tuple(plan.sources), target=plan.target, into=plan.into)


def check_ways(parsed: Parsed) -> None:
    """Refuse options that exclude each other.

    Raises:
        UsageError: They do.
    """
    if parsed.has("--verify") and parsed.has("--no-verify"):
        raise UsageError("--verify and --no-verify exclude each other")
    ways = [name for name in ("--detach", "--foreground", "--wait") if parsed.has(name)]
    if "--detach" in ways and len(ways) > 1:
        raise UsageError(f"{ways[0]} and {ways[1]} exclude each other")
    if parsed.has("--paused") and parsed.has("--foreground"):
        raise UsageError("--paused and --foreground exclude each other", "Nobody could let the job go on.")


def kind_of(parsed: Parsed) -> JobKind:
    if parsed.command.name == "delete":
        return JobKind.TRASH if parsed.has("--trash") else JobKind.DELETE
    return JobKind(parsed.command.name)


def _conflict(session: Session, parsed: Parsed) -> Conflict:
    rule = parsed.get("--on-conflict")
    return Conflict(rule) if rule else Conflict.ASK if session.interactive else Conflict.FAIL


def names_of(session: Session, parsed: Parsed) -> Names:
    """Return what is done with names that do not fit: nobody can be asked where there is no terminal."""
    way = parsed.get("--names")
    return Names(way) if way else Names.ASK if session.interactive else Names.KEEP


def verifies(session: Session, parsed: Parsed) -> bool:
    """Say whether files are to be read back, by what was said here or else by the configuration."""
    return parsed.has("--verify") or (session.settings.queue.verify and not parsed.has("--no-verify"))


def limit_of(parsed: Parsed) -> int | None:
    """Return what --limit says, in bytes a second.

    Raises:
        UsageError: It is no rate.
    """
    rate = parsed.get("--limit")
    if rate is None:
        return None
    try:
        return parse_rate(rate)
    except UsageError as error:
        raise UsageError(f"--limit: {error.message}", error.remedy) from error


def _preserved(parsed: Parsed) -> frozenset[Trait]:
    """Return what travels besides content: all, only what `--preserve` names, less what `--no-preserve` names."""
    return _traits(parsed, "--preserve", ALL_TRAITS) - _traits(parsed, "--no-preserve", frozenset())


def _traits(parsed: Parsed, option: str, otherwise: frozenset[Trait]) -> frozenset[Trait]:
    words = parsed.get(option)
    if words is None:
        return otherwise
    if words in ("all", "none"):
        return ALL_TRAITS if words == "all" else frozenset()
    known = [str(trait) for trait in Trait]
    for word in words.split(","):
        if word not in known:
            raise UsageError(f"{option} cannot name {word!r}", nearest(word, [*known, "all", "none"]))
    return frozenset(Trait(word) for word in words.split(","))


def tell_refused(session: Session, plan: Plan, *, json: bool) -> bool:
    """Tell what is not done, and return whether anything is left."""
    if json:
        for error in plan.refused:
            session.out.json(events.refusal(error, error.location))
    session.messages.rows(plan.refused, len(plan.refused))
    if plan.hint:
        session.messages.note(plan.hint)
    if json and not plan.sources:
        session.out.json(events.summary(None, Status.ERRORS, len(plan.refused)))
    return bool(plan.sources)


def submit_and_follow(session: Session, parsed: Parsed, plan: Plan, request: Request) -> int:
    """Hand a request to the engine, or go the long way to one; follow the job unless it is to go alone."""
    line = None if parsed.has("--foreground") or is_long(request) else session.engines.quick()
    if line is None:
        return _long_way(session, parsed, plan, request, None)
    with held_signals():
        with line:
            if plan.target_is_missing:
                make_target(plan)
            id = line.submit(request)
            _tell_submitted(session, parsed, request, id)
            if parsed.has("--detach"):
                return Status.ERRORS if plan.refused else Status.DONE
            shows_progress = session.messages.is_terminal or parsed.has("--json")
            job = line.ended(id, QUICK_S if shows_progress else None)
        if job is None or job.state is not JobState.DONE or job.progress.errors or job.progress.losses:
            return _long_way(session, parsed, plan, request, id)
        status = Status.ERRORS if plan.refused else Status.DONE
        if parsed.has("--json"):
            for told in (
                events.state(job),
                events.progress(job),
                events.summary(job, status, len(plan.refused)),
            ):
                session.out.json(told)
        else:
            session.out.line(summary(job))
        return status


def _long_way(session: Session, parsed: Parsed, plan: Plan, request: Request, id: int | None) -> int:
    import asyncio

    return asyncio.run(_queue(session, parsed, plan, request, id))


async def _queue(session: Session, parsed: Parsed, plan: Plan, request: Request, id: int | None) -> int:
    client = engine_for(session, parsed)
    try:
        return await queue(session, parsed, client, plan, request, id)
    finally:
        await client.close()


def engine_for(session: Session, parsed: Parsed) -> OpenClient:
    return session.engines.foreground() if parsed.has("--foreground") else session.engines.client()


async def queue(
    session: Session, parsed: Parsed, client: OpenClient, plan: Plan, request: Request, id: int | None = None
) -> int:
    """Queue a request, unless that is done (`id`), with whatever engine there can be, and follow the job."""
    from tui.cli.waiting import follow

    foreground, json = parsed.has("--foreground"), parsed.has("--json")
    if parsed.has("--detach"):
        await _require_background(client)
    if id is None:
        if plan.target_is_missing and plan.target is not None:
            if plan.target.is_local:
                make_target(plan)
            else:
                await client.make_folder(plan.target)
        id = await client.submit(request)
        _tell_submitted(session, parsed, request, id)
    if parsed.has("--detach"):
        return Status.ERRORS if plan.refused else Status.DONE
    if client.notice and not foreground:
        session.messages.note(client.notice)
    return await follow(
        session, client, [id], json=json, own=True, foreground=foreground, refused=len(plan.refused)
    )


def _tell_submitted(session: Session, parsed: Parsed, request: Request, id: int) -> None:
    if parsed.has("--json"):
        session.out.json(events.submitted(id, str(request.kind), len(request.sources), request.target))
    elif parsed.has("--detach"):
        session.out.line(str(id))


async def _require_background(client: OpenClient) -> None:
    """Refuse to leave a job to an engine that ends with this command.

    Raises:
        EngineUnreachable: The engine runs in this process.
    """
    if (await client.status()).in_process:
        raise EngineUnreachable(client.notice or "no background engine can be started", _NO_BACKGROUND)


_NO_BACKGROUND = "`ferry doctor` says why; without --detach, Ferry works in this process."


def _sure(session: Session, plan: Plan) -> bool:
    """Say in numbers what is to be deleted, and ask, where there is somebody to ask."""
    if not session.asks_before_deleting:
        return True
    from tui.cli.rehearsal import measure

    return confirmed(session, measure(plan.sources, time_limit_s=2.0))


def confirmed(session: Session, totals: Totals) -> bool:
    """Ask whether so much is to be deleted."""
    from tui.cli.asking import yes
    from tui.cli.rehearsal import amount

    return yes(session.messages, f"Delete {amount(totals)} for good? [y/N] ")
