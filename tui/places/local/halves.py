"""Taking out of a tree that is being built what is no whole copy."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.places.local import syscalls
from tui.places.local.alongside import Alongside
from tui.places.local.pages import Pages, in_order
from tui.places.local.partial import is_partial, prefix
from tui.places.local.root import Root, join
from tui.places.local.standing import look, same_time, time_step_ns

if TYPE_CHECKING:
    from tui.places.local.alongside import Folder, Passed
    from tui.places.local.content import Ways
    from tui.places.local.fitting import Fitting
    from tui.places.local.hops import Brake

_YOUNG_NS = 60_000_000_000
"""Between the last write to a copy and its getting its source's time there are a few calls: never so long."""


class Halves(Alongside):
    """Goes through a staging folder and removes the files that are half, batch by batch.

    Whoever dies in the middle of a small file leaves it there under its final name. The walk that goes on replaces what
    it meets; but the source's file may have gone since, or cannot be read, or nobody goes on: then it must not be taken
    for a copy.

    A copy gets the time of its source last of all. So a file is half if its time is still that of its last change, by
    the clock of one filesystem, and is not its source's.
    """

    doing = "remove the half file"

    def __init__(
        self,
        parent: Root | None,
        name: bytes,
        target: Root,
        stage: bytes,
        brake: Brake,
        tag: str,
        fitting: Fitting | None = None,
        *,
        partials: bool = False,
        times: bool = True,
    ) -> None:
        """Open a source and its staging folder; `close` closes both.

        Args:
            parent: The opened folder that the source, `name`, is in; None: it is no longer there.
            target: The opened folder that `stage` is in.
            tag: The job's.
            fitting: How names were changed for the target.
            partials: Remove the half files of large ones too: nobody goes on with them.
            times: Copies get the times of their sources. Where they do not, nothing half has a final name.
        Raises:
            PlaceError: There is no such staging folder.
        """
        there = _opened(target, stage)
        try:
            here = _opened(parent, name) if parent is not None else None
        except PlaceError:
            here = None
        super().__init__(here or there, there, brake)
        self._has_source, self._name, self._fitting = here is not None, name, fitting
        self._partial = prefix(tag) if partials else None
        self._times = times
        self._here = b""
        """The source's folder that is gone through, by its own name."""
        self._names = Pages()
        """What entries of that folder are called there, by the names they have here, where these are others."""
        self._originals: dict[bytes, bytes] = {}
        """Where the folders that wait are in the source, where that is elsewhere."""

    def close(self) -> None:
        super().close()
        self._source.close()
        self._target.close()

    def _source_folder(self, path: bytes) -> int:
        self._here, self._names = self._originals.pop(path, path), Pages()
        if not self._has_source:
            return -1
        try:
            fd = self._source.folder(self._here)
        except PlaceError:
            return -1  # it has gone, or cannot be read
        if self._fitting is None:
            return fd
        try:
            path = join(self._name, self._here) if self._here else self._name
            names = self._fitting.names_in(fd, path)
        except OSError:
            syscalls.let_go(fd)
            return -1
        changed = self._fitting.changed(names)
        others = (
            b"%s\0%s" % (put, name) for name in names if (put := changed.get(name, name)) not in (None, name)
        )
        self._names = Pages(
            (put, name) for put, _, name in (line.partition(b"\0") for line in in_order(others))
        )
        return fd

    def _look_at(self, folder: Folder, name: bytes, batch: Passed) -> None:
        path = batch.last = join(folder.path, name)
        original = self._names.get(name) or name
        try:
            there = os.lstat(name, dir_fd=folder.target)
            if stat.S_ISDIR(there.st_mode):
                folder.names.append(name)
                if (where := join(self._here, original)) != path:
                    self._originals[path] = where
            elif self._is_half(folder, name, there, original):
                self._make_writable(folder)
                os.unlink(name, dir_fd=folder.target)
                folder.changed = True
                batch.files += 1
                batch.size_bytes += there.st_size
        except OSError as error:
            self.fail(path, error, batch)

    def _is_half(self, folder: Folder, name: bytes, there: os.stat_result, original: bytes) -> bool:
        if is_partial(name):
            return self._partial is not None and name.startswith(self._partial)
        return self._times and is_half(original, there, folder.source, self._target.ways)


def drop_halves(source: int, target: int, ways: Ways) -> None:
    """Remove what is half from one opened folder of a tree that is being built, as far as that can be done.

    Args:
        source: The folder that is copied, opened; -1: it is no longer there.
        ways: Of the target's root.
    """
    with os.scandir(target) as entries:  # of which there may be a million, and few are half
        halves = [
            name for entry in entries if _may_be_half(name := os.fsencode(entry.name), target, source, ways)
        ]
    for name in halves:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=target)


def _may_be_half(name: bytes, target: int, source: int, ways: Ways) -> bool:
    try:
        return not is_partial(name) and is_half(name, os.lstat(name, dir_fd=target), source, ways)
    except OSError:
        return False


def is_half(name: bytes, there: os.stat_result, source: int, ways: Ways) -> bool:
    """Say whether what stands under a final name may be half; `source` and `ways` as for `drop_halves`.

    Args:
        name: That of its source.
    """
    if not stat.S_ISREG(there.st_mode) or abs(there.st_ctime_ns - there.st_mtime_ns) > _YOUNG_NS:
        return False
    try:
        wanted = look(source, name) if source >= 0 else None
    except OSError:
        wanted = None
    if wanted is None or there.st_size != wanted.st_size or not stat.S_ISREG(wanted.st_mode):
        return True
    return not same_time(wanted.st_mtime_ns, there.st_mtime_ns, time_step_ns(there.st_dev, ways))


def _opened(above: Root, name: bytes) -> Root:
    """Open a folder below an opened one as one of its own; no link is followed."""
    return Root(above.location(name).path, above.folder(name))
