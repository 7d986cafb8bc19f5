"""How far a comparison of two trees has come, and the order of names that makes it possible to say so."""

from __future__ import annotations

import heapq
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.places.local.content import Stopped
from tui.places.local.partial import is_partial
from tui.places.local.root import join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.places.local.hops import Brake

WINDOW = 1 << 16
"""Names of one folder held at a time: a larger one is read several times."""

Mark = tuple[int, ...]
"""By what is seen that nobody has written to a file since."""
Marks = tuple[Mark, Mark]
"""Those of a source and of its target."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file compared in part: `done_bytes` of it, when both files had these marks."""

    done_bytes: int
    marks: Marks


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place in a tree that is gone through in this order: the entries of a folder by name, then each folder in it.

    Attributes:
        folder: The folder that was being compared, from the top; empty: the top itself.
        name: The last of its entries that was compared; empty: none.
        whole: That folder, and all below it, was compared.
        part: How far the entry behind `name` is compared.
    """

    folder: bytes = b""
    name: bytes = b""
    whole: bool = False
    part: Part | None = None

    @property
    def text(self) -> str:
        """Return it as ASCII; `from_text` gives it back."""
        part = [self.part.done_bytes, *self.part.marks] if self.part else None
        return json.dumps([os.fsdecode(self.folder), os.fsdecode(self.name), self.whole, part])

    @staticmethod
    def from_text(text: str) -> Checkpoint:
        """Return what `text` was made from."""
        folder, name, whole, part = json.loads(text)
        found = Part(part[0], (tuple(part[1]), tuple(part[2]))) if part else None
        return Checkpoint(os.fsencode(folder), os.fsencode(name), whole, found)


START = Checkpoint()


@dataclass(slots=True)
class Frame:
    """A folder that is being compared.

    Attributes:
        name: Its last entry that was compared.
        folder: The last folder in it that was gone into.
        listed: All its entries were compared; what is left are the folders in it.
        waiting: Folders in it still to be gone into, the next one last.
        more: There are others behind those.
    """

    path: bytes
    name: bytes = b""
    folder: bytes = b""
    listed: bool = False
    waiting: list[bytes] = field(default_factory=list)
    more: bool = True


def frames_at(begin: Checkpoint) -> list[Frame]:
    """Return the folders that were being compared at a checkpoint, from the top down."""
    frames = [Frame(b"")]
    for name in begin.folder.split(b"/") if begin.folder else ():
        above = frames[-1]
        above.listed, above.folder = True, name
        frames.append(Frame(join(above.path, name)))
    if begin.whole:
        frames.pop()
    else:
        frames[-1].name = begin.name
    return frames


def mark(fd: int) -> Mark:
    """Return the mark of an open file."""
    info = os.fstat(fd)
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def names_after(folder: int, name: bytes, brake: Brake, *, folders: bool = False) -> list[bytes]:
    """Return the first `WINDOW` names of an opened folder behind one, in order; of folders in it alone if asked.

    What jobs have not finished is passed over.

    Raises:
        Stopped: The brake went on.
        OSError: The folder cannot be read.
    """
    return heapq.nsmallest(WINDOW, _names(folder, name, brake, folders))


def _names(folder: int, after: bytes, brake: Brake, folders: bool) -> Iterator[bytes]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if brake.on:
                raise Stopped
            name = os.fsencode(entry.name)
            if name <= after or is_partial(name):
                continue
            if not folders or entry.is_dir(follow_symlinks=False):
                yield name
