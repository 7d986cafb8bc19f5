"""How two folders differ."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from tui.model.entry import EntryKind, Facts
from tui.model.error import PlaceError


class Change(StrEnum):
    """What makes an entry differ, seen from the source."""

    NEW = "new"
    """Only the source has it."""
    CHANGED = "changed"
    """Both have it, with another content (or size, or time) or as another kind, and neither is a folder."""
    ATTRIBUTES = "attributes"
    """The content is the same; owner, mode, access lists, attributes or, with contents compared, the time is not."""
    EXTRA = "extra"
    """Only the target has it."""
    CLASH = "clash"
    """A folder on the one side, something else on the other."""


class Difference(Struct, frozen=True):
    """One entry that differs. `path` is relative to both folders, "" for the folders themselves."""

    path: str
    change: Change
    source: Facts | None
    target: Facts | None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder where it comes from: at the source, unless only the target has it."""
        facts = self.source or self.target
        return facts is not None and facts.kind is EntryKind.FOLDER


class Compared(Struct):
    """What a part of a comparison came to. Files are all entries that are not folders."""

    differences: list[Difference] = field(default_factory=list)
    failures: list[PlaceError] = field(default_factory=list)
    """Entries that could not be looked at."""
    files_same: int = 0

    def add(self, more: Compared) -> None:
        """Take in what another part came to."""
        self.differences += more.differences
        self.failures += more.failures
        self.files_same += more.files_same


class Differences(Struct, frozen=True):
    """Parts of a comparison as they travel from the engine to a client. `last`: nothing comes behind them.

    Attributes:
        failures: Sentences and remedies, in pairs.
    """

    differences: tuple[Difference, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    files_same: int = 0
    last: bool = False

    @classmethod
    def of(cls, part: Compared, *, last: bool) -> Differences:
        failures = tuple((error.message, error.remedy) for error in part.failures)
        return cls(tuple(part.differences), failures, part.files_same, last)

    @property
    def part(self) -> Compared:
        failures = [PlaceError(*texts) for texts in self.failures]
        return Compared(list(self.differences), failures, self.files_same)


class Amounts(Struct):
    """Differences in numbers: by what they are, entries that are not folders, folders, and bytes."""

    files: dict[Change, int] = field(default_factory=dict)
    folders: dict[Change, int] = field(default_factory=dict)
    size_bytes: dict[Change, int] = field(default_factory=dict)
    """Of what is there now: at the source, for what only the target has there."""
    files_same: int = 0
    failures: int = 0

    def add(self, part: Compared) -> None:
        """Take in one more part of the comparison."""
        self.files_same += part.files_same
        self.failures += len(part.failures)
        for difference in part.differences:
            change = difference.change
            numbers = self.folders if difference.is_folder else self.files
            numbers[change] = numbers.get(change, 0) + 1
            facts = difference.source or difference.target
            if facts is not None and not difference.is_folder:
                self.size_bytes[change] = self.size_bytes.get(change, 0) + facts.size_bytes

    def number(self, change: Change) -> int:
        """Return how many entries differ in one way, folders among them."""
        return self.files.get(change, 0) + self.folders.get(change, 0)
