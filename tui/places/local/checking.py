"""Checking one tree against another by what is on their disks, in small steps; nothing is written."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.model.entry import kind_of_mode
from tui.model.error import PlaceError, from_os_error
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.location import Location
from tui.places.local import syscalls
from tui.places.local.checkpoint import START, WINDOW, Checkpoint, Frame, Part, frames_at, mark, names_after
from tui.places.local.content import Stopped
from tui.places.local.excluding import leaves_out
from tui.places.local.name_rules import listed
from tui.places.local.names import folded
from tui.places.local.root import Root, join, split
from tui.places.local.standing import READ_FLAGS, is_folder, look, other_names, same_inode
from tui.places.local.verifying import SLICE_BYTES, Differs, ReadBack

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tui.places.local.checkpoint import Marks
    from tui.places.local.hops import Brake

STEP_S = 0.1


class Verdict(StrEnum):
    """What is wrong with an entry of the target."""

    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. Of folders that are missing or extra, only the uppermost is told.

    Attributes:
        why: Of what differs: "kind", "size", "content", "link" (it points elsewhere) or "device"; else empty.
    """

    verdict: Verdict
    source: Location
    target: Location
    why: str = ""


@dataclass(slots=True)
class Checked:
    """What one step found. Files are all entries that are not folders and stand on both sides, alike or not."""

    files: int = 0
    size_bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    failures: list[PlaceError] = field(default_factory=list)
    current: Location | None = None


