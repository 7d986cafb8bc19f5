"""What a person types to pick names: a part of the name, or a pattern with `*`, `?` and `[…]`, with smart case."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Callable

_WILD = re.compile(r"[*?]|\[[^]]+]")


def matcher(text: str, *, whole: bool = False) -> Callable[[str], bool]:
    """Return the test whether a name is meant by a text.

    Case counts only if the text holds a capital letter. Composed and decomposed letters are the same here: people
    type "é" as one character, and some systems store it as two.

    Args:
        whole: Without wildcards, the text must be the whole name, not only a part of it.
    """
    text = normalize("NFC", text)
    folded = text == text.casefold()
    if _WILD.search(text):
        match = re.compile(fnmatch.translate(text.casefold() if folded else text)).match
        return lambda name: match(_plain(name, folded)) is not None
    if whole:
        return lambda name: _plain(name, folded) == text
    return lambda name: text in _plain(name, folded)


def _plain(name: str, folded: bool) -> str:
    if not name.isascii():
        name = normalize("NFC", name)
    return name.casefold() if folded else name
