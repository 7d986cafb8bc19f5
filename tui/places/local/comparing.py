"""Comparing two folders, entry by entry, in small steps; nothing is written."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, suppress
from enum import Enum
from typing import TYPE_CHECKING

from tui.model.comparison import Change, Compared, Difference
from tui.model.error import NotFound, PlaceError, from_os_error
from tui.model.exclusion import NOTHING, Exclusion
from tui.places.local.alignment import is_aligned
from tui.places.local.content import Stopped
from tui.places.local.excluding import holds_excluded, leaves_out
from tui.places.local.partial import is_partial
from tui.places.local.root import Root, join
from tui.places.local.standing import Pair, facts, is_folder, look

if TYPE_CHECKING:
    from collections.abc import Generator

    from tui.places.local.hops import Brake

STEP_S = 0.05
_LOOK_EVERY = 32
"""Entries between two looks at the clock."""


class Side(Enum):
    """Where a folder stands."""

    BOTH = "both"
    SOURCE = "source"
    TARGET = "target"


class Lone(Enum):
    """Which of the folders that only one side has are gone into."""

    ALL = "all"
    UNOPPOSED = "unopposed"
    """Not those that clash with something else."""
    NONE = "none"


class Comparison:
    """Compares a folder with another, as a sync would: the entries of each folder by name, then the folders in it.

    No link below the two is followed. Memory holds the names of one folder of each side, and of the folders still to be
    gone into. What unfinished jobs have under partial names is passed over.

    Attributes:
        exhausted: All was compared, or it was stopped by the brake.
    """

    def __init__(
        self,
        source: str,
        target: str,
        brake: Brake,
        *,
        by_content: bool = False,
        strict: bool = False,
        times: bool = True,
        lone: Lone = Lone.ALL,
        exclude: Exclusion = NOTHING,
    ) -> None:
        """Say what is compared; nothing is opened before the first `step`.

        Args:
            target: It need not exist: then all is new.
            by_content: Compare files by content, not by size and time.
            strict: Compare the content of files that agree in size and time, too.
            times: Times travel; where they do not, files of one size and another time are compared by content.
            lone: Which folders that only one side has are gone into.
            exclude: What is passed over on both sides.
        """
        self._paths, self._brake = (source, target), brake
        self._by_content, self._strict, self._times = by_content, by_content or strict, times
        self._lone, self._exclude = lone, exclude
        self._waiting: list[tuple[bytes, list[tuple[bytes, Side]]]] = []
        self._below: list[tuple[bytes, Side]] = []
        self._part = Compared()
        self._opened = ExitStack()
        self._going: Generator[None] | None = None
        self._lock = threading.Lock()
        self.exhausted = False

    def step(self) -> Compared:
        """Compare for about 50 ms, or until the brake is on; return what was found meanwhile.

        Raises:
            PlaceError: One of the two folders cannot be opened.
        """
        with self._lock:
            return self._some()

    def close(self) -> None:
        """Close what is open, when a step under way in another thread has ended."""
        with self._lock:
            self._close()

    def _some(self) -> Compared:
        self._part = Compared()
        if self.exhausted:
            return self._part
        if self._going is None:
            self._going = self._all()
        ends = time.monotonic() + STEP_S
        try:
            with suppress(Stopped):  # by the brake: what was found until then is the answer
                for seen, _ in enumerate(self._going, 1):
                    if self._brake.on:
                        break
                    if seen % _LOOK_EVERY == 0 and time.monotonic() > ends:
                        return self._part
        except BaseException:
            self._close()
            raise
        self._close()
        return self._part

    def _close(self) -> None:
        if self._going is not None:
            self._going.close()
        self._opened.close()
        self.exhausted = True

    def _all(self) -> Generator[None]:
        self._source = self._opened.enter_context(Root.open(self._paths[0]))
        side = Side.BOTH
        try:
            self._target = self._opened.enter_context(Root.open(self._paths[1]))
            self._tops()
        except NotFound:
            side = Side.SOURCE
        yield from self._folder(b"", side)
        while self._waiting:
            above, folders = self._waiting[-1]
            if folders:
                name, side = folders.pop()
                yield from self._folder(join(above, name), side)
            else:
                self._waiting.pop()

    def _tops(self) -> None:
        """Compare the two folders as such."""
        source, target = os.fstat(self._source.fd), os.fstat(self._target.fd)
        if not is_aligned(self._source.fd, b".", source, self._target.fd, b".", target, self._target.ways):
            self._tell(b"", Change.ATTRIBUTES, source, target)

    def _folder(self, path: bytes, side: Side) -> Generator[None]:
        """Compare the entries of one folder; those that are folders wait to be gone into, in order."""
        self._below = []
        with ExitStack() as opened:
            try:
                source = -1 if side is Side.TARGET else _open(self._source, path, opened)
                target = -1 if side is Side.SOURCE else _open(self._target, path, opened)
            except PlaceError as error:
                self._part.failures.append(error)
                return
            yield from self._entries(path, source, target)
        if self._below:
            self._waiting.append((path, self._below[::-1]))

    def _entries(self, path: bytes, source: int, target: int) -> Generator[None]:
        side = self._source if source >= 0 else self._target
        try:
            names = _names(source) | _names(target)
        except OSError as error:
            self._part.failures.append(from_os_error(error, side.location(path), "read the folder"))
            return
        pair = None
        if source >= 0 <= target:
            pair = Pair(
                source, target, self._target.ways, self._brake,
                strict=self._strict, timeless=self._by_content, times=self._times,
            )  # fmt: skip
        for name in sorted(names):
            try:
                self._entry(join(path, name), name, source, target, pair)
            except OSError as error:
                where = side.location(path, name)
                self._part.failures.append(from_os_error(error, where, "compare"))
            yield

    def _entry(self, path: bytes, name: bytes, source: int, target: int, pair: Pair | None) -> None:
        info = look(source, name) if source >= 0 else None
        there = look(target, name) if target >= 0 else None
        if (info is None and there is None) or leaves_out(self._exclude, path, info, there):
            return  # it went meanwhile, or is none of ours
        change = self._change(name, info, there, pair)
        if info is None and there is not None and is_folder(there) and self._holds_excluded(path):
            change = None  # it stays, for what is in it
        if change is not None:
            self._tell(path, change, info, there)
        elif info is not None and not is_folder(info):
            self._part.files_same += 1
        self._note_folder(name, info, there)

    def _holds_excluded(self, path: bytes) -> bool:
        return bool(self._exclude) and holds_excluded(self._target, path, path, self._exclude, self._brake)

    def _change(
        self, name: bytes, info: os.stat_result | None, there: os.stat_result | None, pair: Pair | None
    ) -> Change | None:
        if there is None:
            return Change.NEW
        if info is None or pair is None:
            return Change.EXTRA
        if is_folder(info) != is_folder(there):
            return Change.CLASH
        if not is_folder(info) and not pair.same(name, info, name, there):
            return Change.CHANGED
        if is_aligned(pair.source, name, info, pair.target, name, there, pair.ways):
            return None
        return Change.ATTRIBUTES

    def _note_folder(self, name: bytes, info: os.stat_result | None, there: os.stat_result | None) -> None:
        """Have a folder gone into: on both sides, where both have one."""
        at_source = info is not None and is_folder(info)
        at_target = there is not None and is_folder(there)
        if at_source != at_target:
            clashes = info is not None and there is not None
            if self._lone is Lone.NONE or (clashes and self._lone is Lone.UNOPPOSED):
                return
        if at_source or at_target:
            side = Side.BOTH if at_source and at_target else Side.SOURCE if at_source else Side.TARGET
            self._below.append((name, side))

    def _tell(
        self, path: bytes, change: Change, info: os.stat_result | None, there: os.stat_result | None
    ) -> None:
        source, target = (None if each is None else facts(each) for each in (info, there))
        self._part.differences.append(Difference(os.fsdecode(path), change, source, target))


def _open(root: Root, path: bytes, opened: ExitStack) -> int:
    fd = root.folder(path)
    opened.callback(os.close, fd)
    return fd


def _names(folder: int) -> set[bytes]:
    if folder < 0:
        return set()
    with os.scandir(folder) as entries:
        names = (os.fsencode(entry.name) for entry in entries)
        return {name for name in names if not is_partial(name)}
