"""Other places, as the engine tells of them. A call that is given up here is given up there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from tui.client.walking import walk_by_listing
from tui.model.entry import Details, Listed, Page, Totals
from tui.model.error import EngineError
from tui.model.exclusion import NOTHING, Exclusion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.model.comparison import Compared, Differences
    from tui.model.entry import Below, Entry, Space
    from tui.model.location import Location
    from tui.model.reach import Reach
    from tui.model.upload import Unfinished

FOLDERS_KEPT = 8
"""Of so many folders the last listing is kept: what `details` asks of them came with it."""

MEASURED_AT_ONCE = 1_000
"""So many entries are counted by one call: it is a message, and there may be a million of them."""

GIVING_UP_S = 2.0
"""So long the engine may take to hear that a call is given up."""

Columns = tuple[int, int, int, int]
"""Kind, size in bytes, time in ns, mode."""


class Engine(Protocol):
    async def ask(self, method: str, **arguments: Any) -> Any: ...


class Far:
    """Implements `tui.client.base.Places` for all places but the local disk."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listed: OrderedDict[Location, dict[str, Columns]] = OrderedDict()
        self._giving_up: set[asyncio.Task[None]] = set()

    async def _ask(self, method: str, **arguments: Any) -> Any:
        token = os.urandom(8).hex()
        try:
            return await self._engine.ask(f"far.{method}", **arguments, token=token)
        except asyncio.CancelledError:
            self._tell("far.drop", token=token)
            raise

    def _tell(self, method: str, **arguments: Any) -> None:
        """Ask for something whose answer nobody waits for."""

        async def telling() -> None:
            with contextlib.suppress(EngineError, TimeoutError):
                async with asyncio.timeout(GIVING_UP_S):
                    await self._engine.ask(method, **arguments)

        task = asyncio.create_task(telling())
        self._giving_up.add(task)
        task.add_done_callback(self._giving_up.discard)

    async def reach(self, place: Location) -> Reach:
        found: Reach = await self._engine.ask("far.reach", place=place)
        return found

    async def resolve(self, location: Location) -> Location:
        found: Location = await self._ask("resolve", location=location)
        return found

    async def list(self, folder: Location) -> AsyncIterator[Page]:
        """Yield the names of a folder as they come; `details` of them is answered from what came along."""
        number: int = await self._ask("open", folder=folder)
        columns: dict[str, Columns] = {}
        self._listed[folder] = columns
        self._listed.move_to_end(folder)
        while len(self._listed) > FOLDERS_KEPT:
            self._listed.popitem(last=False)
        ended = False
        try:
            while not ended:
                listed: Listed = await self._ask("page", number=number)
                ended = listed.last
                columns.update(_rows(listed))
                if listed.names or listed.untold:
                    yield Page(list(listed.names), bytearray(listed.kinds), listed.untold)
        finally:
            if not ended:
                self._tell("far.shut", number=number)

    def walk(self, top: Location, *, hidden: bool) -> AsyncIterator[Sequence[Below]]:
        return walk_by_listing(self.list, top, hidden=hidden)

    async def details(self, folder: Location, names: Sequence[str]) -> Details:
        kept = self._listed.get(folder, {})
        missing = tuple(name for name in names if name not in kept)
        found = dict(_rows(await self._ask("details", folder=folder, names=missing))) if missing else {}
        details = Details()
        for name in names:
            kind, size_bytes, mtime_ns, mode = found[name] if name in found else kept[name]
            details.kinds.append(kind)
            details.sizes_bytes.append(size_bytes)
            details.mtimes_ns.append(mtime_ns)
            details.modes.append(mode)
        return details

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        entry: Entry = await self._ask("stat", location=location, follow=follow)
        return entry

    async def read(self, location: Location, offset: int, size_bytes: int) -> bytes:
        data: bytes = await self._ask("read", location=location, offset=offset, size_bytes=size_bytes)
        return data

    async def space(self, folder: Location) -> Space:
        space: Space = await self._ask("space", folder=folder)
        return space

    async def measure(
        self, locations: Sequence[Location], *, time_limit_s: float = 2.0, exclude: Exclusion = NOTHING
    ) -> Totals:
        began_s, left, found = time.monotonic(), iter(locations), Totals()
        left_s = float(time_limit_s)
        while found.complete and (some := tuple(islice(left, MEASURED_AT_ONCE))):
            more: Totals = await self._ask("measure", locations=some, time_limit_s=left_s, exclude=exclude)
            found, left_s = found.plus(more), max(0.0, time_limit_s - (time.monotonic() - began_s))
        return found

    async def uploads(self, place: Location, older_than_s: float, *, remove: bool) -> tuple[Unfinished, ...]:
        found: tuple[Unfinished, ...] = await self._ask(
            "uploads", place=place, older_than_s=float(older_than_s), remove=remove
        )
        return found

    async def compare(
        self,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
    ) -> AsyncIterator[Compared]:
        """Yield how a folder differs from another, part by part."""
        number: int = await self._ask(
            "compare", source=source, target=target, by_content=by_content, exclude=exclude
        )
        ended = False
        try:
            while not ended:
                found: Differences = await self._ask("differences", number=number)
                ended = found.last
                yield found.part
        finally:
            if not ended:
                self._tell("far.shut", number=number)

    async def make_folder(self, location: Location) -> Location:
        made: Location = await self._ask("make_folder", location=location)
        self._forget(made.parent)
        return made

    async def create_file(self, location: Location) -> None:
        await self._ask("create_file", location=location)
        self._forget(location.parent)

    async def rename(self, location: Location, new: Location) -> None:
        await self._ask("rename", location=location, new=new)
        self._forget(location.parent, new.parent)

    async def set_mode(self, location: Location, mode: int) -> None:
        await self._ask("set_mode", location=location, mode=mode)
        self._forget(location.parent)

    async def make_symlink(self, location: Location, points_to: str) -> None:
        await self._ask("make_symlink", location=location, points_to=points_to)
        self._forget(location.parent)

    def _forget(self, *folders: Location) -> None:
        """Look anew at what is in folders, the next time somebody asks."""
        for folder in folders:
            self._listed.pop(folder, None)


def _rows(listed: Listed) -> list[tuple[str, Columns]]:
    columns = zip(listed.kinds, listed.sizes_bytes, listed.mtimes_ns, listed.modes, strict=True)
    return list(zip(listed.names, columns, strict=True))
