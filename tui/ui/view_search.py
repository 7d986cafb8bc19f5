"""Search in a file of any size: forward or back, chunk by chunk, cancelled between two of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui.model.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.ui.view_source import ViewSource

CHUNK = 256 * 1024
"""Searched at once: small enough that no key waits for it."""
_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2}\s*)+)")


class Needle:
    """What is searched for. Small letters find capitals too; a capital among them finds only itself.

    Args:
        text: What was typed.
        as_bytes: The text is bytes in hexadecimal ("de ad be ef", "0xdead").
    Raises:
        UsageError: There is nothing to search for, or it is no hexadecimal.
    """

    def __init__(self, text: str, *, as_bytes: bool = False) -> None:
        if not text:
            raise UsageError("there is nothing to search for")
        self.text = text
        self._any_case = text == text.lower() and not as_bytes
        self._plain = text.encode() if text.isascii() and not as_bytes else None
        """Where only ASCII is searched for: found without a pattern, which is much faster."""
        if as_bytes:
            match = _HEX.fullmatch(text.strip())
            if match is None:
                raise UsageError(
                    f"{text!r} is no row of bytes", 'Write them as "de ad be ef" or "0xdeadbeef".'
                )
            self._pattern = re.compile(re.escape(bytes.fromhex(match[1])))
            self.longest_bytes = len(bytes.fromhex(match[1]))
        else:
            variants = [_variants(character, self._any_case) for character in text]
            self._pattern = re.compile(b"".join(_either(each) for each in variants))
            self.longest_bytes = sum(max(map(len, each)) for each in variants)

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """Return (start, end) of all places in some bytes, left to right."""
        return [match.span() for match in self._pattern.finditer(data)]

    def first(self, data: bytes) -> int:
        """Return where it is found first, or -1."""
        if self._plain is not None:
            return (data.lower() if self._any_case else data).find(self._plain)
        match = self._pattern.search(data)
        return match.start() if match else -1

    def last(self, data: bytes, before: int) -> int:
        """Return where it is found last, beginning before an index; or -1."""
        if self._plain is not None:
            searched = data.lower() if self._any_case else data
            return searched.rfind(self._plain, 0, before - 1 + len(self._plain))
        found = -1
        while (match := self._pattern.search(data, found + 1)) is not None and match.start() < before:
            found = match.start()
        return found


def _variants(character: str, any_case: bool) -> list[bytes]:
    forms = {character, character.lower(), character.upper()} if any_case else {character}
    return sorted(form.encode("utf-8", "surrogateescape") for form in forms)


def _either(variants: list[bytes]) -> bytes:
    if all(len(variant) == 1 for variant in variants) and len(variants) > 1:
        return b"[" + b"".join(map(re.escape, variants)) + b"]"
    return b"(?:" + b"|".join(map(re.escape, variants)) + b")"


async def find_forward(
    source: ViewSource, needle: Needle, start: int, at: Callable[[int], None]
) -> int | None:
    """Return the offset of the first place from `start` on, or None.

    Args:
        at: Called with the offset searched so far, now and then.
    """
    overlap = needle.longest_bytes - 1
    offset = start
    while offset < source.size_bytes:
        data = await source.read(offset, CHUNK + overlap)
        if (found := needle.first(data)) >= 0:
            return offset + found
        if len(data) < CHUNK:
            return None
        offset += CHUNK
        at(offset)
    return None


async def find_backward(
    source: ViewSource, needle: Needle, end: int, at: Callable[[int], None]
) -> int | None:
    """Return the offset of the last place that begins before `end`, or None."""
    overlap = needle.longest_bytes - 1
    while end > 0:
        offset = max(0, end - CHUNK)
        data = await source.read(offset, end - offset + overlap)
        if (found := needle.last(data, end - offset)) >= 0:
            return offset + found
        end = offset
        at(offset)
    return None
