"""Reaching hosts from the command line: what they ask meanwhile is put to whoever sits at the terminal."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from tui.cli.prompt import can_ask, prompt, wanted
from tui.cli.urls import place_of
from tui.model.ask import AskKind
from tui.model.error import EngineUnreachable, FerryError
from tui.model.exclusion import NOTHING
from tui.model.job import Disconnected

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator, Sequence
    from typing import Any

    from tui.cli.askpass import Askpass
    from tui.cli.diagnostics import Diagnostics
    from tui.cli.prompt import Prompt
    from tui.client.base import Client
    from tui.model.ask import HostQuestion
    from tui.model.entry import Totals
    from tui.model.exclusion import Exclusion
    from tui.model.location import Location

T = TypeVar("T")


class Unanswered(FerryError):
    """A host asks something, and nobody is there to answer."""

    remedy = "Run it on a terminal, or let a key in ssh's agent (for S3: a profile) answer for you."
    remedy_for_key = "Run it on a terminal, or connect once with ssh, which asks the same."

    def __init__(self, question: HostQuestion) -> None:
        super().__init__(
            f"{place_of(question.place)} asks for {wanted(question)}, and there is no terminal to ask on"
        )
        self.question = question
        if question.ask.kind is AskKind.HOST_KEY:
            self.remedy = self.remedy_for_key


async def reach(
    client: Client, messages: Diagnostics, locations: Iterable[Location], work: Coroutine[Any, Any, T]
) -> T:
    """Do some work while the questions of the hosts it needs are answered, and return what it returns.

    Raises:
        Unanswered: A host asks, and there is no terminal. The work was cancelled.
    """
    places = {place_of(location) for location in locations if not location.is_local}
    if not places:
        return await work
    working = asyncio.create_task(work)
    answering = asyncio.create_task(_answer(client, messages, places))
    try:
        await asyncio.wait((working, answering), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            answering.result()  # It ends by an error only.
        return working.result()
    finally:
        answering.cancel()
        working.cancel()
        await asyncio.gather(answering, working, return_exceptions=True)


async def measure(
    client: Client,
    messages: Diagnostics,
    locations: Sequence[Location],
    time_limit_s: float,
    exclude: Exclusion = NOTHING,
) -> Totals:
    """Count what is in some places, for so long at the most, while their hosts' questions are answered.

    Raises:
        Unanswered: A host asks, and there is no terminal.
    """
    counting = client.measure(locations, time_limit_s=time_limit_s, exclude=exclude)
    return await reach(client, messages, locations, counting)


async def _answer(client: Client, messages: Diagnostics, places: set[str]) -> None:
    """Put the questions of some places, one after the other, until cancelled."""
    answered: set[int] = set()
    async for update in client.updates():
        if isinstance(update, Disconnected):
            continue
        for question in update.host_questions:
            if place_of(question.place) in places and question.id not in answered:
                answered.add(question.id)
                answer = await put(messages, question)
                with suppress(FerryError):  # It was answered elsewhere, or nobody waits for it any more.
                    await client.answer_host(question.id, answer)
    raise EngineUnreachable("the engine has stopped telling what it does")


async def put(messages: Diagnostics, question: HostQuestion) -> str | None:
    """Ask on the terminal and return what was typed; None: no answer.

    Raises:
        Unanswered: There is no terminal.
    """
    if not can_ask():
        raise Unanswered(question)
    answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    def take(typed: str | None) -> None:
        if not answer.done():
            answer.set_result(typed)

    asking = prompt(asyncio.get_running_loop(), take)
    messages.erase()
    with _terminal_given_back(asking):
        if not asking.open(question):
            raise Unanswered(question)
        return await answer


@contextmanager
def _terminal_given_back(prompt: Prompt | Askpass) -> Iterator[None]:
    """Close a prompt in the end, before a signal ends this process too: the terminal must not stay without echo."""
    loop = asyncio.get_running_loop()
    ours = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL]

    def leave(number: signal.Signals) -> None:
        prompt.close()
        loop.remove_signal_handler(number)
        signal.raise_signal(number)

    try:
        for number in ours:
            loop.add_signal_handler(number, leave, number)
        yield
    finally:
        prompt.close()
        for number in ours:
            loop.remove_signal_handler(number)
