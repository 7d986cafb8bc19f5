"""What engine and worker process say to each other, and how it is put on a pipe."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.places.local.root import RootId

if TYPE_CHECKING:
    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.loss_notes import LossNotes

_LENGTH = struct.Struct("!I")


def _this_build() -> tuple[int, int]:
    try:
        info = os.stat(__file__)
    except OSError:
        return 0, 0
    return info.st_mtime_ns, info.st_ino


READY = ("ready", _this_build())
"""What a worker says first. An engine may outlive an upgrade: workers of the next build do not understand it."""


FolderSpec = tuple[RootId, RootId, bytes, bytes, Sequence[tuple[bytes, bytes]] | None]
"""Source, target, the folder's path below each, and the names wanted: see `FolderCopy`."""


class FolderStep(NamedTuple):
    """A batch of a folder, by its number.

    Attributes:
        rules: None: the same as for the step before.
        folder: What that folder is, the first time.
        finish, notes: See `FolderCopy.step`.
    """

    key: int
    rules: CopyRules | None
    folder: FolderSpec | None
    finish: bool
    notes: LossNotes | None = None

    def as_before(self) -> FolderStep:
        """Return it without its rules, which are those of the step before. (`_replace` takes four times as long.)"""
        return FolderStep(self.key, None, self.folder, self.finish, self.notes)


@dataclass(frozen=True, slots=True)
class Request:
    """What a worker is to do, in this order.

    Attributes:
        closed: Folders done with, by number.
        close: The number of a folder to be closed now, and told of if it does not get back what was borrowed of it.
        forget: Close the roots too.
        steps: What is to be done of folders that share one batch, one after the other: as far as it reaches.
        finish: The number of a folder to be given its final mode and times.
    """

    closed: Sequence[int] = ()
    close: int | None = None
    forget: bool = False
    steps: Sequence[FolderStep] = ()
    finish: int | None = None


def send(fd: int, message: object) -> None:
    """Write a message to a pipe.

    Raises:
        OSError: The other end is gone.
    """
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    rest = memoryview(_LENGTH.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def receive(fd: int, wait: Callable[[], None] = lambda: None) -> Any:
    """Read a message from a pipe; None where the other end is gone.

    Args:
        wait: Called before each piece is read; whoever reads may give up there.
    """
    head = _read(fd, _LENGTH.size, wait)
    if head is None:
        return None
    data = _read(fd, _LENGTH.unpack(head)[0], wait)
    return None if data is None else pickle.loads(data)


def _read(fd: int, size_bytes: int, wait: Callable[[], None]) -> bytes | None:
    parts = []
    while size_bytes:
        wait()
        part = os.read(fd, min(size_bytes, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size_bytes -= len(part)
    return b"".join(parts)
