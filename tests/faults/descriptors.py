"""Which descriptors the product has open: by that a close of one that is not its own is found out.

A second close is mostly harmless, and now and then ends somebody else's file: whoever opened it got the same number.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import tui

if TYPE_CHECKING:
    from types import FrameType

OPENERS = frozenset({"open", "dup", "memfd_create"})
_PRODUCT = str(Path(tui.__file__).parent)


class Descriptors:
    """Learns of every descriptor opened and closed by way of `os`.

    Attributes:
        strays: Where the product closed what was not open, one line each.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[int] = set()
        self.strays: list[str] = []

    def opened(self, fd: int) -> None:
        with self._lock:
            self._open.add(fd)

    def closing(self, fd: int, frames: int) -> None:
        """Say that a descriptor is about to be closed: only then may its number be given to somebody else.

        Args:
            frames: So far above the caller is whoever closes it.
        """
        with self._lock:
            if fd in self._open:
                self._open.remove(fd)
                return
        caller = sys._getframe(frames + 1)
        if caller.f_code.co_filename.startswith(_PRODUCT):
            self.strays.append(f"descriptor {fd} closed that was not open: {way_to(caller)}")

    def take_strays(self) -> list[str]:
        strays, self.strays = self.strays, []
        return strays


def way_to(caller: FrameType) -> str:
    """Return the lines of the product that led to a call, the innermost first."""
    lines = []
    frame: FrameType | None = caller
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_PRODUCT):
            lines.append(f"{Path(file).name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(lines)


def open_files() -> dict[int, str]:
    """Return what this process has open, by number."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # it was open for the listing only
    return found
