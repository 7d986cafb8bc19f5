"""What a far copy has at hand of a tree: folders that are worked on, and entries that are waiting."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tui.engine.far.fitted import UNCHANGED, Changed
from tui.engine.far.held import Held
from tui.engine.far.met import Met
from tui.engine.rows import Source
from tui.engine.run import Spot
from tui.model.entry import Entry, Facts
from tui.model.error import PlaceError
from tui.model.location import Location


@dataclass(frozen=True, slots=True)
class Whole:
    """A source that is at the target with all that is in it: what it was, and what it is called there."""

    entry: Entry
    name: str


class State(Enum):
    """What comes next for a folder."""

    NEW = "new"
    LISTING = "listing"
    FINISH = "finish"


@dataclass(slots=True)
class Step:
    """One source, looked at. Without an entry it is either gone (moved before a crash) or refused."""

    source: Source
    name: str
    """At the target."""
    entry: Entry | None = None
    there: Entry | None = None
    error: PlaceError | None = None
    left_out: bool = False
    """It has no name at the target."""
    was_fresh: bool = False
    """The journal said already that its name was free when the job first came to it."""

    @property
    def idx(self) -> int:
        return self.source.idx

    def refuse(self, error: PlaceError) -> None:
        """Note what was in its way."""
        self.error = error


@dataclass(eq=False, slots=True)
class Folder:
    """A folder of the source, and where what is in it goes.

    Attributes:
        entry: What it is; None for one that is only gone through for some of its entries.
        path, target_path: From the folder that holds the source, and from the target folder.
        there: What stands at the target, where that is `known`.
        making: It was tried to make it, so it may be the job's own whoever finds it there.
        own: The job made it: it is given its attributes in the end.
        touched: Something was put into it at the target, so that its time there is another.
        lent: What stood there was made writable for as long as things are put into it.
        changed: What the names in it are at the target.
        standing: What is in it at the target, by name; None where each entry has to be asked for.
        left: So many things are not done yet: its listing, and what came of it.
        stays: Something of it was not copied (of a move: stays in it).
        over: The one above counts it as done.
        done_files, done_bytes: What was counted of it while its listing is open. After a loss these are found again
            (`credit`), and not counted once more.
        subs: Subfolders that the open listing gave already.
        pages: So many pages it gave.
    """

    idx: int
    path: str
    target_path: str
    source: Location
    target: Location
    parent: Folder | None
    entry: Entry | None = None
    there: Entry | None = None
    known: bool = False
    making: bool = False
    own: bool = False
    touched: bool = False
    lent: bool = False
    top: bool = False
    state: State = State.NEW
    changed: Changed = UNCHANGED
    standing: Held | None = None
    listing: AsyncIterator[Sequence[Entry]] | None = None
    left: int = 1
    stays: bool = False
    over: bool = False
    done_files: int = 0
    done_bytes: int = 0
    credit_files: int = 0
    seen_files: int = 0
    seen_bytes: int = 0
    subs: Met = field(default_factory=Met)
    pages: int = 0
    settled: set[str] = field(default_factory=set)
    """Entries about which something was told (an error, a question) while the listing is open."""

    @property
    def is_open(self) -> bool:
        """Its listing has begun and not ended: after a loss it has to be gone through anew."""
        return self.state is State.LISTING

    def below(self, path: str, name: str) -> str:
        return f"{path}/{name}" if path else name


@dataclass(eq=False, slots=True)
class Item:
    """An entry to be copied.

    Attributes:
        name: What it is to be called at the target.
        there: What stands there, where that is `known`.
        again: It was under way when a connection was lost: it may be done.
        quiet: It was counted, and is not to be counted again.
    """

    folder: Folder
    entry: Entry
    name: str
    idx: int
    there: Entry | None = None
    known: bool = True
    replace: bool = False
    again: bool = False
    top: bool = False
    own: bool = False
    """Of a folder: the job made it before, at a free name."""
    quiet: bool = False
    made: bool = False
    """The job gave something its name, which then was not what it should be: it is replaced, or goes."""
    met: bool = False
    """Its name was free when it was looked at, and then was not: the place may take another's name for it."""
    is_same: bool = False
    """It was found complete at the target."""
    expects: Facts | None = None
    """What it replaces; None: whatever stands there."""

    @property
    def path(self) -> str:
        return self.folder.below(self.folder.path, self.entry.name)

    @property
    def target_path(self) -> str:
        return self.folder.below(self.folder.target_path, self.name)

    @property
    def source(self) -> Location:
        return self.folder.source.child(self.entry.name)

    @property
    def target(self) -> Location:
        return self.folder.target.child(self.name)

    @property
    def spot(self) -> Spot:
        path, target_path = os.fsencode(self.path), os.fsencode(self.target_path)
        return Spot(self.idx, path, target_path, self.source, self.target)
