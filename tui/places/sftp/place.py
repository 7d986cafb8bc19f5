"""Another host's disk over SFTP, as a `Place`: one SSH connection and one session on it, shared by all who use it.

(Large files take further sessions over a long way: `lanes`.)
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import stat
from contextlib import aclosing
from typing import TYPE_CHECKING

import asyncssh
from msgspec.structs import replace as changed

from tui.model import error
from tui.model.entry import EntryKind, Space
from tui.places.base import Attributes, Capabilities
from tui.places.sftp import copying, listing, reading, reasons
from tui.places.sftp.answers import attrs_of, is_ok, taken
from tui.places.sftp.channel import IDLE_S, Channel
from tui.places.sftp.dressing import Dressing, as_sent
from tui.places.sftp.errors import Lost, Refused, ended_at_once, from_refusal, no_sftp, not_sftp, told
from tui.places.sftp.lanes import Lanes, open_channel
from tui.places.sftp.manners import Manners
from tui.places.sftp.naming import Naming, is_own_partial, partial_path, passing_path
from tui.places.sftp.open_files import OpenFiles
from tui.places.sftp.protocol import LAST_SECOND, NOTHING, SECOND_NS, Attrs, Kind, attributes, text
from tui.places.sftp.session import COPY_DATA, FSYNC, STATVFS, Session
from tui.places.sftp.spreading import FAR_S
from tui.places.sftp.tools import Tools
from tui.places.sftp.writing import SftpWriter, put

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Identity
    from tui.places.sftp.channel import Answer
    from tui.places.sftp.reading import SftpReader
    from tui.places.sftp.silence import Silence

_CLOSING_S = 5.0
"""How long a goodbye may take."""
NEAR_AHEAD_BYTES = 4 << 20
"""More only fills the buffers between: on the loopback 16 MiB take four times as long, with packets sent again."""
FAR_AHEAD_BYTES = 16 << 20
"""What the window of a session holds: 30 ms away that is 500 MB/s."""

_MOST_OPEN = 512
"""So many small files are open at the host at once, at most; OpenSSH's allows a thousand, as a rule."""
_ROUND_TRIPS = 3
"""One after another, that a small file takes. In one of them it is open."""


