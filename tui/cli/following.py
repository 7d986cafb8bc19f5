"""Following jobs to their end: updates, keys and signals come in one line, one after the other."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from tui.cli.keyboard import Keyboard, signals
from tui.cli.prompt import prompt
from tui.model.error import EngineUnreachable, FerryError, NoSuchJob, NotPossible
from tui.model.job import Conflict, Disconnected, Job, Question, Update
from tui.model.misfit import Names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.cli.telling import Teller
    from tui.client.base import Client
    from tui.model.ask import HostQuestion

SILENCE_S = 30.0
"""An engine that does not answer for so long is given up."""
LETTING_IT_GO_ON = "letting it go on"
CANCEL_S = 10.0
"""Time for a job to stop after it was cancelled."""


class Said(NamedTuple):
    """What somebody typed to answer a host; None: no answer."""

    text: str | None


Item = Update | Disconnected | FerryError | signal.Signals | Said | str
"""What comes in: news of jobs, what ends the following, a signal, an answer, a key."""

ANSWERS: dict[str, Conflict] = {
    "s": Conflict.SKIP,
    "o": Conflict.OVERWRITE,
    "n": Conflict.NEWER,
    "k": Conflict.RENAME,
}
"""Keys of the answers; capital letters answer for all of the job."""
NAMES: dict[str, Names] = {
    "l": Names.LOOKALIKE,
    "u": Names.UNDERSCORE,
    "s": Names.SKIP,
    "k": Names.KEEP,
}
"""Keys of what is done with names that do not fit."""


class Ending(Struct):
    """How following ended: the jobs as last seen, by id, and whether somebody stepped in.

    Attributes:
        held: Jobs that wait, since there is no room for what they bring.
    """

    jobs: dict[int, Job] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    interrupted: bool = False
    detached: bool = False


class Following:
    """Follows jobs until all have ended, shows how they go, and passes on what is said meanwhile.

    A job that waits for room at its target is not waited for: nothing goes on until somebody has made some.

    Args:
        interactive: Somebody can be asked.
        own: The jobs were queued by this command, so that stopping it may stop them.
        detach: What becomes of them when this process leaves them ("letting it go on"); empty: they end with it.
    """

    def __init__(
        self,
        client: Client,
        ids: Iterable[int],
        teller: Teller,
        *,
        interactive: bool,
        own: bool = True,
        detach: str = LETTING_IT_GO_ON,
    ) -> None:
        self._client, self._teller = client, teller
        self._waited_for = set(ids)
        self._interactive, self._own, self._detach = interactive, own, detach
        self._inbox: asyncio.Queue[Item] = asyncio.Queue()
        self._ending = Ending()
        self._question: Question | None = None
        self._misfit: int | None = None
        """The job whose names are asked about."""
        self._named: set[int] = set()
        """Those that were answered for: what comes in of them may be older than the answer."""
        self._hosts: tuple[HostQuestion, ...] = ()
        """What hosts ask for our jobs, as last heard."""
        self._host: HostQuestion | None = None
        """That of them which stands on the terminal."""
        self._answered: set[int] = set()
        self._asks_hosts = teller.asks_hosts
        self._asks_to_leave = False
        self._give_up_at: float | None = None
        self._prompt = prompt(asyncio.get_running_loop(), lambda text: self._inbox.put_nowait(Said(text)))
        self._keyboard = Keyboard(asyncio.get_running_loop(), self._inbox.put_nowait)

    async def to_the_end(self) -> Ending:
        """Return when all jobs have ended, or when somebody wants to leave.

        Raises:
            EngineUnreachable: The engine has not answered for half a minute.
            NoSuchJob: A job was taken off the list before its end was seen.
        """
        pump = asyncio.create_task(self._pump())
        try:
            with signals(asyncio.get_running_loop(), self._inbox.put_nowait):
                while self._waited_for and not self._ending.detached:
                    await self._take(await self._next())
                    await self._ask_host()
        finally:
            self._keyboard.close()
            self._prompt.close()
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
        return self._ending

    async def _pump(self) -> None:
        """Put everything the engine tells into the inbox."""
        try:
            async for update in self._client.updates():
                self._inbox.put_nowait(update)
            self._inbox.put_nowait(EngineUnreachable("the engine has stopped telling what it does"))
        except FerryError as error:
            self._inbox.put_nowait(error)

    async def _next(self) -> Item:
        try:
            async with asyncio.timeout_at(self._give_up_at):
                return await self._inbox.get()
        except TimeoutError:
            return EngineUnreachable("the engine does not answer any more")

    async def _take(self, item: Item) -> None:
        match item:
            case Update():
                await self._update(item)
            case Disconnected():
                if self._give_up_at is None:
                    self._give_up_at = asyncio.get_running_loop().time() + SILENCE_S
                    self._teller.silent(item.reason)
            case signal.Signals():
                await self._signal(item)
            case Said():
                await self._answer_host(item.text)
            case str():
                await self._key(item)
            case FerryError():
                raise item

    async def _update(self, update: Update) -> None:
        if not self._ending.interrupted:
            self._give_up_at = None
        self._hosts = tuple(
            each for each in update.host_questions if self._waited_for.intersection(each.jobs)
        )
        if self._host is not None and self._host.id not in {each.id for each in self._hosts}:
            self._close_host("answered elsewhere")
        listed = {job.id: job for job in update.jobs}
        for id in sorted(self._waited_for):
            if job := listed.get(id):
                await self._changed(job)
            elif update.full or id in update.removed:
                raise NoSuchJob(f"job {id} was taken off the list before its end was seen")

    async def _changed(self, job: Job) -> None:
        before = self._ending.jobs.get(job.id)
        self._ending.jobs[job.id] = job
        await self._teller.changed(job, before, self._client)
        if job.state.is_final:
            self._waited_for.discard(job.id)
            if self._question is not None and self._question.job == job.id:
                self._close_question("ended")
        elif self._cannot_go_on(job):
            await self._hold(job)
        elif self._misfit is not None and not job.wants_names and self._misfit == job.id:
            self._misfit = None
            self._close_question("answered elsewhere")
        elif job.wants_names and not (self._asks or job.id in self._named):
            await self._ask_names(job)
        elif self._question is not None and self._question.job == job.id and not job.progress.questions:
            self._close_question("answered elsewhere")
        elif job.progress.questions and not self._asks:
            await self._ask(job.id)

    def _cannot_go_on(self, job: Job) -> bool:
        """Whether a job waits for something that nobody does, or says, here."""
        if job.wants_host:
            return not self._asks_hosts
        return job.wants_room or (job.wants_names and not self._interactive)

    @property
    def _asks(self) -> bool:
        """Something stands on the terminal to be answered."""
        return bool(self._question or self._misfit or self._host or self._asks_to_leave)

    async def _hold(self, job: Job) -> None:
        """Leave a job that cannot go on to whoever makes space; where it would end with this process, end it well."""
        if self._detach:
            self._ending.held.add(job.id)
            self._waited_for.discard(job.id)
        elif job.id not in self._ending.held:
            self._ending.held.add(job.id)
            with suppress(NotPossible):
                await self._client.cancel([job.id])

    # Questions

    async def _ask(self, id: int) -> None:
        """Put the oldest open question of a job, where somebody is there to answer."""
        if not self._interactive or self._ending.interrupted:
            return
        questions = await self._client.questions(id, 1)
        if questions:
            self._question = questions[0]
            self._keyboard.open()  # first: whoever sees the question may answer at once
            self._teller.ask(self._question)

    async def _ask_names(self, job: Job) -> None:
        """Ask what to do with names that do not fit, where nothing has been written yet."""
        if self._ending.interrupted:
            return
        misfits = await self._client.misfits(job.id)
        if misfits.total:
            self._misfit = job.id
            self._keyboard.open()
            self._teller.ask_names(misfits)

    async def _ask_host(self) -> None:
        """Put the oldest open question of a host, where nothing else is asked just now."""
        open_ones = [each for each in self._hosts if each.id not in self._answered]
        if not open_ones or not self._asks_hosts or self._asks or self._ending.interrupted:
            return
        self._teller.hold()
        if self._prompt.open(open_ones[0]):
            self._host = open_ones[0]
            return
        self._teller.go_on()
        self._asks_hosts = self._teller.asks_hosts = False  # The terminal has gone.
        for job in list(self._ending.jobs.values()):
            if job.wants_host:
                await self._changed(job)

    def _close_host(self, said: str) -> None:
        if self._host is None:
            return
        self._host = None
        self._prompt.close(said)
        self._teller.go_on()

    async def _answer_host(self, text: str | None) -> None:
        question = self._host
        if question is None:
            return
        self._answered.add(question.id)
        self._close_host("")
        with suppress(NotPossible):
            await self._client.answer_host(question.id, text)
        await self._ask_what_else()

    async def _ask_what_else(self) -> None:
        """Put what could not be put while something else was asked."""
        for job in list(self._ending.jobs.values()):
            if job.progress.questions and not self._asks:
                await self._ask(job.id)
            elif job.wants_names and not self._asks and job.id not in self._named:
                await self._ask_names(job)

    def _close_question(self, said: str) -> None:
        self._question = None
        self._keyboard.close()
        self._teller.answered(said)

    async def _key(self, key: str) -> None:
        if self._asks_to_leave:
            await self._leave(key.lower())
        elif self._misfit is not None and (names := NAMES.get(key.lower())):
            id, self._misfit = self._misfit, None
            self._named.add(id)
            self._close_question(str(names))
            with suppress(NotPossible):
                await self._client.set_names([id], names)
        elif self._question is not None and (rule := ANSWERS.get(key.lower())):
            question, for_all = self._question, key.isupper()
            self._close_question(f"{rule}, all of this job" if for_all else str(rule))
            with suppress(NotPossible):
                await self._client.answer(question.id, rule, for_all=for_all)
            if not for_all:
                await self._ask(question.job)

    # Leaving

    async def _signal(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP and self._detach:
            self._ending.interrupted = self._ending.detached = True
        elif not self._own:
            self._ending.interrupted = self._ending.detached = True
        elif number == signal.SIGINT and self._interactive and not self._asks_to_leave:
            self._question = self._misfit = None
            self._close_host("")
            self._asks_to_leave = True
            self._keyboard.open()
            self._teller.ask_to_leave(self._detach)
        else:
            await self._cancel()

    async def _leave(self, key: str) -> None:
        if key == "d" and self._detach:
            self._teller.answered("detach")
            self._ending.interrupted = self._ending.detached = True
        elif key == "c":
            await self._cancel()
        elif key in ("g", "\x1b", "\r", "\n"):
            self._asks_to_leave = False
            self._keyboard.close()
            self._teller.answered("go on")
            await self._ask_what_else()

    async def _cancel(self) -> None:
        """Cancel what has not ended, and go on following until it has."""
        self._keyboard.close()
        self._close_host("")
        if self._ending.interrupted:
            return
        self._teller.answered("cancel")
        self._asks_to_leave, self._misfit = False, None
        self._ending.interrupted = True
        self._give_up_at = asyncio.get_running_loop().time() + CANCEL_S
        for id in sorted(self._waited_for):
            with suppress(NotPossible):
                await self._client.cancel([id])
