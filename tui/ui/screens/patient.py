"""Dialogs that wait for the engine as long as it takes, and say so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from tui.model.error import EngineUnreachable, NotPossible
from tui.ui.notes import saying_when_slow
from tui.ui.screens.dialog import Dialog, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = TypeVar("Answer")

RETRY_S = 1.0
"""Pause before an engine that does not answer is asked again."""
_TRYING_AGAIN = "The engine does not answer; trying again."


class PatientDialog(Dialog[Result]):
    """A dialog with a line for feedback, which tells there that the engine does not answer."""

    _complains = False

    async def hear(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask the engine until it answers, and return its answer."""
        while True:
            try:
                with saying_when_slow(self, self._complain):
                    answer = await ask()
            except EngineUnreachable:
                self._complain(_TRYING_AGAIN)
                await asyncio.sleep(RETRY_S)
            else:
                self._calm_down()
                return answer

    async def hand_over(self, give: Callable[[], Awaitable[object]]) -> str:
        """Have the engine take an answer; return what it says where somebody else was quicker.

        Of an engine that does not answer nobody knows whether it took this: it is told again. That it then waits for
        no answer any more is the answer, too.
        """
        told = 0

        async def tell() -> str:
            nonlocal told
            told += 1
            try:
                await give()
            except NotPossible as error:
                return "" if told > 1 else error.message
            return ""

        return await self.hear(tell)

    def _complain(self, text: str) -> None:
        self._complains = True
        self.say(text, wrong=True)

    def _calm_down(self) -> None:
        if self._complains:
            self._complains = False
            self.say("")
