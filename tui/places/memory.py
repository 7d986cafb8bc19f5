"""A place in memory: for tests of the engine, and the reference of what a place does.

What it can do is given to it, so it stands for an SFTP server as well as for S3; and what can go wrong, can be made to.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from tui.model.ask import Ask, AskKind
from tui.model.entry import EntryKind, Space
from tui.model.error import AuthenticationFailed, PlaceUnavailable, Unsupported, from_os_error
from tui.places.base import Attributes, Capabilities
from tui.places.local.partial import STAGE, name_of_half, prefix
from tui.places.memory_files import MemoryReader, MemoryWriter
from tui.places.memory_store import MemoryStore, Node, os_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Asker, Identity

    Faults = Callable[[str, Location], Awaitable[None] | None]

ALL = Capabilities(
    symlinks=True,
    modes=True,
    sets_times=True,
    renames=True,
    resumes=True,
    copies=True,
    space=True,
    flushes=True,
    part_bytes=64 << 10,
)
"""Of a place that can do everything; half files are entries of their folder, as on a disk."""

HARDLY_ANY = Capabilities(folders=False, lists_times=False, part_bytes=64 << 10)
"""Of a flat store: folders are there as long as something is in them, and half files are out of sight."""

_PAGE_ENTRIES = 100


class MemoryPlace:
    """Implements `tui.places.base.Place` on a `MemoryStore`.

    Args:
        faults: Called before each step with its name and where it is: that of the method ("list", "put", "rename",
            …), and for open files "read", "look", "check", "rewind", "write", "publish", "suspend", "discard"; after
            one that changed something again, with " done". It may raise what the step is to raise (PlaceUnavailable:
            the place is lost), return something to be awaited, or call `lose`.
    """

    def __init__(
        self, store: MemoryStore, capabilities: Capabilities = ALL, faults: Faults | None = None
    ) -> None:
        self.store, self.capabilities, self.faults = store, capabilities, faults
        self._alive = True

    @property
    def alive(self) -> bool:
        return self._alive

    def lose(self) -> None:
        """Lose the connection: whatever is under way or comes later raises PlaceUnavailable."""
        self._alive = False

    @contextlib.asynccontextmanager
    async def step(
        self, name: str, location: Location, doing: str, *, changes: bool = False
    ) -> AsyncIterator[None]:
        """Do one step: let faults in, turn OSErrors into ours."""
        await self._let_in(name, location, doing)
        try:
            yield
        except OSError as error:
            raise from_os_error(error, location, doing) from error
        if changes:
            await self._let_in(f"{name} done", location, doing)

    async def _let_in(self, name: str, location: Location, doing: str) -> None:
        self._check_alive(location, doing)
        try:
            waits = self.faults(name, location) if self.faults is not None else None
            await (asyncio.sleep(0) if waits is None else waits)
        except PlaceUnavailable:
            self.lose()
            raise
        self._check_alive(location, doing)

    def _check_alive(self, location: Location, doing: str) -> None:
        if not self._alive:
            message = f"cannot {doing} {location}: the connection was lost"
            raise PlaceUnavailable(message, location=location)

    def _need(self, can: bool, location: Location, doing: str) -> None:
        if not can:
            raise Unsupported(f"cannot {doing} {location}: not supported there", location=location)

    async def resolve(self, location: Location) -> Location:
        async with self.step("resolve", location, "find"):
            if location.path == "/~" or location.path.startswith("/~/"):
                return changed(location, path=self.store.home + location.path[2:])
            return location

    async def list(self, folder: Location) -> AsyncIterator[Sequence[Entry]]:
        async with self.step("list", folder, "read the folder"):
            node = self.store.find(folder.path, follow=True)
            if node.kind is not EntryKind.FOLDER:
                raise os_error(errno.ENOTDIR)
            names = list(node.children)
        stored = not self.capabilities.lists_times
        for start in range(0, len(names), _PAGE_ENTRIES):
            self._check_alive(folder, "read the folder")
            there = [name for name in names[start : start + _PAGE_ENTRIES] if name in node.children]
            yield [node.children[name].entry(name, points=False, stored=stored) for name in there]
            await asyncio.sleep(0)

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        async with self.step("stat", location, "look at"):
            return self.store.find(location.path, follow=follow).entry(location.name)

    async def get(
        self, location: Location, most_bytes: int, seen: Entry | None = None
    ) -> tuple[Entry, bytes]:
        async with self.step("get", location, "read"):
            node = self.regular(location)
            if len(node.data) > most_bytes:
                message = f"cannot read {location}: it has grown meanwhile"
                raise Unsupported(message, "Retry when it is at rest.", location=location)
            return node.entry(location.name), bytes(node.data)

    async def put(
        self, location: Location, data: bytes, attributes: Attributes, tag: str, *, replace: bool, flush: bool
    ) -> None:
        async with self.step("put", location, "write", changes=True):
            self._parents(location)
            self.store.make_way(location.path, replace=replace)
            self.store.check_room(len(data))
            node = self.store.new(EntryKind.FILE)
            node.data[:] = data
            self.place(node, location, attributes, flush=flush)

    async def open_reader(self, location: Location) -> MemoryReader:
        async with self.step("open_reader", location, "read"):
            return MemoryReader(self, location, self.regular(location))

    async def open_writer(self, location: Location, identity: Identity) -> MemoryWriter:
        async with self.step("open_writer", location, "write"):
            self._parents(location)
            scratch = os.fsdecode(
                name_of_half(identity.tag, os.fsencode(location.name), identity.size_bytes, identity.mtime_ns)
            )
            half = self._half(location.parent.child(scratch).path)
            if not self.capabilities.resumes:
                half.data.clear()
            return MemoryWriter(self, location, location.parent.child(scratch), half)

    async def copy(
        self, source: Location, target: Location, attributes: Attributes, tag: str, *, replace: bool
    ) -> None:
        async with self.step("copy", source, "copy", changes=True):
            self._need(self.capabilities.copies, source, "copy")
            data = bytes(self.regular(source).data)
            self._parents(target)
            try:
                self.store.make_way(target.path, replace=replace)
            except OSError as error:
                raise from_os_error(error, target, "copy to") from error
            self.store.check_room(len(data))
            node = self.store.new(EntryKind.FILE)
            node.data[:] = data
            self.place(node, target, attributes, flush=False)

    async def make_folder(self, location: Location, mode: int | None = None) -> None:
        async with self.step("make_folder", location, "create the folder", changes=True):
            self._parents(location)
            self.store.make_way(location.path, replace=False)
            kept = mode if self.capabilities.modes else None
            self.store.set(location.path, self.store.new(EntryKind.FOLDER, kept))

    async def make_symlink(
        self, location: Location, points_to: str, tag: str, *, replace: bool, mtime_ns: int | None = None
    ) -> bool:
        async with self.step("make_symlink", location, "create the link", changes=True):
            self._need(self.capabilities.symlinks, location, "create the link")
            self.store.make_way(location.path, replace=replace)
            node = self.store.new(EntryKind.LINK)
            node.points_to = points_to
            self.store.set(location.path, node)
            keeps = mtime_ns is None or self.capabilities.sets_times
            if mtime_ns is not None and keeps:
                node.mtime_ns = mtime_ns
            return keeps

    async def remove_file(self, location: Location) -> None:
        async with self.step("remove_file", location, "remove", changes=True):
            if self.store.find(location.path).kind is EntryKind.FOLDER:
                raise os_error(errno.EISDIR)
            self.store.take(location.path)
            self._pruned(location)

    async def remove_folder(self, location: Location) -> None:
        async with self.step("remove_folder", location, "remove", changes=True):
            node = self.store.find(location.path)
            if node.kind is not EntryKind.FOLDER:
                raise os_error(errno.ENOTDIR)
            if node.children:
                raise os_error(errno.ENOTEMPTY)
            self.store.take(location.path)
            self._pruned(location)

    async def rename(self, location: Location, new: Location, *, replace: bool = False) -> None:
        async with self.step("rename", location, "rename", changes=True):
            self._need(self.capabilities.renames, location, "rename")
            node = self.store.find(location.path)
            try:
                above, _ = self.store.spot(new.path)
                if node.is_or_holds(above):
                    raise os_error(errno.EINVAL)
                self._make_way_for(node, new.path, replace=replace)
            except OSError as error:
                raise from_os_error(error, new, "rename to") from error
            self.store.set(new.path, self.store.take(location.path))

    def _make_way_for(self, node: Node, path: str, *, replace: bool) -> None:
        standing = self.store.look(path)
        if not replace or standing is None or node.kind is not EntryKind.FOLDER:
            self.store.make_way(path, replace=replace)
        elif standing.kind is not EntryKind.FOLDER:
            raise os_error(errno.ENOTDIR)
        elif standing.children:
            raise os_error(errno.ENOTEMPTY)

    async def set_attributes(self, location: Location, attributes: Attributes) -> None:
        async with self.step("set_attributes", location, "change", changes=True):
            can = self.capabilities
            self._need(can.modes or attributes.mode is None, location, "change the permissions of")
            self._need(can.sets_times or attributes.mtime_ns is None, location, "change the time of")
            node = self.store.find(location.path)
            if node.kind is EntryKind.LINK:
                raise os_error(errno.ELOOP)
            self._give(node, attributes)

    async def space(self, folder: Location) -> Space:
        async with self.step("space", folder, "measure the room of"):
            self._need(self.capabilities.space, folder, "measure the room of")
            size = 1 << 40 if self.store.room_bytes is None else self.store.room_bytes
            return Space(max(size - self.store.used_bytes, 0), size, 1 << 20)

    async def abandon(self, folder: Location, tag: str) -> int:
        async with self.step("abandon", folder, "read the folder", changes=True):
            start, end = prefix(tag).decode(), STAGE.decode()
            if not self.capabilities.folders:
                mine = f"{folder.path.rstrip('/')}/{start}"
                gone = [path for path in self.store.hidden if path.startswith(mine)]
                for path in gone:
                    del self.store.hidden[path]
                return len(gone)
            children = self.store.find(folder.path, follow=True).children
            gone = [
                name
                for name, node in children.items()
                if name.startswith(start) and not name.endswith(end) and node.kind is not EntryKind.FOLDER
            ]
            for name in gone:
                del children[name]
            return len(gone)

    async def flush(self, folder: Location) -> None:
        async with self.step("flush", folder, "write to the disk"):
            if self.capabilities.flushes:
                self.store.flushed.append(folder.path)

    async def close(self) -> None:
        self._alive = False

    # What open files need.

    def regular(self, location: Location) -> Node:
        """Return a regular file, links not followed."""
        node = self.store.find(location.path)
        if node.kind is EntryKind.LINK:
            raise os_error(errno.ELOOP)
        if node.kind is EntryKind.FOLDER:
            raise os_error(errno.EISDIR)
        return node

    def place(self, node: Node, location: Location, attributes: Attributes, *, flush: bool) -> None:
        """Give a complete file its attributes and its name."""
        self.store.touched(node)
        self._give(node, attributes)
        self.store.set(location.path, node)
        if flush and self.capabilities.flushes:
            self.store.flushed.append(location.path)

    def drop_half(self, scratch: Location) -> None:
        """Let a half file go, if it is there."""
        if not self.capabilities.folders:
            self.store.hidden.pop(scratch.path, None)
        elif self.store.look(scratch.path) is not None:
            self.store.take(scratch.path)

    def _half(self, path: str) -> Node:
        if not self.capabilities.folders:
            return self.store.hidden.setdefault(path, self.store.new(EntryKind.FILE))
        half = self.store.look(path)
        if half is None or half.kind is not EntryKind.FILE:
            half = self.store.new(EntryKind.FILE)
            self.store.set(path, half)
        return half

    def _give(self, node: Node, attributes: Attributes) -> None:
        can = self.capabilities
        if can.modes and attributes.mode is not None:
            node.mode = stat.S_IMODE(attributes.mode)
        if can.sets_times and attributes.mtime_ns is not None:
            time = can.nearest_time(attributes.mtime_ns)
            node.mtime_ns = time - time % can.time_step_ns

    def _parents(self, location: Location) -> None:
        """Have the folder something goes into: a flat store has every folder there might be."""
        if not self.capabilities.folders:
            self.store.folder(location.parent.path)
        self.store.spot(location.path)

    def _pruned(self, location: Location) -> None:
        if not self.capabilities.folders:
            self.store.prune(location.path)


class MemoryOpener:
    """Implements `tui.places.base.Opener`: every connection is to the same store.

    Args:
        faults: As for `MemoryPlace`, and "open" before a connection is made.
        password: Ask for it each time; empty: ask nothing.
    Attributes:
        places: All that were opened, in order: `places[-1].lose()` cuts the last one off.
    """

    def __init__(
        self,
        store: MemoryStore,
        capabilities: Capabilities = ALL,
        faults: Faults | None = None,
        *,
        password: str = "",
        tries: int = 3,
    ) -> None:
        self._store, self._capabilities, self._faults = store, capabilities, faults
        self._password, self._tries = password, tries
        self.places: list[MemoryPlace] = []

    async def open(self, location: Location, asker: Asker) -> MemoryPlace:
        place = MemoryPlace(self._store, self._capabilities, self._faults)
        async with place.step("open", location, "connect to"):
            if self._password:
                await self._sign_in(location, asker)
        self.places.append(place)
        return place

    async def _sign_in(self, location: Location, asker: Asker) -> None:
        host = location.authority
        for number in range(self._tries):
            ask = Ask(AskKind.PASSWORD, host, f"Password of {host}", retry=number > 0)
            if (await asker.ask(ask)).text == self._password:
                return
        raise AuthenticationFailed(f"cannot connect to {location}: wrong password", location=location)
