"""`ferry queue answer-host`, and what `ferry queue` says of the hosts that ask something."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tui.cli.diagnostics import Status
from tui.cli.operands import job_ids
from tui.cli.prompt import wanted
from tui.cli.urls import place_of
from tui.model.error import NotPossible
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session, Work
    from tui.client.base import Client
    from tui.model.ask import HostQuestion

RETRY_S = 15.0
"""So long a job is looked at after an answer: a wrong one is asked for again."""
LOOK_EVERY_S = 0.1
MOST_ANSWER_BYTES = 1 << 16


def answer(session: Session, parsed: Parsed) -> Work:
    """Return what answers what a job's hosts ask, read from the terminal or else from standard input."""
    from tui.cli.reaching import put

    (id,) = job_ids(parsed.operands)
    typed = sys.stdin.isatty()

    async def work(client: Client) -> int:
        await client.job(id)
        question = await _next(client, id, 0)
        if question is None:
            raise NotPossible(
                f"no host asks anything for job {id}", "`ferry queue` shows what waits for an answer."
            )
        if parsed.has("--refuse"):
            await client.answer_host(question.id, None)
            return Status.DONE
        if not typed:
            line = sys.stdin.buffer.readline(MOST_ANSWER_BYTES)
            text = line.rstrip(b"\r\n").decode("utf-8", "replace") if line else None
            await client.answer_host(question.id, text)
            return Status.DONE
        while question is not None:
            await client.answer_host(question.id, await put(session.messages, question))
            question = await _after(client, id, question.id)
        return Status.DONE

    return work


async def _next(client: Client, id: int, last: int) -> HostQuestion | None:
    """Return the oldest question for a job that is newer than the last one."""
    questions = [each for each in await client.host_questions() if id in each.jobs and each.id > last]
    return min(questions, key=lambda each: each.id, default=None)


async def _after(client: Client, id: int, last: int) -> HostQuestion | None:
    """Return what is asked for a job after an answer, or None once it goes on, or has ended."""
    import asyncio

    ends = asyncio.get_running_loop().time() + RETRY_S
    while asyncio.get_running_loop().time() < ends:
        if (question := await _next(client, id, last)) is not None:
            return question
        if not (await client.job(id)).wants_host:
            return None
        await asyncio.sleep(LOOK_EVERY_S)
    return None


def lines(questions: Sequence[HostQuestion]) -> Iterator[str]:
    """Yield what waits for an answer, a line for each question that a job has, with what answers it."""
    for question in questions:
        if question.jobs:
            ids = ", ".join(map(str, question.jobs))
            place = visible(place_of(question.place))
            how = f"`ferry queue answer-host {question.jobs[0]}`"
            yield f"{place} asks for {wanted(question)}, and job {ids} waits for it: {how}"
