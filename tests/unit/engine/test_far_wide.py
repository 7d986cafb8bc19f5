"""Folders with very many others in them: those take next to nothing until it is their turn."""

from __future__ import annotations

import gc
import stat
import tracemalloc
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tui.engine.far.comparing import Comparison
from tui.engine.far.descent import Descent
from tui.engine.far.measuring import Measuring
from tui.engine.far.need import Amount, Need
from tui.engine.far.remaining import Remaining
from tui.engine.far.survey import Branch, Survey
from tui.model.comparison import Change, Difference
from tui.model.entry import Entry, EntryKind, Facts
from tui.model.exclusion import NOTHING
from tui.model.location import Location
from tui.places.memory import ALL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from tui.engine.far.ends import Ends
    from tui.engine.run import Run
    from tui.places.base import Place

FOLDERS = 5_000
PAGE = 500
TOP = Location("/top", "sftp", "host")

MOST_BYTES = 130
"""For a folder that waits, and for what any number of them takes. As objects they take some hundreds each."""


def folder(name: str) -> Entry:
    return Entry(name, EntryKind.FOLDER, 0, 0, stat.S_IFDIR | 0o755, 0, 0, 1)


class Wide:
    """A place with a folder that holds very many, in all of which there is one file. (As far as it is asked here.)"""

    capabilities = ALL

    async def resolve(self, location: Location) -> Location:
        return location

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        return folder(location.name)

    async def list(self, where: Location) -> AsyncIterator[Sequence[Entry]]:
        if where.path != TOP.path:
            yield [Entry("file", EntryKind.FILE, 3, 0, stat.S_IFREG | 0o644, 0, 0, 1)]
            return
        for start in range(0, FOLDERS, PAGE):
            yield [folder(f"a folder with a name {number:07}") for number in range(start, start + PAGE)]


class Reach:
    """Has everything done at once."""

    place = cast("Place", Wide())

    async def do(self, _: Location, work: Callable[[Place], Awaitable[Any]]) -> Any:
        return await work(self.place)

    async def do_both(self, _: Location, __: Location, work: Callable[[Place, Place], Awaitable[Any]]) -> Any:
        return await work(self.place, self.place)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], float]]:
    """Return what was held at the most since the test began, in bytes a folder. What is few is fewer here."""
    for name, few in (("gathered.FEW", 512), ("gathered._PACK", 256)):
        monkeypatch.setattr(f"tui.places.local.{name}", few)
    for name, few in (("columns.RUN", 512), ("columns.ONE_RUN", 1024), ("columns.PACK", 32)):
        monkeypatch.setattr(f"tui.engine.far.{name}", few)
    gc.collect()
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] / FOLDERS
    tracemalloc.stop()


async def test_measuring(held: Callable[[], float]) -> None:
    measuring = Measuring(NOTHING)
    await measuring.add(Reach.place, TOP)
    totals = measuring.totals(complete=True)
    assert (totals.folders, totals.files, totals.size_bytes) == (FOLDERS + 1, FOLDERS, 3 * FOLDERS)
    assert held() < MOST_BYTES


@pytest.mark.parametrize("there", [None, Location("/there", "sftp", "host")])
async def test_counting_beside_the_work(held: Callable[[], float], there: Location | None) -> None:
    need = SimpleNamespace(is_known=lambda *_, **__: True, of=lambda *_: (1, 3))
    total = Amount()
    survey = Survey(
        Reach(), total, cast("Need", need), lambda: False, lambda _: None, lambda: None, unfinished=False
    )
    await survey.go(Branch(TOP, there))
    assert (total.files, total.size_bytes) == (FOLDERS, 3 * FOLDERS)
    assert held() < MOST_BYTES


async def test_comparing(held: Callable[[], float]) -> None:
    other = Location("/top", "sftp", "other")
    same = 0
    async for part in Comparison(Reach(), TOP, other).parts():
        same += part.files_same
        assert part.failures == []
    assert same == FOLDERS
    assert held() < 2 * MOST_BYTES  # what is in the one folder that is compared, on both sides, comes to it


class Touch(Descent):
    """Counts what it comes to."""

    files = folders = mode = 0

    async def file(self, where: Location, entry: Entry) -> None:
        self.files += 1

    async def folder(self, level: Any) -> bool:
        self.folders += 1
        self.mode = level.entry.mode
        return True


async def test_going_through_a_tree(held: Callable[[], float]) -> None:
    async def fail(where: Location, error: Exception) -> None:
        raise error

    run = SimpleNamespace(record=SimpleNamespace(current=None), stopped=False)
    touch = Touch(cast("Run", run), cast("Ends", Reach()), fail)
    await touch.go(TOP, folder("top"))
    assert (touch.folders, touch.files) == (FOLDERS + 1, FOLDERS)
    assert touch.mode == stat.S_IFDIR | 0o755
    assert held() < MOST_BYTES


def test_what_remains_after_a_copy(held: Callable[[], float]) -> None:
    facts = Facts(EntryKind.FILE, 3, 0)
    remaining = Remaining()
    for number in range(FOLDERS):
        remaining.add([Difference(f"inner/a file with a name {number:07}", Change.EXTRA, None, facts)])
    assert sum(1 for _ in remaining.extra()) == FOLDERS
    assert held() < MOST_BYTES


def test_what_the_target_calls_otherwise_is_not_taken_for_something_it_has_besides() -> None:
    remaining = Remaining()
    changes = {"a/B": Change.NEW, "a/b": Change.EXTRA, "b": Change.EXTRA, "": Change.ATTRIBUTES}
    remaining.add(Difference(path, change, None, None) for path, change in changes.items())
    assert list(remaining.extra()) == ["b"]
    assert list(remaining.of(Change.ATTRIBUTES)) == [""]
    assert remaining.has(Change.NEW) and not remaining.has(Change.CLASH)
