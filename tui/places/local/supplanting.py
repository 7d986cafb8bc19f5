"""Putting an entry in the place of one of another kind: a folder where a file stands, or the reverse."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from tui.model.error import PlaceError, SourceReplaced, from_os_error
from tui.places.local import attributes, syscalls
from tui.places.local.homes import NO_HOMES, spare_home
from tui.places.local.hops import Brake
from tui.places.local.identity import Likeness, compare, identify
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root, join, split
from tui.places.local.staging import prepare_stage, stage_name
from tui.places.local.standing import is_folder, look

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.local.homes import Homes

_ASIDE = b".old"
"""How the folder ends in which an entry waits, under its own name, until another has got that."""


class Supplanting:
    """One entry of the target that gives way to one of another kind, which is made out of sight beside it.

    Call `prepare`, make the new one under the path that gives, then `put_in_place`, then remove from `here` what that
    names, which is the old one; `close` at any time. Until the new one has the name, the old one has it. The folder
    that holds them keeps its mode and its times.

    Attributes:
        here: The folder that holds them, from `prepare` on.
        where: The entry.
    """

    def __init__(self, target: Root, path: bytes, tag: str, homes: Homes = NO_HOMES) -> None:
        """Say what gives way.

        Args:
            path: Below `target`.
        """
        self._target, self._tag, self._homes = target, tag, homes
        self._above, self._name = split(path)
        self.scratch = stage_name(tag, self._name)
        self.where: Location = target.location(path)
        self.here: Root
        self._opened = False
        self._before: os.stat_result | None = None
        self._old = ""

    def prepare(self, *, folder: bool) -> bytes:
        """Open the folder that holds the entry; return the path under which the new one is to be made.

        Args:
            folder: The new one is a folder: it is made here already, or found from before.
        Raises:
            PlaceError: The folder or the entry has gone, or nothing can be made there.
            HoldsHome: The entry is or holds a home folder.
        """
        self.here = Root(self._target.location(self._above).path, self._target.folder(self._above))
        self._opened = True
        try:
            before = self._before = os.fstat(self.here.fd)
            info = os.lstat(self._name, dir_fd=self.here.fd)
            spare_home(info, self.where, self._homes, "replace")
            self._old = identify(self.here.fd, self._name, info)
            if _is_closed(before):
                attributes.set_mode(self.here.fd, stat.S_IMODE(before.st_mode) | 0o700)
            found = look(self.here.fd, self.scratch)
        except OSError as error:
            raise from_os_error(error, self.where, "replace") from error
        if found is not None and is_folder(found) != folder:
            self._clear(self.scratch)
        self._clear(self.scratch + _ASIDE)
        if folder:
            prepare_stage(self.here, self._name, self._tag)
        return join(self._above, self.scratch)

    def put_in_place(self) -> bytes:
        """Give the new one the name of the old one; return the name in `here` under which the old one stands now.

        Raises:
            SourceReplaced: Something else has taken the old one's name meanwhile. It stays.
            PlaceError: They cannot be renamed. The old one stands where it stood.
        """
        fd = self.here.fd
        try:
            if not syscalls.exchange(fd, self.scratch, self._name):
                return self._put_aside()
            if not self._is_old(fd, self.scratch):
                syscalls.exchange(fd, self.scratch, self._name)
                raise self._replaced()
        except OSError as error:
            raise from_os_error(error, self.where, "replace") from error
        return self.scratch

    def close(self) -> None:
        """Give the folder its mode and times back, and close it.

        Raises:
            PlaceError: They cannot be given back.
        """
        if not self._opened:
            return
        self._opened, before = False, self._before
        try:
            if before is not None and _is_closed(before):
                attributes.set_mode(self.here.fd, stat.S_IMODE(before.st_mode))
            if before is not None:
                attributes.set_times(self.here.fd, before)
        except OSError as error:
            raise from_os_error(error, self.where.parent, "set the attributes of") from error
        finally:
            self.here.close()

    def _clear(self, name: bytes) -> None:
        """Remove what an earlier go left under a name of ours."""
        removal = TreeRemoval(self.here, name, Brake(), opening=True)
        try:
            exhausted = False
            while not exhausted:
                batch = removal.step()
                exhausted = batch.exhausted
                for failure in batch.failures:
                    raise failure.error
        finally:
            removal.close()

    def _put_aside(self) -> bytes:
        """The same where two names cannot be exchanged: for a moment, neither has the name."""
        fd, aside = self.here.fd, self.scratch + _ASIDE
        os.mkdir(aside, 0o700, dir_fd=fd)
        inner = self.here.folder(aside)
        try:
            os.rename(self._name, self._name, src_dir_fd=fd, dst_dir_fd=inner)
            try:
                if not self._is_old(inner, self._name):
                    raise self._replaced()
                syscalls.rename_no_replace(fd, self.scratch, fd, self._name)
            except (OSError, PlaceError):
                syscalls.rename_no_replace(inner, self._name, fd, self._name)
                raise
        except (OSError, PlaceError):
            with contextlib.suppress(OSError):
                os.rmdir(aside, dir_fd=fd)
            raise
        finally:
            syscalls.let_go(inner)
        return aside

    def _is_old(self, folder: int, name: bytes) -> bool:
        return compare(self._old, identify(folder, name)) is Likeness.SAME

    def _replaced(self) -> SourceReplaced:
        message = f"cannot replace {self.where}: something else stands there by now"
        return SourceReplaced(message, "Look at it, then retry.", location=self.where)


def _is_closed(folder: os.stat_result) -> bool:
    """Say whether a folder of one's own is to be made writable for a while: its source may be read-only."""
    return folder.st_uid == os.geteuid() != 0 and folder.st_mode & 0o300 != 0o300


def put_back(folder: int, name: bytes) -> None:
    """Give entries that were put aside, and got no successor, their names back.

    Args:
        name: Of something unfinished in `folder`; anything but a folder with entries put aside is left alone.
    Raises:
        OSError: They cannot be renamed.
    """
    if not name.endswith(_ASIDE):
        return
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        for old in os.listdir(inner):
            with contextlib.suppress(FileExistsError):
                syscalls.rename_no_replace(inner, os.fsencode(old), folder, os.fsencode(old))
    finally:
        syscalls.let_go(inner)
