"""`ferry queue …`: the jobs, and what may be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import format
from tui.cli import events, queue_hosts
from tui.cli.bar import cells
from tui.cli.diagnostics import Status, sentence, status_of
from tui.cli.operands import job_ids
from tui.cli.options import ANSWERS, NAMES, RULES
from tui.cli.sheet import sheet
from tui.config import parse_rate
from tui.model.error import EngineUnreachable, FerryError, NotPossible, ProtocolMismatch, UsageError
from tui.model.job import Conflict, Job, JobState
from tui.model.misfit import Names
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui.cli.arguments import Parsed
    from tui.cli.session import OpenClient, Session, Work
    from tui.client.base import Client
    from tui.model.location import Location

    Prepare = Callable[[Session, Parsed], Work]
    """Looks at the words of a command, and says what it does."""

_COLOURS = {
    JobState.RUNNING: "bold",
    JobState.WAITING: "yellow",
    JobState.PAUSED: "yellow",
    JobState.DONE: "green",
    JobState.FAILED: "red",
    JobState.CANCELLED: "dim",
}
PAGE = 1000


def run(session: Session, parsed: Parsed) -> int:
    """Do one queue command and return the exit status."""
    word = parsed.command.words[-1]
    if word in FOLLOWING:
        return _long_way(session, FOLLOWING[word](session, parsed))
    work = ASKING.get(word, _act)(session, parsed)
    line = session.engines.quick()
    if line is None:
        return _long_way(session, work)
    from tui.client.quick import QuickClient, at_once

    with line:
        return at_once(work(QuickClient(line)))


def _long_way(session: Session, work: Work) -> int:
    """Do it with an event loop."""
    import asyncio

    async def with_client() -> int:
        client = session.engines.client()
        try:
            return await work(client)
        finally:
            if client.notice:
                session.messages.note(client.notice)
            await client.close()

    return asyncio.run(with_client())


def _list(session: Session, parsed: Parsed) -> Work:
    async def work(client: Client) -> int:
        jobs, asked = await client.jobs(), await client.host_questions()
        if trouble := (await client.status()).note:
            session.messages.note(trouble)
        if parsed.has("--json"):
            for job in jobs:
                session.out.json(events.job(job, asked))
        elif jobs:
            for line in table(jobs, session.out.styled):
                session.out.line(line)
            for line in queue_hosts.lines(asked):
                session.messages.note(line)
        elif session.out.is_terminal:
            session.messages.note("the queue is empty")
        return Status.DONE

    return work


def table(jobs: Sequence[Job], styled: Callable[[str, str], str]) -> list[str]:
    """Return jobs as lines under a head, columns as wide as they need to be."""
    head = ("ID", "STATE", "KIND", "FILES", "BYTES", "ERRORS", "WHAT")
    rows = [head, *(_row(job) for job in jobs)]
    widths = [max(cells(row[column]) for row in rows) for column in range(len(head) - 1)]
    lines = []
    for job, row in zip((None, *jobs), rows, strict=True):
        parts = [text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=False)]
        if job is not None and (colour := _COLOURS.get(job.state)):
            parts[1] = styled(parts[1], colour)
        lines.append("  ".join([*parts, row[-1]]))
    return lines


def _row(job: Job) -> tuple[str, ...]:
    progress = job.progress
    more = "+" if progress.counting else ""
    what = visible(str(job.first_source))
    if job.source_count > 1:
        what += f" and {format.count(job.source_count - 1)} more"
    if job.target is not None:
        what += f" → {visible(str(job.target))}" + ("/" if job.into and not job.target.is_root else "")
    return (
        str(job.id),
        str(job.state),
        job.title,
        f"{progress.files_done:,}/{progress.files_total:,}{more}",
        f"{format.size(progress.bytes_done)}/{format.size(progress.bytes_total)}{more}",
        f"{progress.errors:,}",
        what,
    )


def _act(session: Session, parsed: Parsed) -> Work:
    """pause, resume, cancel, retry, start, top, remove."""
    word, all_jobs = parsed.command.words[-1], parsed.has("--all")
    ids = job_ids(parsed.operands)
    if all_jobs == bool(ids):
        problem = "takes either ids or --all, not both" if ids else "needs the ids of jobs, or --all"
        raise UsageError(
            f"ferry {parsed.command.name} {problem}", "`ferry queue` lists the jobs with their ids."
        )

    async def work(client: Client) -> int:
        if all_jobs:
            await _on_all(client, word)
            return Status.DONE
        if word == "top":
            await client.reorder(ids, "top")
            return Status.DONE
        return await _on_each(session, client, word, ids)

    return work


async def _on_all(client: Client, word: str) -> None:
    try:
        if word in ("start", "top"):
            waiting = [job.id for job in await client.jobs() if job.state in _STARTABLE or job.wants_room]
            if waiting and word == "start":
                await client.start(waiting)
            elif waiting:
                await client.reorder(waiting, "top")
            return
        act = {
            "pause": client.pause,
            "resume": client.resume,
            "cancel": client.cancel,
            "retry": client.retry,
            "remove": client.remove,
        }[word]
        await act(None)
    except NotPossible:
        return  # Nothing to which it applies: that is all of them.


_STARTABLE = (JobState.QUEUED, JobState.PAUSED)


async def _on_each(session: Session, client: Client, word: str, ids: Sequence[int]) -> int:
    """Act on jobs one by one, so that one that is refused does not hold up the others."""
    act: dict[str, Callable[[Sequence[int]], Awaitable[None]]] = {
        "pause": client.pause,
        "resume": client.resume,
        "cancel": client.cancel,
        "retry": client.retry,
        "start": client.start,
        "remove": client.remove,
    }
    status = Status.DONE
    for id in ids:
        try:
            await act[word]([id])
        except (EngineUnreachable, ProtocolMismatch):
            raise
        except FerryError as error:
            session.messages.error(error)
            status = max(status, status_of(error))
    return status


def _show(session: Session, parsed: Parsed) -> Work:
    (id,) = job_ids(parsed.operands)

    async def work(client: Client) -> int:
        job = await client.job(id)
        if parsed.has("--errors"):
            await _show_errors(session, client, job, json=parsed.has("--json"))
        elif parsed.has("--json"):
            request, losses = await client.request(id), await client.losses(id)
            misfits = await client.misfits(id)
            session.out.json(
                {
                    **events.job(job, await client.host_questions()),
                    "sync": str(request.flush),
                    "stage": str(request.staging),
                    "source_urls": [source.url for source in await _sources(client, job)],
                    "preserve": sorted(request.preserve),
                    "exclude": list(request.exclude.patterns),
                    "misfits": [events.misfit(each) for each in misfits.first],
                    "losses": [events.loss(each) for each in losses],
                }
            )
        else:
            lines = sheet(job, await client.request(id), await client.losses(id), await client.misfits(id))
            width = max(len(name) for name, _ in lines)
            for name, text in lines:
                session.out.line(f"{name:{width}}  {text}")
        return Status.DONE

    return work


async def _sources(client: Client, job: Job) -> list[Location]:
    found: list[Location] = []
    while page := await client.sources(job.id, len(found)):
        found += page
    return found


async def _show_errors(session: Session, client: Client, job: Job, *, json: bool) -> None:
    start = 0
    while rows := await client.errors(job.id, start, PAGE):
        for row in rows:
            if json:
                session.out.json(events.error(row))
            else:
                session.out.line(sentence(FerryError(row.message, row.remedy)))
        start += len(rows)


def _wait(session: Session, parsed: Parsed) -> Work:
    from tui.cli.waiting import follow

    ids = job_ids(parsed.operands)

    async def work(client: OpenClient) -> int:
        wanted = ids or [job.id for job in await client.jobs() if not job.state.is_final]
        for id in ids:
            await client.job(id)  # One that does not exist is refused before anything is waited for.
        if not wanted:
            return Status.DONE
        return await follow(
            session, client, list(dict.fromkeys(wanted)), json=parsed.has("--json"), own=False
        )

    return work


def _restore(session: Session, parsed: Parsed) -> Work:
    async def work(client: OpenClient) -> int:
        ids = await client.restore()
        session.messages.note(f"brought back: job{'s' * (len(ids) > 1)} {', '.join(map(str, ids))}")
        return Status.DONE

    return work


def _undo(session: Session, parsed: Parsed) -> Work:
    ids = job_ids(parsed.operands)

    async def work(client: OpenClient) -> int:
        status = Status.DONE
        for id in dict.fromkeys(ids):  # in turn: one may bring back what the next one needs
            try:
                status = max(status, await _undo_one(session, client, id, parsed))
            except (EngineUnreachable, ProtocolMismatch):
                raise
            except FerryError as error:
                session.messages.error(error)
                status = max(status, status_of(error))
            if status is Status.INTERRUPTED:
                break
        return status

    return work


async def _undo_one(session: Session, client: OpenClient, id: int, parsed: Parsed) -> Status:
    from tui.cli.waiting import follow

    json = parsed.has("--json")
    queued = await client.undo(id)
    if json:
        job = await client.job(queued)
        session.out.json(events.submitted(queued, str(job.kind), job.source_count, job.target))
    elif parsed.has("--detach"):
        session.out.line(str(queued))
    if parsed.has("--detach"):
        return Status.DONE
    return await follow(session, client, [queued], json=json, own=True)


def _limit(session: Session, parsed: Parsed) -> Work:
    rate, *words = parsed.operands
    bytes_s, ids = parse_rate(rate), job_ids(words)

    async def work(client: Client) -> int:
        await client.limit(bytes_s, ids or None)
        return Status.DONE

    return work


def _answer(session: Session, parsed: Parsed) -> Work:
    from tui.cli.arguments import nearest

    (id,), rule = job_ids(parsed.operands[:1]), parsed.operands[1]
    if rule not in ANSWERS:
        raise UsageError(f"{rule!r} is not an answer", nearest(rule, ANSWERS))

    async def work(client: Client) -> int:
        await client.job(id)
        questions = await client.questions(id, 1)
        if not questions:
            raise NotPossible(f"job {id} has no open question")
        await client.answer(questions[0].id, Conflict(rule), for_all=parsed.has("--all"))
        return Status.DONE

    return work


def _rule(session: Session, parsed: Parsed) -> Work:
    from tui.cli.arguments import nearest

    (id,), rule = job_ids(parsed.operands[:1]), parsed.operands[1]
    if rule not in RULES:
        raise UsageError(f"{rule!r} is not a conflict rule", nearest(rule, RULES))

    async def work(client: Client) -> int:
        await client.set_conflict([id], Conflict(rule))
        return Status.DONE

    return work


def _names(session: Session, parsed: Parsed) -> Work:
    from tui.cli.arguments import nearest

    (id,), how = job_ids(parsed.operands[:1]), parsed.operands[1]
    ways = [name for name in NAMES if name != Names.ASK]
    if how not in ways:
        raise UsageError(f"{how!r} is not what can be done with names", nearest(how, ways))

    async def work(client: Client) -> int:
        await client.set_names([id], Names(how))
        return Status.DONE

    return work


ASKING: dict[str, Prepare] = {
    "queue": _list,
    "show": _show,
    "limit": _limit,
    "answer": _answer,
    "rule": _rule,
    "names": _names,
    "restore": _restore,
}
"""What only asks the engine, as all other words but these do: see `_act`."""
FOLLOWING: dict[str, Prepare] = {"wait": _wait, "answer-host": queue_hosts.answer, "undo": _undo}
"""What waits for jobs to go on."""
