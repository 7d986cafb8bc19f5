"""What copies are about to lose, written down before they are complete: after a kill it is counted all the same."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tui.model.error import PlaceError
from tui.model.fidelity import Loss
from tui.places.local import syscalls
from tui.places.local.links import Group, Standing
from tui.places.local.root import split
from tui.places.local.standing import look, same_time, time_step_ns
from tui.places.local.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Set
    from pathlib import Path

    from tui.model.fidelity import Trait
    from tui.places.local.root import Root

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC

Stage = tuple[bytes, bytes]
"""The path a tree has while it is built, and the one it will have."""


class Lost(NamedTuple):
    """An entry that stands complete at the target.

    Attributes:
        path: Below the target, under the name it will have.
        losses: What it could not keep.
        group: That it is one name among several of, where the source has more.
        file: Device and inode at the target: what is the same is one.
    """

    path: bytes
    losses: list[Loss]
    group: Group | None
    file: tuple[int, int]


class LossNotes:
    """The notes of one hop, in a file that is its own meanwhile.

    A hop tells at its end what its entries lost. Where its process is killed, nobody tells, and what it made is found
    complete afterwards. What cannot be noted is not: the loss report may then be too low after a kill.

    Attributes:
        slot: Which of the job's files it is. Hops use it one after the other, each when the one before was told.
        token: Tells the notes of this hop from those that stood in the file.
        part: What the notes of one batch have in common: of each batch of a hop it is known whether it was told.
        are_there: The file has notes of this hop, as far as `look` was asked; else those of an earlier one, if any.
    """

    def __init__(self, file: str, slot: str, token: str, stage: Stage | None = None, part: int = 0) -> None:
        self._file, self.slot, self.token, self._stage, self.part = file, slot, token, stage, part
        self.are_there = False
        self._dead: set[int] = set()
        self._fd = -1

    def __reduce__(self) -> tuple[type[LossNotes], tuple[object, ...]]:
        return LossNotes, (self._file, self.slot, self.token, self._stage, self.part)

    def add(self, path: bytes, info: os.stat_result, mode: int, inode: int, lost: Set[Loss]) -> None:
        """Note an entry that is about to be complete.

        Args:
            path: Where it is going to stand, below the target.
            info: The state of its source. What it will have of owner, mode and time is compared with it later.
            mode: The kind and the permission bits it is given.
            inode: Its own, where nothing else tells it from what stands there; else 0.
            lost: What it has lost so far.
        """
        try:  # (it is called for every file of a target that keeps less: nothing here is done in a slower way)
            if self._fd < 0:
                self._open()
            link = b" %d:%d" % (info.st_dev, info.st_ino) if info.st_nlink > 1 else b""
            os.write(
                self._fd,
                b"%b\0%d %d %d %d %d %d %d %b%b\0"
                % (
                    path, self.part, mode, info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, inode,
                    " ".join(lost).encode(), link,
                ),
            )  # fmt: skip
        except OSError:
            pass  # no room, say: the copy goes on, and its hop tells in the end, unless it is killed

    def _open(self) -> None:
        try:
            fd = os.open(self._file, _FLAGS, 0o600)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.mkdir(os.path.dirname(self._file), 0o700)
            fd = os.open(self._file, _FLAGS, 0o600)
        now, then = self._stage or (b"", b"")
        head = b"%b\0%b\0%b\0" % (self.token.encode(), now, then)
        if os.pread(fd, len(head), 0) != head:
            os.ftruncate(fd, 0)
            os.write(fd, head)
        self._fd, self.are_there = fd, True

    def look(self) -> None:
        """Look whether a worker process has noted anything."""
        with contextlib.suppress(OSError), open(self._file, "rb") as notes:
            head = self.token.encode() + b"\0"
            self.are_there = notes.read(len(head)) == head

    def close(self) -> None:
        """Let go of the file; the next note opens it again."""
        fd, self._fd = self._fd, -1
        syscalls.let_go(fd)

    def begin(self) -> None:
        """Say that another batch begins."""
        self.part += 1

    def give_up(self) -> None:
        """Say that the worker process is gone that was at this batch; the next one begins."""
        self._dead.add(self.part)
        self.begin()

    def of_the_dead(self, target: Root, keep: Set[Trait]) -> list[Lost]:
        """Return what worker processes that died had noted in this hop, of what stands complete."""
        found = _read(self._file) if self._dead else None
        if found is None or found.token != self.token:
            return []
        found.entries = {path: noted for path, noted in found.entries.items() if noted.part in self._dead}
        return list(found.complete(target, Traits(keep)))


class _Noted(NamedTuple):
    part: int
    mode: int
    st_uid: int
    st_gid: int
    size: int
    st_mtime_ns: int
    inode: int
    lost: list[Loss]
    link: tuple[int, int] | None
    """Device and inode of its source, where that has several names."""


@dataclass(slots=True)
class Found:
    """The notes of a hop, as a file tells."""

    slot: str
    token: str
    stage: Stage
    entries: dict[bytes, _Noted] = field(default_factory=dict)
    """By path: the last note of each counts."""

    def complete(self, target: Root, traits: Traits) -> Iterator[Lost]:
        """Yield what was lost of the entries that have come to stand complete. (The others are made again.)"""
        now, then = self.stage
        for path, noted in self.entries.items():
            final = then + path[len(now) :] if now and path.startswith(now + b"/") else path
            lost, made = _lost(path, noted, target, traits)
            if made is not None and (lost or noted.link):
                file = made.st_dev, made.st_ino
                standing = Standing(final, file if noted.inode else None)
                yield Lost(final, lost, Group(*noted.link, standing) if noted.link else None, file)


def _lost(
    path: bytes, noted: _Noted, target: Root, traits: Traits
) -> tuple[list[Loss], os.stat_result | None]:
    """Return what an entry has lost, and its state where it stands complete."""
    parent, name = split(path)
    try:
        folder = target.folder(parent)
    except PlaceError:
        return [], None
    try:
        made = look(folder, name)
    except OSError:
        made = None
    finally:
        syscalls.let_go(folder)
    if made is None or stat.S_IFMT(made.st_mode) != stat.S_IFMT(noted.mode) or made.st_size != noted.size:
        return [], None
    if noted.inode:
        if noted.inode != made.st_ino:
            return [], None
    elif not same_time(noted.st_mtime_ns, made.st_mtime_ns, time_step_ns(made.st_dev, target.ways)):
        return [], None
    traits.lost.update(noted.lost)
    traits.compare(noted, stat.S_IMODE(noted.mode), made)
    return traits.take(), made


def read_notes(folder: Path, tag: str, told: Container[tuple[str, str]]) -> list[Found]:
    """Return what a job's hops noted and did not come to tell.

    Args:
        told: (slot, token) of hops whose losses are in the loss report.
    """
    files = _files(folder, tag)
    found = (_read(os.path.join(folder, file)) for file in files)
    return [each for each in found if each is not None and (each.slot, each.token) not in told]


def drop_notes(folder: Path, keep: Container[str] = (), *, tag: str = "") -> None:
    """Remove the notes of one job, or of all but those kept, by their tags."""
    for file in _files(folder, tag):
        if file.partition("-")[0] not in keep:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, file))


def _files(folder: Path, tag: str) -> list[str]:
    try:
        return [file for file in os.listdir(folder) if not tag or file.startswith(f"{tag}-")]
    except OSError:
        return []


def _read(file: str) -> Found | None:
    """Return what is in a file, but for a note that was not written to its end."""
    try:
        with open(file, "rb") as notes:
            token, now, then, *rest = notes.read().split(b"\0")
        found = Found(os.path.basename(file).rpartition("-")[2], token.decode(), (now, then))
        for path, text in zip(rest[:-1:2], rest[1:-1:2], strict=False):
            part, mode, uid, gid, size, mtime_ns, inode, *words = text.decode().split(" ")
            link = words.pop().split(":") if ":" in words[-1] else None
            found.entries[path] = _Noted(
                int(part),
                int(mode),
                int(uid),
                int(gid),
                int(size),
                int(mtime_ns),
                int(inode),
                [Loss(each) for each in words if each],
                (int(link[0]), int(link[1])) if link else None,
            )
    except (OSError, ValueError):  # a power cut may leave anything in it
        return None
    return found
