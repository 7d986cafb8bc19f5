"""Looking ahead at what a copy would bring to a filesystem with other rules: what does not fit, in small steps."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui import format
from tui.model.error import PlaceError
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.misfit import Misfit, Misfits, Names, Unfit
from tui.places.local import syscalls
from tui.places.local.content import Stopped
from tui.places.local.fitting import Fitting, clashing
from tui.places.local.partial import is_partial
from tui.places.local.root import Root, join

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from tui.model.location import Location
    from tui.places.local.hops import Brake
    from tui.places.local.name_rules import NameRules

STEP_S = 0.05
_LOOK_EVERY = 64
"""Entries between two looks at the clock."""
_TOO_LARGE = "is more than a file may have on that filesystem"


class Forecast:
    """Goes through sources and finds what the target's filesystem does not take; no link is followed.

    Memory holds the names of one folder, and of the folders still to be gone into. What cannot be read is passed by:
    the copy tells it.

    Attributes:
        exhausted: All was looked at.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Location, bytes]],
        rules: NameRules,
        way: Names,
        brake: Brake,
        *,
        fits: int | None = None,
        exclude: Exclusion = NOTHING,
    ) -> None:
        """Say what is to be looked at; nothing is opened before the first `step`.

        Args:
            sources: (what is copied, the name it gets).
            way: How names are to be changed; where it changes none, `Misfit.becomes` shows those that look alike.
            fits: The device of the target, where all on it keeps to one set of rules: what comes from there fits.
            exclude: What is not looked at, below the sources.
        """
        self._sources, self._rules, self._brake, self._fits = sources, rules, brake, fits
        self._exclude = exclude
        self._fitting = Fitting(rules, way if way.changes else Names.LOOKALIKE)
        self._going = self._all()
        self._found: list[Misfit] = []
        self._stopped = False
        self.exhausted = False

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

    def judge(
        self, named: Sequence[tuple[Location, bytes]], files: Iterable[tuple[Location, int, int]]
    ) -> list[Misfit]:
        """Return what does not fit of one folder that somebody else has listed.

        Args:
            named: All that is in it, with the names it gets.
            files: (what, mode, size) of what is no folder.
        Raises:
            Stopped: The brake went on.
        """
        clashes, changed = self._compared([name for _, name in named])
        for location, name in named:
            self._judge(location, name, clashes, changed)
        for location, mode, size_bytes in files:
            self._judge_kind(location, mode, size_bytes)
        found, self._found = self._found, []
        return found

    def close(self) -> None:
        """Close what is open."""
        self._going.close()

    def _all(self) -> Generator[None]:
        named = [name for _, name in self._sources]
        clashes, changed = self._compared(named)
        for location, name in self._sources:
            try:
                with Root.open(location.parent.path) as root:
                    info = os.lstat(os.fsencode(location.name), dir_fd=root.fd)
                    if info.st_dev == self._fits:
                        continue
                    self._judge(location, name, clashes, changed)
                    if stat.S_ISDIR(info.st_mode):
                        yield from self._tree(root, os.fsencode(location.name))
                    else:
                        self._judge_kind(location, info.st_mode, info.st_size)
            except (PlaceError, OSError):
                continue
            yield

    def _tree(self, root: Root, top: bytes) -> Generator[None]:
        waiting: list[tuple[bytes, list[bytes]]] = [(b"", [top])]
        while waiting:
            above, names = waiting[-1]
            if not names:
                waiting.pop()
                continue
            path, below = join(above, names.pop()), list[bytes]()
            with suppress(PlaceError, OSError):  # the job itself will tell that it cannot be read
                yield from self._folder(root, path, below)
            waiting.append((path, below))

    def _folder(self, root: Root, path: bytes, below: list[bytes]) -> Generator[None]:
        fd = root.folder(path)
        try:
            names = list[bytes]()
            with os.scandir(fd) as found:
                for entry in found:
                    name = os.fsencode(entry.name)
                    if is_partial(name) or self._exclude.covers(
                        join(path, name).partition(b"/")[2], folder=entry.is_dir(follow_symlinks=False)
                    ):
                        continue
                    names.append(name)
                    if entry.is_dir(follow_symlinks=False):
                        below.append(names[-1])
                    else:
                        self._judge_entry(root.location(path, names[-1]), entry)
                    yield
            clashes, changed = self._compared(names)
            for name in names:
                self._judge(root.location(path, name), name, clashes, changed)
                yield
        finally:
            syscalls.let_go(fd)

    def _compared(self, names: Sequence[bytes]) -> tuple[Mapping[bytes, bytes], Mapping[bytes, bytes | None]]:
        """Return which names of a folder clash with which, and what others become.

        Raises:
            Stopped: The brake went on.
        """
        return clashing(self._rules, names, self._brake), self._fitting.changed(names, brake=self._brake)

    def _judge_entry(self, location: Location, entry: os.DirEntry[str]) -> None:
        with suppress(FileNotFoundError):  # it went meanwhile
            if not entry.is_file(follow_symlinks=False):
                self._judge_kind(location, entry.stat(follow_symlinks=False).st_mode, 0)
            elif self._rules.most_bytes is not None:
                info = entry.stat(follow_symlinks=False)
                self._judge_kind(location, info.st_mode, info.st_size)

    def _judge(
        self,
        location: Location,
        name: bytes,
        clashes: Mapping[bytes, bytes],
        changed: Mapping[bytes, bytes | None],
    ) -> None:
        """Note a name that is refused or clashes."""
        why, unfit = self._rules.refuses(name), Unfit.NAME
        if not why and (other := clashes.get(name)) is not None:
            why, unfit = f"it would be the same there as {os.fsdecode(other)}", Unfit.CLASH
        if why:
            becomes = os.fsdecode(changed.get(name) or b"")
            self._found.append(Misfit(location, unfit, why, becomes, self._rules.sure))

    def _judge_kind(self, location: Location, mode: int, size_bytes: int) -> None:
        """Note a file that is too large, or something there can be none of."""
        most = self._rules.most_bytes
        if stat.S_ISREG(mode):
            if most is not None and size_bytes > most:
                self._note(location, Unfit.SIZE, f"{format.size(size_bytes)} {_TOO_LARGE}")
        elif not (self._rules.links if stat.S_ISLNK(mode) else self._rules.specials):
            what = _KINDS.get(stat.S_IFMT(mode), "device")
            self._note(location, Unfit.KIND, f"there can be no {what} on that filesystem")

    def _note(self, location: Location, unfit: Unfit, why: str) -> None:
        self._found.append(Misfit(location, unfit, why, sure=self._rules.sure))


_KINDS = {stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket"}


@dataclass(slots=True)
class Found:
    """Adds up what forecasts find."""

    most: int
    """So many are kept."""
    counts: dict[Unfit, int] = field(default_factory=dict)
    first: list[Misfit] = field(default_factory=list)

    def add(self, misfits: Sequence[Misfit]) -> None:
        for misfit in misfits:
            self.counts[misfit.unfit] = self.counts.get(misfit.unfit, 0) + 1
        self.first += misfits[: self.most - len(self.first)]

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
