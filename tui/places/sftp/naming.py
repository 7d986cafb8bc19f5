"""How a finished file gets its name, and what it is called before."""

from __future__ import annotations

import stat
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING

from tui.model.error import AlreadyExists, IsAFolder, NotAFolder, NotEmpty, Unsupported
from tui.places.local.partial import STAGE, is_partial, prefix
from tui.places.sftp import reasons
from tui.places.sftp.errors import Lost, Refused, from_refusal, told
from tui.places.sftp.protocol import Kind, text
from tui.places.sftp.session import POSIX_RENAME

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.sftp.session import Session


_chance = Random()
"""Names need to be different, not secret: to ask the system for each file costs more than to send it."""

_RENAMING = "renaming"
"""Stands for a job's tag where something is renamed without one."""


def partial_path(path: bytes, tag: str, size_bytes: int, mtime_ns: int) -> bytes:
    """Return the path a file has while it is being made, beside its final one: its identity is in it."""
    folder, _, name = path.rpartition(b"/")
    identity = b"%b\0%d\0%d" % (name, size_bytes, mtime_ns)
    return folder + b"/" + prefix(tag) + blake2b(identity, digest_size=8).hexdigest().encode()


def passing_path(path: bytes, tag: str) -> bytes:
    """Return a path of that kind for what nobody goes on with: no two are the same."""
    return path[: path.rindex(b"/") + 1] + prefix(tag) + _chance.randbytes(8).hex().encode()


def is_own_partial(name: bytes, tag: str) -> bool:
    """Say whether a file of this name is a job's half file. (What ends in STAGE is something whole.)"""
    return name.startswith(prefix(tag)) and not name.endswith(STAGE)


def _aside(partial: bytes, path: bytes) -> bytes:
    """Return where what stands under `path` waits: of half files always the same, so that it is found again."""
    if is_partial(partial.rpartition(b"/")[2]):
        return partial + STAGE
    return passing_path(path, _RENAMING) + STAGE


class Naming:
    """Gives names, in one step where the server can.

    Version 3's rename is to refuse a name that is taken. OpenSSH's does, for files without a gap in between (it makes
    a link); others replace what is there, or look at it through links. So only OpenSSH is relied upon, and others are
    asked before, which leaves a moment for somebody else.
    """

    def __init__(self, session: Session, *, refuses_taken: bool) -> None:
        self._session, self._refuses_taken = session, refuses_taken

    async def give(
        self,
        partial: bytes,
        path: bytes,
        location: Location,
        doing: str,
        *,
        replace: bool,
        is_file: bool = True,
    ) -> None:
        """Give what stands under `partial` its name.

        Raises:
            AlreadyExists: The name is taken and `replace` is False.
            IsAFolder: A folder stands there and `replace` is True.
        """
        session = self._session
        try:
            if not replace:
                await self._give_free(partial, path, location, doing, is_file=is_file)
            elif session.offers(POSIX_RENAME):
                try:
                    await session.posix_rename(partial, path)
                except Refused as refused:
                    raise await reasons.not_replaced(session, refused, location, path, doing) from refused
            else:
                await self._supplant(partial, path, location, doing)
        except Lost as lost:
            raise from_refusal(lost, location, doing) from lost

    async def _give_free(
        self, partial: bytes, path: bytes, location: Location, doing: str, *, is_file: bool
    ) -> None:
        session = self._session
        if not (is_file and self._refuses_taken) and await session.exists(path) is not None:
            raise told(AlreadyExists, doing, location, "something of that name is already there")
        try:
            await session.rename(partial, path)
        except Refused as refused:
            raise await reasons.not_made(session, refused, location, path, doing) from refused

    async def _supplant(self, partial: bytes, path: bytes, location: Location, doing: str) -> None:
        """Replace without the server's help: the old one steps aside, and comes back where the new one is refused.

        Aside it has a name that `abandon` does not take for a half file: it may be the only one there is.
        """
        session, aside = self._session, _aside(partial, path)
        standing = await session.exists(path)
        if standing is not None and stat.S_ISDIR(standing.mode):
            raise told(IsAFolder, doing, location, "a folder stands there")
        try:
            try:
                if standing is not None:
                    await session.rename(path, aside)
                await session.rename(partial, path)
            except BaseException:
                if standing is not None:  # also where nobody knows whether the first was done
                    session.tell(Kind.RENAME, text(aside), text(path))
                raise
        except Refused as refused:
            raise await reasons.not_made(session, refused, location, path, doing) from refused
        await session.send(Kind.REMOVE, text(aside))  # also one that an earlier try had to leave

    async def move(
        self, paths: tuple[bytes, bytes], location: Location, new: Location, *, replace: bool
    ) -> None:
        """Give an entry of any kind another name; a folder replaces an empty one, as POSIX has it."""
        path, new_path = paths
        session, doing = self._session, "rename to"
        try:
            found = await session.lstat(path)
            if location != new and location.holds(new):
                raise told(Unsupported, "rename", location, "a folder cannot be put inside itself")
        except (Refused, Lost) as refused:
            raise from_refusal(refused, location, "rename") from refused
        if replace and path == new_path:
            return
        if not replace:
            is_file = stat.S_ISREG(found.mode)
            await self.give(path, new_path, new, doing, replace=False, is_file=is_file)
        elif not stat.S_ISDIR(found.mode):
            await self.give(path, new_path, new, doing, replace=True)
        else:
            try:
                await self._move_folder(path, new_path, new, doing)
            except (Refused, Lost) as refused:
                raise await reasons.not_made(session, refused, new, new_path, doing) from refused

    async def _move_folder(self, path: bytes, new_path: bytes, new: Location, doing: str) -> None:
        session = self._session
        if (standing := await session.exists(new_path)) is not None:
            if not stat.S_ISDIR(standing.mode):
                raise told(NotAFolder, doing, new, "something that is not a folder stands there")
            if await reasons.has_entries(session, new_path):
                raise told(NotEmpty, doing, new, "the folder there is not empty")
            if session.offers(POSIX_RENAME):
                await session.posix_rename(path, new_path)
                return
            await session.done(Kind.RMDIR, text(new_path))
        await session.rename(path, new_path)
