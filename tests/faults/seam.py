"""A seam between the disk layer and the system: it counts every call a job makes, and makes one of them fail."""

from __future__ import annotations

import ast
import ctypes
import errno
import fcntl
import functools
import io
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import tui
from tests.faults.descriptors import OPENERS, Descriptors, way_to
from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    import pytest

SHORT = 0
"""In place of an error number: the call does less than it was asked to."""

ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EMFILE, errno.EINTR, SHORT)

_PURE = frozenset(
    "fsencode fsdecode strerror major minor getpid getuid geteuid getgid getegid umask wrap sync nice "
    "cpu_count sched_getaffinity kill waitpid register_at_fork urandom get_inheritable set_inheritable".split()
)
"""What is called on `os` and never fails for the disk's sake."""

TRANSFERS = frozenset({"read", "pread", "write", "pwrite", "pwritev", "copy_file_range", "sendfile"})
_BETWEEN_TWO = frozenset({"rename", "replace", "link", "renameat2", "copy_file_range"})

_COUNTING = ("/scan.py", "/totals.py", "/need.py", "/room.py")
"""Modules whose calls only count what there is: they run beside the work, in no order that could be repeated."""


def is_no_fault(name: str, number: int) -> bool:
    """Say whether an error is what a call says in the ordinary way: attributes that do not fit beside a file, ENOSPC.

    They are left out, and told as lost.
    """
    return name in ("getxattr", "setxattr") and number == errno.ENOSPC


