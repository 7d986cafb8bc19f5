"""Places for tests of the command line: the real disk, and hosts whose files are a dictionary."""

from __future__ import annotations

import asyncio
from array import array
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.client.disk import Disk
from tui.model.ask import YES, Ask, AskKind, HostQuestion
from tui.model.entry import Details, Entry, EntryKind, Page, Totals
from tui.model.error import AuthenticationFailed, NotFound, NotPossible, Unsupported
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from cli_engine import FakeEngine

    from tui.model.comparison import Compared

HOME = "/home/me"
MTIME_NS = 1_700_000_000_000_000_000
FOLDER = None


def far(path: str, host: str = "box") -> Location:
    return Location(path, "sftp", host)


class Host:
    """What other hosts hold, and what they ask before they let anybody in.

    Attributes:
        files: Contents by location; FOLDER for a folder.
        password: What is asked for and has to be answered first; empty: nothing is asked.
        known: The host's key is known; else it is asked about.
    """

    def __init__(self) -> None:
        self.files: dict[Location, bytes | None] = {far("/"): FOLDER, far(HOME): FOLDER}
        self.links: dict[Location, Location] = {}
        self.password = ""
        self.known = True
        self.questions: list[HostQuestion] = []
        self.answers: list[str | None] = []
        self.refused = False
        self.asked = 0

    def ask(self, jobs: tuple[int, ...] = ()) -> None:
        """Ask for what is missing, unless that is asked already or nothing is."""
        if self.questions:
            (asked,) = self.questions
            self.questions = [replace(asked, jobs=tuple({*asked.jobs, *jobs}))]
        if self.questions or self.refused or (self.known and not self.password):
            return
        self.asked += 1
        if not self.known:
            ask = Ask(AskKind.HOST_KEY, "box", "box shows the key\nSHA256:\x1b[31mabc", secret=False)
        else:
            wrong = bool(self.answers) and self.answers[-1] not in (YES, self.password)
            ask = Ask(AskKind.PASSWORD, "me@box", "Password for me@box", retry=wrong)
        self.questions = [HostQuestion(self.asked, ask, far("/"), jobs)]

    def answer(self, id: int, text: str | None) -> None:
        if id not in [each.id for each in self.questions]:
            raise NotPossible("it was answered already")
        (question,), self.questions = self.questions, []
        self.answers.append(text)
        if text is None or (question.ask.kind is AskKind.HOST_KEY and text != YES):
            self.refused = True
        elif question.ask.kind is AskKind.HOST_KEY:
            self.known = True
        elif text == self.password:
            self.password = ""

    async def open(self) -> None:
        """Let in whoever answers."""
        while True:
            if self.refused:
                raise AuthenticationFailed("cannot connect to sftp://box: nobody answered")
            self.ask()
            if not self.questions:
                return
            await asyncio.sleep(0.005)


class FakePlaces:
    """Implements `tui.client.base.Places`."""

    engine: FakeEngine

    @cached_property
    def disk(self) -> Disk:
        return Disk()

    def close_places(self) -> None:
        if "disk" in vars(self):
            self.disk.close()

    @property
    def host(self) -> Host:
        return self.engine.host

    async def resolve(self, location: Location) -> Location:
        if location.is_local:
            return location
        await self.host.open()
        return Location(location.path.replace("/~", HOME, 1), location.scheme, location.authority)

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        if location.is_local:
            return await self.disk.stat(location, follow=follow)
        await self.host.open()
        if location in self.host.links:
            if not follow:
                return Entry(location.name, EntryKind.LINK, 0, MTIME_NS, 0o777, 0, 0, 1)
            location = self.host.links[location]
        if location not in self.host.files:
            raise NotFound(f"cannot look at {location}: no such file or folder", location=location)
        return self._entry(location)

    def _entry(self, location: Location) -> Entry:
        data = self.host.files[location]
        kind = EntryKind.FOLDER if data is FOLDER else EntryKind.FILE
        mode = 0o755 if data is FOLDER else 0o640
        return Entry(location.name, kind, len(data or b""), MTIME_NS, mode, 0, 0, 1)

    def _inside(self, folder: Location) -> list[Entry]:
        return [self._entry(each) for each in self.host.files if each.parent == folder and each != folder]

    async def list(self, folder: Location) -> AsyncIterator[Page]:
        if folder.is_local:
            async for page in self.disk.list(folder):
                yield page
            return
        await self.host.open()
        for entry in reversed(self._inside(folder)):
            yield Page([entry.name], bytearray([entry.kind]))

    async def details(self, folder: Location, names: Sequence[str]) -> Details:
        if folder.is_local:
            return await self.disk.details(folder, names)
        found = {entry.name: entry for entry in self._inside(folder)}
        entries = [found[name] for name in names]
        return Details(
            bytearray(entry.kind for entry in entries),
            array("q", [entry.size_bytes for entry in entries]),
            array("q", [entry.mtime_ns for entry in entries]),
            array("I", [entry.mode for entry in entries]),
        )

    async def read(self, location: Location, offset: int, size_bytes: int) -> bytes:
        if location.is_local:
            return await self.disk.read(location, offset, size_bytes)
        await self.host.open()
        data = self.host.files.get(location)
        if data is None:
            raise Unsupported(f"cannot read {location}: it is no file", "Name a file.", location=location)
        return data[offset : offset + size_bytes]

    async def measure(
        self, locations: Sequence[Location], *, time_limit_s: float = 2.0, exclude: Exclusion = NOTHING
    ) -> Totals:
        if all(location.is_local for location in locations):
            return await self.disk.measure(locations, time_limit_s=time_limit_s)
        await self.host.open()
        below = {each for each in self.host.files for location in locations if location.holds(each)}
        contents = [self.host.files[each] for each in below]
        files = [data for data in contents if data is not None]
        return Totals(len(files), len(contents) - len(files), sum(map(len, files)))

    async def make_folder(self, location: Location) -> Location:
        if location.is_local:
            return await self.disk.make_folder(location)
        await self.host.open()
        self.host.files[location] = FOLDER
        return location

    def compare(
        self,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
    ) -> AsyncIterator[Compared]:
        if source.is_local and target.is_local:
            return self.disk.compare(source, target, by_content=by_content)
        return self._compared()

    async def _compared(self) -> AsyncIterator[Compared]:
        await self.host.open()
        for part in self.engine.compared:
            yield part

    # What a client says of hosts

    async def host_questions(self) -> tuple[HostQuestion, ...]:
        return tuple(self.host.questions)

    async def answer_host(self, id: int, answer: str | None) -> None:
        self.engine.calls.append(("answer_host", id, answer))
        self.host.answer(id, answer)