class TreeCheck:
    """Compares an entry, and all below it, with another: kinds, content of files, where links point.

    Owners, modes and times do not count. No link is followed. What unfinished jobs have under partial names is
    passed over. Memory holds some thousand names of each folder on the way down, however large they are;
    where the target takes names for one, all those of the folder that is being compared.

    Attributes:
        exhausted: All was compared.
    """

    def __init__(
        self,
        source: Location,
        target: Location,
        brake: Brake,
        *,
        kept_both: bool = False,
        begin: Checkpoint = START,
        exclude: Exclusion = NOTHING,
    ) -> None:
        """Say what is compared; nothing is opened before the first `step`.

        Args:
            kept_both: A file may stand at the target under one of its other names ("name (1).ext"), too.
            begin: Where an earlier check of the same was stopped.
            exclude: What is passed over on both sides.
        """
        self._kept_both, self._begin, self._unread = kept_both, begin, begin.part
        self._exclude = exclude
        self._where, self._brake = (source, target), brake
        self._frames: list[Frame] = []
        self._below: list[bytes] = []
        self._alike: dict[str, list[bytes]] | None = None
        """The names of the source's folder, by what all have in common that may be one at the target."""
        self._part_done: Part | None = None
        self._part = Checked()
        self._opened = ExitStack()
        self._going: Generator[None] | None = None
        self._tops: tuple[bytes, bytes]
        self.exhausted = False

    def step(self) -> Checked:
        """Compare for about a tenth of a second, or until the brake is on; tell what was found meanwhile.

        Once the brake was on, another check has to go on from `checkpoint`.

        Raises:
            PlaceError: The folder that holds the source, or the target, cannot be opened.
        """
        self._part = Checked()
        ends = time.monotonic() + STEP_S
        if self._going is None:
            self._going = self._all()
        try:
            for _ in self._going:
                if self._brake.on or time.monotonic() > ends:
                    return self._part
        except Stopped:
            return self._part
        self.close()
        self.exhausted = True
        return self._part

    @property
    def checkpoint(self) -> Checkpoint:
        """How far it is: all that was told so far is before it."""
        if not self._frames:
            return replace(self._begin, part=self._part_done or self._unread)
        frame = self._frames[-1]
        if frame.folder:
            return Checkpoint(join(frame.path, frame.folder), whole=True)
        return Checkpoint(frame.path, frame.name, part=self._part_done or self._unread)

    def close(self) -> None:
        """Close what is open."""
        if self._going is not None:
            self._going.close()
        self._opened.close()

    def _all(self) -> Generator[None]:
        self._source, self._target = (
            self._opened.enter_context(Root.open(where.parent.path)) for where in self._where
        )
        source, target = self._where
        self._tops = (os.fsencode(source.name) or b".", os.fsencode(target.name) or b".")
        yield from self._guarded(b"", *self._tops, self._source.fd, self._target.fd)
        if not self._below:
            return
        self._frames = frames_at(self._begin)
        while self._frames:
            frame = self._frames[-1]
            if not frame.listed:
                yield from self._folder(frame)
            elif not frame.waiting and frame.more:
                self._find_folders(frame)
            elif frame.waiting:
                self._frames.append(Frame(join(frame.path, frame.waiting.pop())))
            else:
                self._frames.pop()
                if self._frames:
                    self._frames[-1].folder = split(frame.path)[1]

    def _from(self, path: bytes) -> bytes:
        """Return where something below the source is, from the folder that holds the source."""
        return join(self._tops[0], path) if path else self._tops[0]

    def _to(self, path: bytes) -> bytes:
        """Return where it is at the target, from the folder that holds the target."""
        return join(self._tops[1], path) if path else self._tops[1]

    def _folder(self, frame: Frame) -> Generator[None]:
        """Compare the entries of a folder; those that are folders wait to be gone into."""
        self._below, self._alike = [], None
        at_once = not frame.name
        try:
            with self._both(frame) as (source, target):
                yield from self._entries(frame, source, target)
        except PlaceError as error:
            self._part.failures.append(error)
            frame.more = False
        else:
            if at_once and len(self._below) <= WINDOW:
                frame.waiting, frame.more = self._below[::-1], False
        frame.listed = True

    def _find_folders(self, frame: Frame) -> None:
        """Look which folders of a folder are to be gone into next, where they were not all noted on the way."""
        try:
            with self._both(frame) as (source, target):
                names = names_after(source, frame.folder, self._brake, folders=True)
                frame.more = len(names) == WINDOW
                for name in reversed(names):
                    info = look(target, name)
                    left_out = self._exclude.covers(join(frame.path, name), folder=True)
                    if info is not None and is_folder(info) and not left_out:
                        frame.waiting.append(name)
                    if self._brake.on:
                        raise Stopped
        except PlaceError as error:
            self._part.failures.append(error)
            frame.waiting, frame.more = [], False
        else:
            if names and not frame.waiting:
                frame.folder = names[-1]

    @contextmanager
    def _both(self, frame: Frame) -> Iterator[tuple[int, int]]:
        """Open a folder on both sides; every failure becomes one of ours."""
        with ExitStack() as opened:
            source = _open(self._source, self._from(frame.path), opened)
            target = _open(self._target, self._to(frame.path), opened)
            try:
                yield source, target
            except OSError as error:
                where = self._source.location(self._from(frame.path))
                raise from_os_error(error, where, "read the folder") from error

    def _entries(self, frame: Frame, source: int, target: int) -> Generator[None]:
        """Compare all names of both sides behind the last one that was compared."""
        while True:
            ours, theirs = (names_after(fd, frame.name, self._brake) for fd in (source, target))
            # What follows the last name of a full window may be in a later one.
            ends = [names[-1] for names in (ours, theirs) if len(names) == WINDOW]
            for name in sorted({*ours, *theirs}):
                if ends and name > min(ends):
                    break
                yield from self._guarded(join(frame.path, name), name, name, source, target)
                frame.name, self._part_done = name, None
                yield
            if not ends:
                return

    def _guarded(self, path: bytes, name: bytes, there: bytes, source: int, target: int) -> Generator[None]:
        try:
            yield from self._entry(path, name, there, source, target)
        except OSError as error:
            where = self._source.location(self._from(path))
            self._part.failures.append(from_os_error(error, where, "verify"))

    def _entry(self, path: bytes, name: bytes, there: bytes, source: int, target: int) -> Generator[None]:
        info, standing = look(source, name), look(target, there)
        if path and leaves_out(self._exclude, path, info, standing):
            return
        if info is None:
            if not path:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if standing is not None and not self._has_other_spelling(source, target, there, standing):
                self._tell(Verdict.EXTRA, path)
            return  # or it went meanwhile
        if standing is None:
            self._tell(Verdict.MISSING, path)
            return
        if is_folder(info) and is_folder(standing):
            if len(self._below) <= WINDOW:
                self._below.append(name)
            return
        why: str | None = _differs_at_once(info, standing)
        if not why and stat.S_ISLNK(info.st_mode):
            same = os.readlink(name, dir_fd=source) == os.readlink(there, dir_fd=target)
            why = "" if same else "link"
        if not why and stat.S_ISREG(info.st_mode):
            why = yield from self._content(path, (source, name), (target, there), info.st_size)
        if why is None:
            return  # it could not be read, which is told
        if why and self._kept_both and not is_folder(info):
            why = yield from self._elsewhere(path, (source, name), (target, there), info, why)
        self._part.files += 1
        if why:
            self._tell(Verdict.DIFFERS, path, why)

    def _has_other_spelling(self, source: int, target: int, there: bytes, standing: os.stat_result) -> bool:
        """Say whether what is extra by its name is found at the target by one of the source, too."""
        if not syscalls.may_fold_names(target):
            return False
        if self._alike is None:
            self._alike = {}
            for name in listed(source):
                self._alike.setdefault(folded(name), []).append(name)
        infos = (look(target, name) for name in self._alike.get(folded(there), ()))
        return any(info is not None and same_inode(info, standing) for info in infos)

    def _elsewhere(
        self,
        path: bytes,
        source: tuple[int, bytes],
        target: tuple[int, bytes],
        info: os.stat_result,
        why: str,
    ) -> Generator[None, None, str]:
        """Look for a file under its other names; return how it differs, or nothing where it is found."""
        folder, there = target
        for other in other_names(there, folder=False):
            standing = look(folder, other)
            if standing is None:
                return why
            if _differs_at_once(info, standing) or not stat.S_ISREG(info.st_mode):
                continue
            if (yield from self._content(path, source, (folder, other), info.st_size)) == "":
                return ""
        return why

    def _content(
        self, path: bytes, source: tuple[int, bytes], target: tuple[int, bytes], size_bytes: int
    ) -> Generator[None, None, str | None]:
        """Read both files from their disks; return how they differ, or "" where not; None where that cannot be said."""
        with ExitStack() as opened:
            try:
                first = _open_file(*source, opened)
            except OSError as error:
                self._cannot_read(self._source, self._from(path), error)
                return None
            try:
                second = _open_file(*target, opened)
            except OSError as error:
                self._cannot_read(self._target, self._to(path), error)
                return None
            marks = mark(first), mark(second)
            back = ReadBack(first, second, size_bytes, self._done_before(marks))
            try:
                while done := back.step(SLICE_BYTES, self._brake):
                    self._part.size_bytes += done
                    self._part.current = self._source.location(self._from(path))
                    self._part_done = Part(back.offset, marks)
                    yield
            except Differs:
                return "content"
            except OSError as error:
                if back.reading == first:
                    self._cannot_read(self._source, self._from(path), error)
                else:
                    self._cannot_read(self._target, self._to(path), error)
                return None
        return ""

    def _done_before(self, marks: Marks) -> int:
        """Return how much of two files was compared by an earlier check, if they are the ones it was stopped in."""
        part, self._unread = self._unread, None
        return part.done_bytes if part is not None and part.marks == marks else 0

    def _cannot_read(self, root: Root, path: bytes, error: OSError) -> None:
        self._part.failures.append(from_os_error(error, root.location(path), "read"))

    def _tell(self, verdict: Verdict, path: bytes, why: str = "") -> None:
        source, target = self._source.location(self._from(path)), self._target.location(self._to(path))
        self._part.findings.append(Finding(verdict, source, target, why))


def _open(root: Root, path: bytes, opened: ExitStack) -> int:
    fd = root.folder(path)
    opened.callback(os.close, fd)
    return fd


def _open_file(folder: int, name: bytes, opened: ExitStack) -> int:
    fd = os.open(name, READ_FLAGS, dir_fd=folder)
    opened.callback(os.close, fd)
    return fd


def _differs_at_once(info: os.stat_result, standing: os.stat_result) -> str:
    if kind_of_mode(info.st_mode) is not kind_of_mode(standing.st_mode):
        return "kind"
    if stat.S_ISREG(info.st_mode) and info.st_size != standing.st_size:
        return "size"
    if stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
        return "" if info.st_rdev == standing.st_rdev else "device"
    return ""
