"""Output never waits for the terminal, and what waits is bounded."""

from __future__ import annotations

import asyncio
import os
import tty
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tui.ui.terminal.output import MOST_QUEUED, Output

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Line:
    """A pseudo-terminal with an output on it whose frames are the next number."""

    master: int
    slave: int
    output: Output = field(init=False)
    state: str = ""
    made: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        self.output = Output(self.slave, asyncio.get_running_loop(), self.next_frame, self.on_lost)

    def next_frame(self) -> str:
        self.made += 1
        return self.state

    def on_lost(self) -> None:
        self.lost += 1

    def show(self, state: str) -> None:
        self.state = state
        self.output.want_frame()

    async def read(self) -> str:
        """Read until nothing is pending any more."""
        data = b""
        while True:
            await asyncio.sleep(0)
            try:
                data += os.read(self.master, 1 << 16)
            except BlockingIOError:
                if not self.output.pending:
                    return data.decode()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    os.set_blocking(slave, False)
    line = Line(master, slave)
    yield line
    line.output.lose()
    for fd in (master, slave):
        try:
            os.close(fd)
        except OSError:
            assert fd == master


async def test_control_sequences_keep_their_order_and_come_before_the_frame(line: Line) -> None:
    line.show("frame")
    line.output.control("one ")
    line.output.control("two ")
    assert await line.read() == "one two frame"


async def test_updates_of_one_moment_become_one_frame(line: Line) -> None:
    for state in "abc":
        line.show(state)
    assert await line.read() == "c"
    assert line.made == 1


async def test_a_terminal_that_does_not_read_gets_the_latest_state_when_it_reads(line: Line) -> None:
    big = "x" * 100_000
    line.show(big)
    await asyncio.sleep(0.01)
    assert line.output.pending
    for number in range(1000):
        line.show(f"<{number}>")
        await asyncio.sleep(0)
    assert line.made == 1
    assert await line.read() == big + "<999>"
    assert line.made == 2


async def test_the_queue_of_control_sequences_is_bounded(line: Line) -> None:
    line.show("x" * 100_000)
    await asyncio.sleep(0.01)
    assert line.output.control("y" * MOST_QUEUED)
    assert not line.output.control("z")


async def test_leaving_gives_up_a_terminal_that_does_not_read(line: Line) -> None:
    line.show("x" * 100_000)
    await asyncio.sleep(0.01)
    assert not line.output.finish(0.05)


async def test_leaving_sends_what_is_queued(line: Line) -> None:
    line.output.control("bye")
    assert line.output.finish(1)
    assert await line.read() == "bye"


async def test_a_terminal_that_has_gone_is_told_once(line: Line) -> None:
    os.close(line.master)
    line.show("x")
    await asyncio.sleep(0.01)
    line.show("y")
    assert not line.output.control("z")
    await asyncio.sleep(0.01)
    assert line.lost == 1
    assert not line.output.pending