class SftpPlace:
    """Implements `tui.places.base.Place` over an SSH connection, which becomes its own."""

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        session: Session,
        lanes: Lanes,
        home: bytes,
        version: str,
        manners: Manners | None = None,
    ) -> None:
        self._connection, self._session, self._lanes = connection, session, lanes
        self._home = os.fsdecode(home)
        most_open = max(1, min(_MOST_OPEN, session.most_open // 2))  # others have files open, too
        self._far_pipeline = _ROUND_TRIPS * most_open
        is_openssh = "OpenSSH" in version
        self._naming = Naming(session, refuses_taken=is_openssh)
        self._dressing = Dressing(session, manners or Manners(), keeps_its_word=is_openssh)
        self._tools = Tools(session, lanes, self._naming, self._dressing, OpenFiles(most_open))
        self._link_comes_last = not (is_openssh or "paramiko" in version)
        self.capabilities = Capabilities(
            symlinks=True,
            modes=True,
            sets_times=True,
            time_step_ns=SECOND_NS,
            times_ns=(0, LAST_SECOND * SECOND_NS),
            renames=True,
            resumes=True,
            copies=session.offers(COPY_DATA),
            space=session.offers(STATVFS),
            flushes=session.offers(FSYNC),
            pipeline=min(_MOST_OPEN, self._far_pipeline),
            ahead_bytes=NEAR_AHEAD_BYTES,
        )
        session.when_measured(self._way_is_known)
        self._dressing.when_learnt(self._sets_less)

    def _way_is_known(self, distance_s: float) -> None:
        if distance_s >= FAR_S:
            far, pipeline = FAR_AHEAD_BYTES, self._far_pipeline
            self.capabilities = dataclasses.replace(self.capabilities, ahead_bytes=far, pipeline=pipeline)

    def _sets_less(self) -> None:
        manners = self._dressing.manners
        self.capabilities = dataclasses.replace(
            self.capabilities, sets_modes=manners.sets_modes, sets_times=manners.sets_times
        )

    @classmethod
    async def start(
        cls,
        connection: asyncssh.SSHClientConnection,
        root: Location,
        manners: Manners | None = None,
        *,
        idle_s: float = IDLE_S,
    ) -> SftpPlace:
        """Begin an SFTP session on a connection. Where that fails the connection is the caller's to close.

        Args:
            root: What is told to be out of reach if it fails.
            manners: What is known of the host from before.
            idle_s: Seconds of silence after which a server that owes an answer is given up.
        """
        version = str(connection.get_extra_info("server_version", ""))
        if "OpenSSH" in version:  # what it refuses in one folder may be for want of a better disk there
            manners = None
        begun: list[Session] = []

        def begin(channel: Channel) -> None:
            begun.append(Session(channel))
            begun[0].begin(ahead="OpenSSH" in version)

        try:
            channel = await open_channel(connection, idle_s, begin, manners)
        except asyncssh.ChannelOpenError as failed:
            if connection.is_closed():  # so asyncssh tells of a lost connection, too
                raise from_refusal(Lost(failed.reason), root, "reach") from failed
            raise no_sftp(root, failed.reason) from failed
        except (asyncssh.Error, OSError) as failed:
            raise from_refusal(Lost(str(failed)), root, "reach") from failed
        session = begun[0] if begun else Session(channel)
        try:
            home = await session.start()
        except (Refused, Lost) as refused:
            channel.close()
            if not channel.speaks_sftp:
                raise not_sftp(root, channel.said) from refused
            if channel.is_ended:
                raise ended_at_once(root) from refused
            raise from_refusal(refused, root, "reach") from refused
        except BaseException:
            channel.close()
            raise
        lanes = Lanes(session, lambda: open_channel(connection, idle_s, manners=manners))
        return cls(connection, session, lanes, home, version, manners)

    @property
    def alive(self) -> bool:
        """The connection has not been lost, as far as is known."""
        return self._session.channel.alive

    @property
    def silence(self) -> Silence | None:
        """The silence with which the connection was lost, where somebody waited for an answer."""
        return self._session.channel.silence

    async def resolve(self, location: Location) -> Location:
        """Return where `/~` and what is below it is; others are what they are."""
        path = self._text(location)
        return location if path == location.path else changed(location, path=path)

    async def list(self, folder: Location) -> AsyncGenerator[Sequence[Entry], None]:
        """Yield the entries of a folder in pages."""
        async with aclosing(listing.list_folder(self._session, self._path(folder), folder)) as pages:
            async for page in pages:
                yield page

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        """Return one entry in full; of a link also where it points, unless it is followed."""
        session, path = self._session, self._path(location)
        try:
            found = await (session.stat(path) if follow else session.lstat(path))
            if not stat.S_ISLNK(found.mode):
                return found.entry(location.name)
            points_to = await session.readlink(path)
            kind = await self._kind_of_link(path)
        except (Refused, Lost) as refused:
            raise await reasons.not_looked_at(session, refused, location) from refused
        return changed(found.entry(location.name, os.fsdecode(points_to)), kind=kind)

    async def _kind_of_link(self, path: bytes) -> EntryKind:
        try:
            target = await self._session.stat(path)
        except Refused:
            return EntryKind.BROKEN_LINK
        return EntryKind.FOLDER_LINK if stat.S_ISDIR(target.mode) else EntryKind.LINK

    async def get(
        self, location: Location, most_bytes: int, seen: Entry | None = None
    ) -> tuple[Entry, bytes]:
        """Return a small file whole, with what it was when it was read."""
        path = self._path(location)
        known = None if seen is None else Attrs.of(seen)
        return await reading.get(self._session, self._tools.open_files, path, location, most_bytes, known)

    async def put(
        self, location: Location, data: bytes, attributes: Attributes, tag: str, *, replace: bool, flush: bool
    ) -> None:
        """Make a small file whole."""
        path = self._path(location)
        paths = passing_path(path, tag), path
        await put(self._tools, paths, location, data, attributes, replace=replace, flush=flush)

    async def open_reader(self, location: Location) -> SftpReader:
        """Open a regular file, links not followed."""
        return await reading.open_reader(self._session, self._path(location), location)

    async def open_writer(self, location: Location, identity: Identity) -> SftpWriter:
        """Begin a file, or go on with what an earlier writer of the same location and identity left."""
        path, size = self._path(location), identity.size_bytes
        partial = partial_path(path, identity.tag, size, identity.mtime_ns)
        return await SftpWriter.open(self._tools, location, (partial, path), size)

    async def copy(
        self, source: Location, target: Location, attributes: Attributes, tag: str, *, replace: bool
    ) -> None:
        """Copy a file within the server."""
        if not self.capabilities.copies:
            raise told(error.Unsupported, "copy", source, "the server cannot do that")
        new = self._path(target)
        paths = self._path(source), passing_path(new, tag), new
        await copying.copy(self._tools, paths, source, target, attributes, replace=replace)

    async def make_folder(self, location: Location, mode: int | None = None) -> None:
        """Create one folder in an existing one."""
        session, path, doing = self._session, self._path(location), "create the folder"
        try:
            sent = NOTHING if mode is None else attributes(mode=mode)
            if not self._dressing.manners.sets_modes:
                mode = None  # it is what comes of it
            made = session.send(Kind.MKDIR, text(path), sent)
            unsure = mode is not None and not self._is_taken(mode) and mode & ~session.left_modes
            look = session.send_lstat(path) if unsure else None  # it goes along: that is one way less
            taken(await made, Kind.STATUS)
            if mode is not None and not (
                await self._was_left(mode, look) if look else not self._is_taken(mode)
            ):
                await self._dressing.settle(None, path, Attributes(mode=mode))
        except (Refused, Lost) as refused:
            raise await reasons.not_made(session, refused, location, path, doing) from refused

    def _is_taken(self, mode: int) -> bool:
        """Say whether the server is known to take some of a new folder's mode away."""
        return bool(mode & self._session.taken_modes or mode & ~0o777)

    async def _was_left(self, mode: int, look: Answer) -> bool:
        """Say whether a new folder has its mode, or the server's umask took some of it: that is looked at once."""
        session, found = self._session, stat.S_IMODE(attrs_of(await look).mode)
        session.left_modes |= mode & found
        session.taken_modes |= mode & ~found
        return found == mode

    async def make_symlink(
        self, location: Location, points_to: str, tag: str, *, replace: bool, mtime_ns: int | None = None
    ) -> bool:
        """Create a symbolic link; say whether it has the time it was to have, if any."""
        session, path, doing = self._session, self._path(location), "create the link"
        target = os.fsencode(points_to)
        partial = passing_path(path, tag)
        try:
            if not replace:
                await self._link(target, path)
                return await self._link_dated(path, mtime_ns)
            await self._link(target, partial)
            dated = await self._link_dated(partial, mtime_ns)
        except (Refused, Lost) as refused:
            raise await reasons.not_made(session, refused, location, path, doing) from refused
        named = False
        try:
            await self._naming.give(partial, path, location, doing, replace=True)
            named = True
        finally:
            if not named:
                await session.drop(partial)
        return dated

    async def _link_dated(self, path: bytes, mtime_ns: int | None) -> bool:
        """Give a link its own time, where the server can do that without following it; say whether it has it."""
        if mtime_ns is None:
            return True
        asked = self._session.send_set(path, attributes(mtime_ns=mtime_ns))
        return asked is not None and is_ok(await asked)

    async def _link(self, target: bytes, path: bytes) -> None:
        """Make a link. (OpenSSH takes the two the other way round than the standard says, and paramiko follows it.)"""
        first, second = (path, target) if self._link_comes_last else (target, path)
        await self._session.done(Kind.SYMLINK, text(first), text(second))

    async def remove_file(self, location: Location) -> None:
        """Remove anything that is not a folder; a link itself."""
        session, path = self._session, self._path(location)
        try:
            await session.done(Kind.REMOVE, text(path))
        except (Refused, Lost) as refused:
            raise await reasons.file_not_removed(session, refused, location, path, "remove") from refused

    async def remove_folder(self, location: Location) -> None:
        """Remove an empty folder."""
        session, path = self._session, self._path(location)
        try:
            await session.done(Kind.RMDIR, text(path))
        except (Refused, Lost) as refused:
            raise await reasons.folder_not_removed(session, refused, location, path, "remove") from refused

    async def rename(self, location: Location, new: Location, *, replace: bool = False) -> None:
        """Give an entry another name in one step."""
        path, new_path = self._path(location), self._path(new)
        await self._naming.move((path, new_path), location, new, replace=replace)

    async def set_attributes(self, location: Location, attributes: Attributes) -> None:
        """Set what is given of one file or folder; a link is refused, not followed."""
        session, path, doing = self._session, self._path(location), "change"
        sent = as_sent(attributes)
        try:
            look = session.send_lstat(path)
            # What follows no link goes along with the look: that is one way less for each level of a tree.
            asked = session.send_set(path, sent) if sent is not None else None
            if stat.S_ISLNK(attrs_of(await look).mode):
                raise told(error.LinkInTheWay, doing, location, "it is a link")
            if sent is not None:
                await session.set(path, sent, asked)
        except (Refused, Lost) as refused:
            if isinstance(refused, Refused):
                self._dressing.told(refused, attributes)
            raise await reasons.not_changed(session, refused, location, path, doing) from refused

    async def space(self, folder: Location) -> Space:
        """Return the room on the filesystem of a folder."""
        doing = "measure the room of"
        if not self.capabilities.space:
            raise told(error.Unsupported, doing, folder, "the server cannot do that")
        try:
            told_space = await self._session.statvfs(self._path(folder))
        except (Refused, Lost) as refused:
            raise from_refusal(refused, folder, doing) from refused
        _, unit, blocks, _, available, _, _, files_available, *_ = told_space
        return Space(available * unit, blocks * unit, files_available)

    async def abandon(self, folder: Location, tag: str) -> int:
        """Remove what writers of this tag left half done for names directly in a folder; its time stays."""
        session, path = self._session, self._path(folder)
        halves: list[bytes] = []
        try:
            before = await session.stat(path)
        except (Refused, Lost) as refused:
            raise from_refusal(refused, folder, "read the folder") from refused
        async with aclosing(self.list(folder)) as pages:
            async for page in pages:
                names = (os.fsencode(entry.name) for entry in page if entry.kind is not EntryKind.FOLDER)
                halves += [path.rstrip(b"/") + b"/" + name for name in names if is_own_partial(name, tag)]
        asked = [session.send(Kind.REMOVE, text(half)) for half in halves]
        removed = 0
        try:
            for answer in asked:
                removed += is_ok(await answer)
        except Lost as lost:
            raise from_refusal(lost, folder, "tidy up") from lost
        if removed:
            session.tell(Kind.SETSTAT, text(path), attributes(mtime_ns=before.mtime_s * SECOND_NS))
        return removed

    async def flush(self, folder: Location) -> None:
        """Do nothing: a server brings single files onto its disk, as they are written, and no folder."""

    async def close(self) -> None:
        """Let go of the connection; never raises."""
        self._lanes.close()
        self._session.channel.close()
        self._connection.close()
        try:
            async with asyncio.timeout(_CLOSING_S):
                await self._connection.wait_closed()
        except (TimeoutError, asyncssh.Error, OSError):
            self._connection.abort()

    def _text(self, location: Location) -> str:
        path = location.path
        if path == "/~" or path.startswith("/~/"):
            return (self._home.rstrip("/") + path[2:]) or "/"
        return path

    def _path(self, location: Location) -> bytes:
        return os.fsencode(self._text(location))
