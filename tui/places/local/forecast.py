"""Looking ahead at what a copy would bring to a filesystem with other rules: what does not fit, in small steps."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.misfit import Misfit, Misfits, Names, Unfit
from tui.places.local import syscalls
from tui.places.local.content import Stopped
from tui.places.local.gathered import Gathered
from tui.places.local.judging import Judge
from tui.places.local.partial import is_partial
from tui.places.local.root import Root, join

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from tui.model.location import Location
    from tui.places.local.hops import Brake
    from tui.places.local.judging import Compared
    from tui.places.local.name_rules import NameRules

STEP_S = 0.05
_LOOK_EVERY = 64
"""Entries between two looks at the clock."""


class Forecast:
    """Goes through sources and finds what the target's filesystem does not take; no link is followed.

    Memory holds the names of all sources, and of the folders on the way down, packed. What cannot be read is passed by:
    the copy tells it.

    Attributes:
        exhausted: All that it was given was looked at.
    """

    def __init__(
        self,
        names: Gathered,
        rules: NameRules,
        way: Names,
        brake: Brake,
        *,
        fits: int | None = None,
        exclude: Exclusion = NOTHING,
    ) -> None:
        """Say by what is judged.

        Args:
            names: Those that all sources get.
            way: How names are to be changed; where it changes none, `Misfit.becomes` shows those that look alike.
            fits: The device of the target, where all on it keeps to one set of rules: what comes from there fits.
            exclude: What is not looked at, below the sources.
        """
        self._names, self._judge, self._brake = names, Judge(rules, way), brake
        self._fits, self._exclude = fits, exclude
        self._compared: Compared | None = None
        self._going: Generator[None] = self._all(())
        self._found: list[Misfit] = []
        self._stopped = False
        self.exhausted = False

    def take(self, sources: Iterable[tuple[Location, bytes]]) -> None:
        """Give it sources, with the names they get; nothing is opened before the next `step`."""
        self._going, self.exhausted = self._all(sources), False

    def step(self) -> list[Misfit]:
        """Look for about 50 ms, or until the brake is on; return what was found meanwhile.

        Once the brake was on, it may not go on: another forecast has to begin anew.
        """
        ends = time.monotonic() + STEP_S
        try:
            for seen, _ in enumerate(self._going, 1):
                if self._brake.on or (seen % _LOOK_EVERY == 0 and time.monotonic() > ends):
                    break
            else:
                self.exhausted = not self._stopped
        except Stopped:
            self._stopped = True
        found, self._found = self._found, []
        return found

    def close(self) -> None:
        """Close what is open."""
        self._going.close()

    def _all(self, sources: Iterable[tuple[Location, bytes]]) -> Generator[None]:
        if self._compared is None:
            self._compared = self._judge.compare(self._names, self._brake)
        for location, name in sources:
            try:
                with Root.open(location.parent.path) as root:
                    info = os.lstat(os.fsencode(location.name), dir_fd=root.fd)
                    if info.st_dev == self._fits:
                        continue
                    self._note(self._judge.of_name(location, name, self._compared))
                    if stat.S_ISDIR(info.st_mode):
                        yield from self._tree(root, os.fsencode(location.name))
                    else:
                        self._note(self._judge.of_kind(location, info.st_mode, info.st_size))
            except (PlaceError, OSError):
                continue
            yield

    def _tree(self, root: Root, top: bytes) -> Generator[None]:
        waiting: list[tuple[bytes, Iterator[bytes]]] = [(b"", iter((top,)))]
        while waiting:
            above, names = waiting[-1]
            name = next(names, None)
            if name is None:
                waiting.pop()
                continue
            path, below = join(above, name), Gathered()
            with suppress(PlaceError, OSError):  # the job itself will tell that it cannot be read
                yield from self._folder(root, path, below)
            waiting.append((path, iter(below)))

    def _folder(self, root: Root, path: bytes, below: Gathered) -> Generator[None]:
        fd = root.folder(path)
        try:
            names = Gathered()
            with os.scandir(fd) as found:
                for entry in found:
                    name, is_folder = os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)
                    if is_partial(name) or self._exclude.covers(
                        join(path, name).partition(b"/")[2], folder=is_folder
                    ):
                        continue
                    names.append(name)
                    if is_folder:
                        below.append(name)
                    else:
                        self._judge_entry(root.location(path, name), entry)
                    yield
            compared = self._judge.compare(names, self._brake)
            for name in names:
                self._note(self._judge.of_name(root.location(path, name), name, compared))
                yield
        finally:
            syscalls.let_go(fd)

    def _judge_entry(self, location: Location, entry: os.DirEntry[str]) -> None:
        with suppress(FileNotFoundError):  # it went meanwhile
            if not entry.is_file(follow_symlinks=False):
                mode = entry.stat(follow_symlinks=False).st_mode
                self._note(self._judge.of_kind(location, mode, 0))
            elif self._judge.rules.most_bytes is not None:
                info = entry.stat(follow_symlinks=False)
                self._note(self._judge.of_kind(location, info.st_mode, info.st_size))

    def _note(self, misfit: Misfit | None) -> None:
        if misfit is not None:
            self._found.append(misfit)


@dataclass(slots=True)
class Found:
    """Adds up what forecasts find."""

    most: int
    """So many are kept."""
    counts: dict[Unfit, int] = field(default_factory=dict)
    first: list[Misfit] = field(default_factory=list)

    def add(self, misfits: Iterable[Misfit]) -> None:
        for misfit in misfits:
            self.note(misfit)

    def note(self, misfit: Misfit | None) -> None:
        """Count it, if there is one."""
        if misfit is None:
            return
        self.counts[misfit.unfit] = self.counts.get(misfit.unfit, 0) + 1
        if len(self.first) < self.most:
            self.first.append(misfit)

    def join(self, other: Found) -> None:
        """Take in what was found elsewhere."""
        for unfit, count in other.counts.items():
            self.counts[unfit] = self.counts.get(unfit, 0) + count
        self.first += other.first[: self.most - len(self.first)]

    def sum(self) -> Misfits:
        """Return what was found so far."""
        get = self.counts.get
        return Misfits(
            names=get(Unfit.NAME, 0),
            clashes=get(Unfit.CLASH, 0),
            sizes=get(Unfit.SIZE, 0),
            kinds=get(Unfit.KIND, 0),
            first=tuple(self.first),
        )
