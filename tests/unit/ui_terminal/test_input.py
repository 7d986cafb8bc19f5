"""Whatever bytes a terminal sends, keys come out and nothing breaks."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from tui.ui.keys import key_name
from tui.ui.terminal.input import Input

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.message import Message


class Keyboard:
    """A pipe in place of a terminal, and what came out of it."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.messages: list[Message] = []
        self.arrived = asyncio.Event()
        self.lost = asyncio.Event()
        self.input = Input(self.reader, asyncio.get_running_loop(), self.take, self.lost.set)
        self.input.start()

    def take(self, message: Message) -> None:
        self.messages.append(message)
        self.arrived.set()

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.messages if isinstance(message, events.Key)]

    async def press(self, data: bytes) -> list[str]:
        self.arrived.clear()
        os.write(self.writer, data)
        await asyncio.wait_for(self.arrived.wait(), 5)
        return self.keys


@pytest.fixture
async def keyboard() -> AsyncIterator[Keyboard]:
    keyboard = Keyboard()
    yield keyboard
    keyboard.input.stop()
    os.close(keyboard.reader)
    if not keyboard.lost.is_set():
        os.close(keyboard.writer)


async def test_keys_arrive(keyboard: Keyboard) -> None:
    assert await keyboard.press(b"a\x1b[B") == ["a", "down"]


async def test_invalid_utf8_is_replaced(keyboard: Keyboard) -> None:
    await keyboard.press(b"\xff\xc3(b")
    characters = [message.character for message in keyboard.messages if isinstance(message, events.Key)]
    assert characters == ["\ufffd", "\ufffd", "(", "b"]


async def test_a_character_cut_in_two_arrives_whole(keyboard: Keyboard) -> None:
    os.write(keyboard.writer, "ö".encode()[:1])
    await asyncio.sleep(0.01)
    assert keyboard.messages == []
    assert await keyboard.press("ö".encode()[1:]) == ["ö"]


async def test_an_escape_left_alone_arrives_in_time(keyboard: Keyboard) -> None:
    assert await keyboard.press(b"\x1b") == ["escape"]


@pytest.mark.parametrize(("sent", "name"), [("1", "alt+1"), ("c", "alt+c"), (".", "alt+."), ("?", "alt+?")])
async def test_alt_and_a_key_are_that_key_with_alt(keyboard: Keyboard, sent: str, name: str) -> None:
    await keyboard.press(b"\x1b" + sent.encode())
    assert [key_name(message) for message in keyboard.messages if isinstance(message, events.Key)] == [name]


async def test_the_end_of_the_terminal_is_noticed(keyboard: Keyboard) -> None:
    os.close(keyboard.writer)
    await asyncio.wait_for(keyboard.lost.wait(), 5)


async def test_a_sequence_the_parser_fails_on_is_left_out(
    keyboard: Keyboard, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        assert await keyboard.press(b"a\x1b[99999999999;1ub") == ["a", "b"]


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    loop = asyncio.new_event_loop()
    messages: list[Message] = []
    reader = Input(-1, loop, messages.append, lambda: None)
    logging.disable(logging.CRITICAL)
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.feed(b"\x1b[201~\x1b[201~")
        reader.feed(b"z")
    finally:
        logging.disable(logging.NOTSET)
        reader._cancel_timer()
        loop.close()
    assert isinstance(messages[-1], events.Key)
