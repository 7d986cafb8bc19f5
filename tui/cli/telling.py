"""How jobs go, told to people (a progress line, questions) or to programs (JSON lines)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.cli import bar, events
from tui.model.job import JobState, Progress
from tui.visible import visible

if TYPE_CHECKING:
    from tui.cli.diagnostics import Diagnostics
    from tui.cli.output import Output
    from tui.client.base import Client
    from tui.model.job import Job, Question
    from tui.model.misfit import Misfits

DRAW_EVERY_S = 0.2
SHOWN_MISFITS = 10


class Teller:
    """What both have in common: questions and remarks, on standard error.

    Attributes:
        asks_hosts: What hosts ask is put to somebody, so that nobody need be told how to answer.
    """

    def __init__(self, messages: Diagnostics, *, interactive: bool, asks_hosts: bool = False) -> None:
        self._messages = messages
        self._interactive = interactive
        self.asks_hosts = asks_hosts
        self._asking = False
        self._remarked: set[tuple[int, JobState]] = set()

    async def changed(self, job: Job, before: Job | None, client: Client) -> None:
        """Tell how a job stands, `before` being how it stood when last seen."""
        if job.state is JobState.PAUSED:
            self._remark(job, f"job {job.id} is paused; `ferry queue resume {job.id}` lets it go on")
        elif job.wants_host and not self.asks_hosts:
            waits = job.note or "waits until somebody answers what a host asks"
            self._remark(job, f"job {job.id} {waits}; `ferry queue answer-host {job.id}` does")
        elif job.wants_room:
            self._remark(job, f"job {job.id} waits: {job.note}")
        elif job.wants_names and not self._interactive:
            answer = (
                f"`ferry queue show {job.id}` lists them, `ferry queue names {job.id} HOW` says what to do"
            )
            self._remark(job, f"job {job.id} waits: {job.note}; {answer}")
        elif job.progress.questions and not self._interactive:
            ask = f"answer in the screen (ferry), or by `ferry queue answer {job.id} RULE --all`"
            self._remark(
                job, f"job {job.id} waits for {_questions(job.progress.questions)}: {ask}", JobState.WAITING
            )

    def _remark(self, job: Job, text: str, about: JobState | None = None) -> None:
        """Say something once."""
        key = (job.id, about or job.state)
        if key not in self._remarked:
            self._remarked.add(key)
            self._messages.note(text)

    def hold(self) -> None:
        """Draw nothing for now: something is asked on the terminal."""
        self._messages.erase()
        self._asking = True

    def go_on(self) -> None:
        self._asking = False

    def silent(self, reason: str) -> None:
        self._messages.note(f"the engine does not answer ({reason}); trying again")

    def ask(self, question: Question) -> None:
        """Show both files of a conflict, and the keys that answer."""
        from tui import format

        source, target = question.source_facts, question.target_facts
        newer = " (newer)" if source.mtime_ns > target.mtime_ns else ""
        older = " (newer)" if source.mtime_ns < target.mtime_ns else ""
        self._messages.say(f"{visible(str(question.target))} is taken by a different file:")
        for label, facts, remark in (("source", source, newer), ("target", target, older)):
            when = format.moment(facts.mtime_ns / 1e9)
            self._messages.say(f"  {label}  {format.size(facts.size_bytes):>10}  {when}{remark}")
        self._asking = True
        self._messages.ask(
            "[s]kip  [o]verwrite  overwrite if [n]ewer  [k]eep both  (capital: all of this job)  "
        )

    def ask_names(self, misfits: Misfits) -> None:
        """Name what does not fit the target's filesystem, and the keys that say what to do."""
        from tui import format

        self._messages.say(f"the target's filesystem does not take {format.misfits(misfits)}:")
        for misfit in misfits.first[:SHOWN_MISFITS]:
            becomes = f" (l: {visible(misfit.becomes)})" if misfit.becomes else ""
            self._messages.say(f"  {visible(str(misfit.source))}: {visible(misfit.why)}{becomes}")
        if misfits.total > SHOWN_MISFITS:
            self._messages.say(f"  … and {format.count(misfits.total - SHOWN_MISFITS)} more")
        self._asking = True
        self._messages.ask("[l]ook-alike names  [u]nderscores  [s]kip them  [k]eep names, as errors  ")

    def ask_to_leave(self, detach: str) -> None:
        """Ask what is to become of the jobs; `detach` says what leaving them does, or is empty."""
        if self._asking:
            self._messages.say("")
        self._asking = True
        leave = f"[d]etach, {detach}  " if detach else ""
        self._messages.ask(f"{leave}[c]ancel, keeping finished files  [g]o on  ")

    def answered(self, said: str) -> None:
        """End the line of a question with its answer."""
        if self._asking:
            self._messages.say(said)
        self._asking = False


class PeopleTeller(Teller):
    """Draws the progress line, where there is a terminal to draw on."""

    def __init__(self, messages: Diagnostics, *, interactive: bool, asks_hosts: bool = False) -> None:
        super().__init__(messages, interactive=interactive, asks_hosts=asks_hosts)
        self._jobs: dict[int, Job] = {}
        self._drawn_at = 0.0

    async def changed(self, job: Job, before: Job | None, client: Client) -> None:
        await super().changed(job, before, client)
        self._jobs[job.id] = job
        now = time.monotonic()
        if self._messages.is_terminal and not self._asking and now - self._drawn_at >= DRAW_EVERY_S:
            self._drawn_at = now
            self._messages.draw(bar.line(list(self._jobs.values()), self._messages.columns()))


class JsonTeller(Teller):
    """Writes an event for every change of state, every error and question, and for progress."""

    def __init__(
        self, messages: Diagnostics, out: Output, *, interactive: bool, asks_hosts: bool = False
    ) -> None:
        super().__init__(messages, interactive=interactive, asks_hosts=asks_hosts)
        self._out = out
        self._errors: dict[int, int] = {}
        """Errors told, by job."""
        self._asked: dict[int, int] = {}
        """The newest question told, by job."""
        self._hosts: set[int] = set()
        """The questions of hosts told."""

    async def changed(self, job: Job, before: Job | None, client: Client) -> None:
        await super().changed(job, before, client)
        if before is None or before.state is not job.state:
            self._out.json(events.state(job))
        if job.progress != (before.progress if before else Progress()):
            self._out.json(events.progress(job))
        await self._tell_errors(job, client)
        if job.progress.questions:
            await self._tell_questions(job, client)
        if job.wants_host:
            await self._tell_hosts(job, client)

    async def _tell_hosts(self, job: Job, client: Client) -> None:
        for question in await client.host_questions():
            if job.id in question.jobs and question.id not in self._hosts:
                self._out.json({"event": "host_question", "job": job.id, **events.host_question(question)})
                self._hosts.add(question.id)

    async def _tell_errors(self, job: Job, client: Client) -> None:
        told = self._errors.get(job.id, 0)
        while told < job.progress.errors:
            rows = await client.errors(job.id, told)
            if not rows:
                break
            for row in rows:
                self._out.json(events.error(row))
            told += len(rows)
            self._errors[job.id] = told

    async def _tell_questions(self, job: Job, client: Client) -> None:
        newest = self._asked.get(job.id, 0)
        for question in await client.questions(job.id):
            if question.id > newest:
                self._out.json(events.question(question))
                self._asked[job.id] = question.id


def _questions(number: int) -> str:
    return "an answer" if number == 1 else f"{number:,} answers"
