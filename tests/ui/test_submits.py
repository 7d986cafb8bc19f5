"""What is on its way into the queue gets there, whoever goes meanwhile."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tui.config import ConfirmSettings
from tui.model.error import UsageError
from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.ui.notes import in_words
from tui.ui.submits import Submits

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("signals_as_before")


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


async def leave_in_the_middle(s) -> None:
    """Have a trash job on its way into a queue that does not answer yet, and leave the screen."""
    s.client.freeze()
    await s.cursor_on("notes.txt")
    await s.press("d")
    await s.until(lambda: s.app.submits.entries == 1, "on its way")
    await s.press("q")
    await s.until(lambda: not s.app.is_running, "left")


async def test_a_request_that_is_on_its_way_gets_into_the_queue_when_the_screen_is_left(shell, capsys):
    async with shell(confirm=ConfirmSettings(trash=False)) as s:
        await leave_in_the_middle(s)
    assert not s.requests
    s.client.thaw()
    assert await s.app.submits.settle() == []
    (request,) = s.requests
    assert request.kind is JobKind.TRASH
    assert s.app.submits.entries == 0
    assert "Putting 1 entry into the queue …" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # the terminal may go now, too


async def test_what_does_not_get_into_the_queue_is_said_when_the_screen_has_gone(shell):
    async with shell(confirm=ConfirmSettings(trash=False)) as s:
        await leave_in_the_middle(s)
    s.client.unreachable = True
    s.client.thaw()
    (error,) = await s.app.submits.settle()
    assert in_words(s.app, error).startswith("the engine is not answering. ")


class Refuses:
    """A client whose queue takes nothing."""

    async def submit(self, request: Request) -> int:
        raise UsageError("nothing to do")


async def test_nothing_is_said_where_nothing_is_on_its_way(capsys):
    submits = Submits(Refuses())  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        await submits.submit(Request(kind=JobKind.TRASH, sources=(Location("/a"),)))
    assert await submits.settle() == []
    assert capsys.readouterr().out == ""
