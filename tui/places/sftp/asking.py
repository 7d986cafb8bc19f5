"""Ask a person for what a host wants to know, and keep the answers: in memory, or in a keyring where configured."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tui.model.ask import Ask, AskKind
    from tui.places.base import Asker
    from tui.places.sftp.keyring import Keyring


class Answers:
    """What was answered and not refused since. No secret has a readable form here."""

    def __init__(self, keyring: Keyring | None = None) -> None:
        self.keyring = keyring
        self._texts: dict[tuple[AskKind, str], str] = {}
        self._host_keys: dict[str, set[bytes]] = {}

    def __repr__(self) -> str:
        return f"Answers({len(self._texts)} kept)"

    def get(self, kind: AskKind, subject: str) -> str | None:
        return self._texts.get((kind, subject))

    def keep(self, kind: AskKind, subject: str, text: str) -> None:
        self._texts[kind, subject] = text

    def drop(self, kind: AskKind, subject: str) -> None:
        self._texts.pop((kind, subject), None)

    async def settle(self, *, signed_in: bool) -> None:
        """Tell the keyring, where there is one, what was right and what was not."""
        if self.keyring is not None:
            await self.keyring.settle(self._texts, signed_in=signed_in)

    def accept(self, name: str, key: bytes) -> None:
        """Take a host's key for the right one from now on: the file to remember it in may not be writable."""
        self._host_keys.setdefault(name, set()).add(key)

    def accepted(self, name: str) -> Collection[bytes]:
        """Return the keys of a host that were taken for the right ones since Ferry began."""
        return self._host_keys.get(name, ())


class Asking:
    """Asks for one connection, whose time stands still meanwhile.

    A question outlives the connection: a host hangs up on those who think for long (LoginGraceTime), and what they then
    answer is for the next try.
    """

    def __init__(self, asker: Asker, answers: Answers, limit: asyncio.Timeout, timeout_s: float) -> None:
        self.answers = answers
        self._asker, self._limit, self._timeout_s = asker, limit, timeout_s
        self._open: asyncio.Task[str] | None = None

    @property
    def unanswered(self) -> bool:
        """A question is still open."""
        return self._open is not None and not self._open.done()

    async def ask(self, ask: Ask, subject: str, *, keep: bool = True) -> str:
        """Return what somebody answers to a question, and keep it as that of its kind about a subject.

        Raises:
            AuthenticationFailed: Somebody said that there is no answer; or whatever else the asker raises.
        """
        with self.time_stands_still():
            self._open = asyncio.create_task(self._answer(ask, subject, keep))
            return await asyncio.shield(self._open)

    @contextlib.contextmanager
    def time_stands_still(self) -> Iterator[None]:
        """Count nothing against the host that is not waiting for it."""
        self._limit.reschedule(None)
        try:
            yield
        finally:
            with contextlib.suppress(RuntimeError):  # the connection is over, and its time with it
                self._limit.reschedule(asyncio.get_running_loop().time() + self._timeout_s)

    async def finish(self) -> None:
        """Wait for the answer to the open question."""
        if self._open is not None:
            self._limit.reschedule(None)
            await self._open

    async def aclose(self) -> None:
        """Take back a question that is still open."""
        if self._open is not None:
            self._open.cancel()
            await asyncio.gather(self._open, return_exceptions=True)

    async def _answer(self, ask: Ask, subject: str, keep: bool) -> str:
        text = await self._kept(ask, subject) if keep and not ask.retry else None
        if text is None:
            text = (await self._asker.ask(ask)).text
        if keep:
            self.answers.keep(ask.kind, subject, text)
        return text

    async def _kept(self, ask: Ask, subject: str) -> str | None:
        keyring = self.answers.keyring
        return None if keyring is None else await keyring.get(ask.kind, subject)