@functools.cache
def calls_of_the_product() -> frozenset[str]:
    """Return the names of all functions of `os` that the engine and the disk layer call."""
    found = set()
    package = Path(tui.__file__).parent
    for path in (*package.glob("places/**/*.py"), *package.glob("engine/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
                and callable(getattr(os, node.attr, None))
                and not isinstance(getattr(os, node.attr), type)
            ):
                found.add(node.attr)
    return frozenset(found - _PURE)


class Place(NamedTuple):
    """The name of a call, and the lines that led to it: (file, number), the innermost first."""

    name: str
    lines: tuple[tuple[str, int], ...]

    def is_in(self, module: str) -> bool:
        return any(file.endswith(module) for file, _ in self.lines)


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Attributes:
        at: The number of the call, counted from 0.
        number: The error; SHORT for a read or write that does only half.
        lasting: Every later call of the same function fails too, until the fault is lifted.
        name: Meets the first call of this function instead, whatever its number.
    """

    at: int
    number: int
    lasting: bool = False
    name: str = ""

    def __str__(self) -> str:
        what = errno.errorcode.get(self.number, "short")
        return f"call {self.name or self.at}: {what}{', lasting' if self.lasting else ''}"

    def meets(self, place: int, name: str) -> bool:
        return name == self.name if self.name else place == self.at


class Seam:
    """Counts calls made in the threads of jobs, and injects one fault.

    Attributes:
        calls: The name of each call so far.
        struck: The name of the call the fault met, if it has.
        struck_at: Where in the program that was.
        places: For each call, where in the program it was made, and how that was come to; only with `keeps_places`.
        descriptors: What is open of what was opened since.
        apart: Two folders that pretend to be on different filesystems.
        before_each: Called before each call of a job.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, names: Iterable[str] = ()) -> None:
        """Args: names: The functions of `os` to stand before, where somebody has found them already."""
        self.calls: list[str] = []
        self.places: list[Place] = []
        self.keeps_places = False
        self.descriptors = Descriptors()
        self.fault: Fault | None = None
        self.struck: str | None = None
        self.struck_at = ""
        self.apart: tuple[Path, Path] | None = None
        self.before_each: Callable[[], None] | None = None
        self.counting = False
        """Meets the calls that count what there is, instead of those that do the work."""
        self._own = threading.local()
        for name in sorted({*(names or calls_of_the_product()), "mkdir"}):
            monkeypatch.setattr(os, name, functools.partial(self._call, name, getattr(os, name)))
        monkeypatch.setattr(os, "scandir", functools.partial(self._scandir, os.scandir))
        monkeypatch.setattr(io, "open", functools.partial(self._call, "io.open", io.open))
        monkeypatch.setattr(fcntl, "ioctl", functools.partial(self._call, "ioctl", fcntl.ioctl))
        monkeypatch.setattr(syscalls, "_libc", _Library(self, syscalls._libc))

    def arm(self, fault: Fault | None) -> None:
        """Count from 0 again, and let a fault happen."""
        self.calls, self.places, self.fault, self.struck, self.struck_at = [], [], fault, None, ""

    def lift(self) -> None:
        self.fault = None

    def strikes(self, name: str) -> int | None:
        """Count a call; return the number of the error it is to meet, or None."""
        if not self._is_met():
            return None
        if self.before_each is not None:
            self._own.busy = True
            try:
                self.before_each()
            finally:
                self._own.busy = False
        place = len(self.calls)
        self.calls.append(name)
        if self.keeps_places:
            self.places.append(Place(name, tuple(_lines(sys._getframe(2)))))
        fault = self.fault
        if fault is None or (fault.number == SHORT and name not in TRANSFERS):
            return None
        first = self.struck is None and fault.meets(place, name)
        if first or (fault.lasting and name == self.struck):
            if first:
                self.struck_at = way_to(sys._getframe(2))
            self.struck = name
            return fault.number
        return None

    def _is_met(self) -> bool:
        if threading.current_thread().name != "disk" or getattr(self._own, "busy", False):
            return False
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename.endswith(_COUNTING):
                return self.counting
            frame = frame.f_back  # type: ignore[assignment]
        return not self.counting

    def _call(self, name: str, real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        number = self.strikes(name)
        if name == "close":
            self.descriptors.closing(args[0], frames=1)
        if number is None:
            if self.apart and name in _BETWEEN_TWO and self._is_met() and self._leaves(args, kwargs):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            done = real(*args, **kwargs)
            if name in OPENERS:
                self.descriptors.opened(done)
            return done
        if number == SHORT:
            return real(*_halved(name, args), **kwargs)
        if name == "close":
            real(
                *args
            )  # an error of close(2) tells of the writes before; the descriptor is gone all the same
        if name == "access":
            return False  # that is how Python tells every error of access(2)
        raise OSError(number, os.strerror(number))

    def _scandir(self, real: Callable[..., Any], path: Any = ".") -> Any:
        return _Entries(self, self._call("scandir", real, path))

    def _leaves(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        if "src_dir_fd" in kwargs:
            ends = kwargs["src_dir_fd"], kwargs["dst_dir_fd"]
        elif len(args) > 2 and isinstance(args[0], int) and isinstance(args[2], int):
            ends = args[0], args[1] if isinstance(args[1], int) else args[2]
        else:
            return False
        return self.volume(ends[0]) != self.volume(ends[1])

    def volume(self, fd: int) -> int:
        """Return which of the two folders that are apart holds an open file; -1 for neither."""
        self._own.busy = True
        try:
            path = Path(os.readlink(f"/proc/self/fd/{fd}"))
        finally:
            self._own.busy = False
        return next((n for n, root in enumerate(self.apart or ()) if path.is_relative_to(root)), -1)


def _lines(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back


def _halved(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments that ask for half."""
    if name in ("write", "pwrite"):
        return (args[0], memoryview(args[1])[: max(1, len(args[1]) // 2)], *args[2:])
    if name == "pwritev":
        return (args[0], [memoryview(b"".join(args[1]))[: max(1, sum(map(len, args[1])) // 2)]], *args[2:])
    place = {"read": 1, "pread": 1, "copy_file_range": 2, "sendfile": 3}[name]
    return (*args[:place], max(1, args[place] // 2), *args[place + 1 :])


class _Entries:
    """What os.scandir gives, each step of which is a call."""

    def __init__(self, seam: Seam, entries: Any) -> None:
        self._seam, self._entries = seam, entries

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._seam._call("readdir", self._entries.__next__)

    def close(self) -> None:
        self._entries.close()

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Library:
    """The C library, whose calls fail by errno."""

    def __init__(self, seam: Seam, library: Any) -> None:
        self._seam, self._library = seam, library

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._library, name)

        def call(*args: Any) -> Any:
            number = self._seam.strikes(name)
            if number is None and self._seam.apart and name in _BETWEEN_TWO and self._seam._leaves(args, {}):
                number = errno.EXDEV
            if number is None or number == SHORT:
                done = real(*args)
                if name == "syscall" and done >= 0:  # openat2
                    self._seam.descriptors.opened(done)
                return done
            ctypes.set_errno(number)
            return -1

        return call
