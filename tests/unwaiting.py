"""What stands between tests and the disk: it is told to write, and nobody waits for it.

Only a machine that goes down loses by that, and no test lives to see one. What is flushed, when, and what a refusal
does is stated by tests that stand in for these calls themselves; processes that tests start do wait.
"""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Library:
    """The C library, without the calls that wait for the disk."""

    def __init__(self, library: Any) -> None:
        self._library = library
        if hasattr(library, "syncfs"):
            self.syncfs = _look_at
        if hasattr(library, "sync_file_range"):
            self.sync_file_range = lambda fd, *range: 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


class _Connection(sqlite3.Connection):
    """A journal whose every word is on its way to the disk once it has been given to the system."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return super().execute(
            "PRAGMA synchronous = OFF" if sql.startswith("PRAGMA synchronous") else sql, *parameters
        )


def _look_at(fd: int, fstat: Callable[[int], object] = os.fstat) -> int:
    fstat(fd)  # one that is closed is still an error
    return 0


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk() -> Iterator[None]:
    """Have nothing in this process wait for the disk: it took most of the time of tests that say nothing of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "fdatasync"):
            patch.setattr(os, name, _look_at)
        patch.setattr(syscalls, "_libc", _Library(syscalls._libc))
        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=_Connection))
        yield
