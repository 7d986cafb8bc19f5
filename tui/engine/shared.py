"""What all runs of an engine have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass

from tui.engine.board import Board
from tui.engine.clock import Clock
from tui.engine.far.doors import Doors
from tui.engine.journal import Journal
from tui.engine.limiter import Bucket
from tui.model.location import Location
from tui.places.local.workers import Workers


@dataclass(slots=True)
class Shared:
    """Where jobs are written down, what they work with, and how much of it each may take."""

    journal: Journal
    board: Board
    clock: Clock
    pool: Executor
    bucket: Bucket
    slots: int
    workers: Workers
    doors: Doors
    kick: Callable[[], None]
    """Has the queue looked at: something changed that may let a job start."""
    homes: Collection[Location] = ()
    """The user's home folders: no job removes or renames them, or what holds them."""
    group: asyncio.TaskGroup | None = None
    """For what outlives a run: there as long as the engine is."""
