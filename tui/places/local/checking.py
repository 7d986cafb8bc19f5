"""Checking one tree against another by what is on their disks, in small steps; nothing is written."""

from __future__ import annotations

import os
import stat
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.model.entry import kind_of_mode
from tui.model.error import PlaceError, from_os_error
from tui.model.location import Location
from tui.places.local.partial import is_partial
from tui.places.local.root import Root, join
from tui.places.local.standing import READ_FLAGS, is_folder, look, other_names
from tui.places.local.verifying import SLICE_BYTES, Differs, ReadBack

if TYPE_CHECKING:
    from collections.abc import Generator

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

    Owners, modes and times do not count. No link is followed. What unfinished jobs have under partial names at the
    target is passed over. Memory holds the names of folders still to be gone into, level by level.

    Attributes:
        exhausted: All was compared.
    """

    def __init__(self, source: Location, target: Location, brake: Brake, *, kept_both: bool = False) -> None:
        """Say what is compared; nothing is opened before the first `step`.

        Args:
            kept_both: A file may stand at the target under one of its other names ("name (1).ext"), too.
        """
        self._kept_both = kept_both
        self._where, self._brake = (source, target), brake
        self._waiting: list[tuple[bytes, list[bytes]]] = []
        self._below: list[bytes] = []
        self._part = Checked()
        self._opened = ExitStack()
        self._going: Generator[None] | None = None
        self._tops: tuple[bytes, bytes]
        self.exhausted = False

    def step(self) -> Checked:
        """Compare for about a tenth of a second, or until the brake is on; tell what was found meanwhile.

        Raises:
            PlaceError: The folder that holds the source, or the target, cannot be opened.
            Stopped: The brake went on in the middle of a file.
        """
        self._part = Checked()
        ends = time.monotonic() + STEP_S
        if self._going is None:
            self._going = self._all()
        for _ in self._going:
            if self._brake.on or time.monotonic() > ends:
                return self._part
        self.close()
        return self._part

    def close(self) -> None:
        """Close what is open."""
        if self._going is not None:
            self._going.close()
        self._opened.close()
        self.exhausted = True

    def _all(self) -> Generator[None]:
        self._source, self._target = (
            self._opened.enter_context(Root.open(where.parent.path)) for where in self._where
        )
        source, target = self._where
        self._tops = (os.fsencode(source.name) or b".", os.fsencode(target.name) or b".")
        yield from self._guarded(b"", *self._tops, self._source.fd, self._target.fd)
        self._waiting.append((b"", self._below))
        while self._waiting:
            above, names = self._waiting[-1]
            if names:
                yield from self._folder(join(above, names.pop()))
            else:
                self._waiting.pop()

    def _from(self, path: bytes) -> bytes:
        """Return where something below the source is, from the folder that holds the source."""
        return join(self._tops[0], path) if path else self._tops[0]

    def _to(self, path: bytes) -> bytes:
        """Return where it is at the target, from the folder that holds the target."""
        return join(self._tops[1], path) if path else self._tops[1]

    def _folder(self, path: bytes) -> Generator[None]:
        """Compare the entries of a folder; those that are folders wait to be gone into."""
        self._below = []
        with ExitStack() as opened:
            try:
                source = _open(self._source, self._from(path), opened)
                target = _open(self._target, self._to(path), opened)
                yield from self._entries(path, source, target)
            except PlaceError as error:
                self._part.failures.append(error)
            except OSError as error:
                where = self._source.location(self._from(path))
                self._part.failures.append(from_os_error(error, where, "read the folder"))
        self._waiting.append((path, sorted(self._below, reverse=True)))

    def _entries(self, path: bytes, source: int, target: int) -> Generator[None]:
        with os.scandir(source) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                yield from self._guarded(join(path, name), name, name, source, target)
        with os.scandir(target) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if look(source, name) is None and not is_partial(name):
                    self._tell(Verdict.EXTRA, join(path, name))
                yield

    def _guarded(self, path: bytes, name: bytes, there: bytes, source: int, target: int) -> Generator[None]:
        try:
            yield from self._entry(path, name, there, source, target)
        except OSError as error:
            where = self._source.location(self._from(path))
            self._part.failures.append(from_os_error(error, where, "verify"))

    def _entry(self, path: bytes, name: bytes, there: bytes, source: int, target: int) -> Generator[None]:
        info, standing = look(source, name), look(target, there)
        yield
        if info is None:
            return  # it went meanwhile
        if standing is None:
            self._tell(Verdict.MISSING, path)
            return
        if is_folder(info) and is_folder(standing):
            self._below.append(name if path else b"")
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
            back = ReadBack(first, second, size_bytes)
            try:
                while done := back.step(SLICE_BYTES, self._brake):
                    self._part.size_bytes += done
                    self._part.current = self._source.location(self._from(path))
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
