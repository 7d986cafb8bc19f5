"""Where the engine's memory comes from: one pool for all of its threads."""

from __future__ import annotations

import contextlib
import ctypes

_M_ARENA_MAX = -8
"""`malloc.h` of the GNU C library. No other library has `mallopt`, nor a pool for each thread."""


def share() -> None:
    """Let all threads take memory from one pool. To be called before there are threads that take any.

    By default each has its own, and what one gives back no other can take: a file of 1 GiB on its way to a store, read,
    hashed and sent by different threads, left 70 MiB lying in them. They seldom want it at once: Python lets one run.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
