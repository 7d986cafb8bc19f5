"""The local disk of a client: folders are read in this process, and the engine is not asked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tui.model.exclusion import NOTHING, Exclusion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.model.comparison import Compared
    from tui.model.entry import Below, Details, Entry, Page, Space, Totals
    from tui.model.location import Location
    from tui.places.local.place import LocalPlace


class Disk:
    """Implements `tui.client.base.Places` for the local disk, which is imported when it is first used."""

    @cached_property
    def _places(self) -> LocalPlace:
        from tui.places.local.place import LocalPlace

        return LocalPlace()

    def close(self) -> None:
        """Let go of the disk, if it was used."""
        if "_places" in vars(self):
            self._places.close()

    def list(self, folder: Location) -> AsyncIterator[Page]:
        return self._places.list(folder)

    def walk(self, top: Location, *, hidden: bool) -> AsyncIterator[Sequence[Below]]:
        return self._places.walk(top, hidden=hidden)

    async def details(self, folder: Location, names: Sequence[str]) -> Details:
        return await self._places.details(folder, names)

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        return await self._places.stat(location, follow=follow)

    async def read(self, location: Location, offset: int, size_bytes: int) -> bytes:
        return await self._places.read(location, offset, size_bytes)

    async def space(self, folder: Location) -> Space:
        return await self._places.space(folder)

    async def measure(
        self, locations: Sequence[Location], *, time_limit_s: float = 2.0, exclude: Exclusion = NOTHING
    ) -> Totals:
        return await self._places.measure(locations, time_limit_s=time_limit_s, exclude=exclude)

    def compare(
        self,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
    ) -> AsyncIterator[Compared]:
        return self._places.compare(source, target, by_content=by_content, exclude=exclude)

    async def make_folder(self, location: Location) -> Location:
        return await self._places.make_folder(location)

    async def create_file(self, location: Location) -> None:
        await self._places.create_file(location)

    async def rename(self, location: Location, new: Location) -> None:
        await self._places.rename(location, new)

    async def set_mode(self, location: Location, mode: int) -> None:
        await self._places.set_mode(location, mode)

    async def make_symlink(self, location: Location, points_to: str) -> None:
        await self._places.make_symlink(location, points_to)

    async def make_hardlink(self, location: Location, existing: Location) -> None:
        await self._places.make_hardlink(location, existing)

    def watch(self, folder: Location) -> AsyncIterator[None]:
        return self._places.watch(folder)
