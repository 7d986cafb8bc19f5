"""Small trees with a bit of everything, the jobs over them, and what must be true of them whatever goes wrong."""

from __future__ import annotations

import os
import random
import stat
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.trees import describe, differences
from tui.model.job import Conflict, JobKind
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path

Tree = dict[bytes, tuple[object, ...]]

KIB = 1 << 10
SMALL_BYTES, SLICE_BYTES, LARGE_BYTES = 8 * KIB, 16 * KIB, 40 * KIB
"""What counts as small, as a slice and as large in these tests: so every way of copying is met in 100 KiB."""
MIDDLE_BYTES = 24 * KIB
_LONG_AGO_NS = 1_500_000_000_123_456_789


def make_tree(root: Path) -> None:
    """Make files of 0, 4 KiB, more than a slice, and large with a hole; links of both kinds; a FIFO; attributes."""
    bytes_of = random.Random(1).randbytes
    (root / "inner" / "deep").mkdir(parents=True)
    (root / "none").mkdir(mode=0o700)
    (root / "empty").touch()
    (root / "small").write_bytes(bytes_of(4 * KIB))
    (root / "small").chmod(0o640)
    (root / "inner" / "middle").write_bytes(bytes_of(MIDDLE_BYTES))
    with (root / "inner" / "holes").open("wb") as holes:
        holes.seek(16 * KIB)
        holes.write(bytes_of(8 * KIB))
        holes.truncate(36 * KIB)
    with (root / "inner" / "deep" / "large").open("wb") as large:
        large.write(bytes_of(44 * KIB))
        large.seek(100 * KIB)
        large.write(bytes_of(20 * KIB))
    os.link(root / "small", root / "inner" / "small again")
    os.link(root / "inner" / "deep" / "large", root / "large again")
    (root / "link").symlink_to("inner/middle")
    (root / "inner" / "dangling").symlink_to("../nowhere")
    os.mkfifo(root / "inner" / "fifo", 0o600)
    for path in (root / "small", root / "inner"):
        try:
            os.setxattr(path, "user.colour", b"green")
        except OSError:
            continue  # this filesystem has none
    _age(root)


def make_standing(root: Path) -> None:
    """Make a tree that another meets: one file is the same, some differ, some are there alone."""
    (root / "inner").mkdir(parents=True, exist_ok=True)
    (root / "small").write_bytes(b"another, which is replaced")
    (root / "inner" / "middle").write_bytes(random.Random(2).randbytes(MIDDLE_BYTES))
    (root / "link").symlink_to("elsewhere")
    (root / "empty").touch()
    (root / "kept").write_bytes(b"stays as it is")
    (root / "large again").write_bytes(b"replaced by a link to a large one")
    _age(root, years=1)
    os.utime(root / "empty", ns=(_LONG_AGO_NS, _LONG_AGO_NS + len("empty")))


def make_clashing(root: Path) -> None:
    """Put folders where the other tree has something else, and the reverse."""
    for name in ("inner/small again", "link", "large again"):
        folder = root / name
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "old").write_bytes(b"goes when there is something in its place")
    (root / "none").write_bytes(b"gives way to a folder")
    (root / "inner" / "deep").write_bytes(b"gives way to a folder with a large file")
    _age(root, years=1)


def _age(root: Path, years: int = 0) -> None:
    then = _LONG_AGO_NS + years * 31_557_600 * 10**9
    for folder, folders, files in os.walk(root, topdown=False):
        for name in files + folders:
            path = os.path.join(folder, name)
            os.utime(path, ns=(then, then + len(name)), follow_symlinks=False)
    os.utime(root, ns=(then, then))


@dataclass(frozen=True)
class Scenario:
    """A kind of job over a kind of place.

    Attributes:
        across: Source and target pretend to be on different filesystems.
        single: The entries of the tree are the job's sources, not the tree.
        clashing: Folders meet files, and the reverse.
        undo: The job is done; what is played is its reversal.
    """

    kind: JobKind
    standing: bool = False
    across: bool = False
    single: bool = False
    clashing: bool = False
    undo: bool = False
    request: dict[str, object] = field(default_factory=dict)

    @property
    def has_target(self) -> bool:
        return self.kind in (JobKind.COPY, JobKind.MOVE, JobKind.SYNC)

    def __str__(self) -> str:
        more = (
            ("merge", self.standing),
            ("across", self.across),
            ("single", self.single),
            ("clashing", self.clashing),
            ("verified", "verify" in self.request),
            ("undone", self.undo),
        )
        return " ".join([self.kind.value, *(word for word, holds in more if holds)])


SCENARIOS = (
    Scenario(JobKind.COPY),
    Scenario(JobKind.COPY, standing=True),
    Scenario(JobKind.COPY, single=True, across=True),
    Scenario(JobKind.MOVE),
    Scenario(JobKind.MOVE, single=True, standing=True),
    Scenario(JobKind.MOVE, across=True),
    Scenario(JobKind.MOVE, standing=True, across=True),
    Scenario(JobKind.MOVE, single=True, across=True),
    Scenario(JobKind.COPY, standing=True, across=True, request={"verify": True}),
    Scenario(JobKind.SYNC, standing=True, request={"into": False, "delete_extra": True}),
    Scenario(JobKind.SYNC, clashing=True, request={"into": False, "delete_extra": True}),
    Scenario(JobKind.DELETE),
    Scenario(JobKind.TRASH),
    Scenario(JobKind.RENAME, single=True),
    Scenario(JobKind.RENAME, single=True, undo=True),
    Scenario(JobKind.MOVE, single=True, undo=True),
    Scenario(JobKind.MOVE, across=True, undo=True),
    Scenario(JobKind.TRASH, single=True, undo=True),
    Scenario(JobKind.CHMOD, request={"mode_set": 0o020, "mode_clear": 0o004, "recursive": True}),
)


class Stand:
    """One set of folders for one job.

    Attributes:
        trash: Where the home's trash is.
        before: What was there before any job.
        between: Where the job played undoes another one: what that had come to.
    """

    between: Outcome | None = None

    def __init__(self, root: Path, scenario: Scenario, before: Outcome | None = None) -> None:
        """Make the folders.

        Args:
            before: What they hold, where another stand of the scenario has told.
        """
        self.root, self.scenario = root, scenario
        self.source, self.target, self.trash = root / "source", root / "target", root / "home" / "Trash"
        for folder in (self.source, self.target, self.trash):
            folder.mkdir(parents=True)
        make_tree(self.source / "tree")
        if scenario.standing:
            make_standing(self.target if scenario.single else self.target / "tree")
        if scenario.clashing:
            make_clashing(self.target / "tree")
        self.before = before or Outcome.of(self)

    def request(self) -> tuple[tuple[Path, ...], dict[str, object]]:
        """Return the sources of the job and the rest of its request."""
        tree = self.source / "tree"
        sources = tuple(sorted(tree.iterdir())) if self.scenario.single else (tree,)
        rest: dict[str, object] = dict(self.scenario.request)
        if self.scenario.has_target:
            rest |= {"to": self.target, "conflict": Conflict.OVERWRITE}
        if self.scenario.kind is JobKind.SYNC:
            rest["to"] = self.target / "tree"
        if self.scenario.kind is JobKind.RENAME:  # each gets the name of the next, as in a circle
            rest["targets"] = tuple(map(Location.local, (*sources[1:], sources[0])))
        return sources, rest


@dataclass
class Outcome:
    """What a job came to: its folders afterwards, or at some moment.

    Attributes:
        trash: The files in it, without the notes.
        named: The folders the request names: their times tell of the run.
    """

    source: Tree
    target: Tree
    trash: Tree
    named: tuple[bytes, ...]

    @classmethod
    def of(cls, stand: Stand) -> Outcome:
        trash = {path: what for path, what in describe(stand.trash).items() if path.startswith(b"files/")}
        named = (b"", b"tree") if stand.scenario.single else (b"",)
        return cls(describe(stand.source), describe(stand.target), trash, named)

    def differences(self, other: Outcome) -> list[str]:
        """Return one line for each entry that is not alike, but for the folders named."""
        pairs = (self.source, other.source), (self.target, other.target), (self.trash, other.trash)
        return [line for pair in pairs for line in differences(*map(self._unnamed, pair))]

    def _unnamed(self, tree: Tree) -> Tree:
        return {path: what for path, what in tree.items() if path not in self.named}

    def partials(self) -> list[bytes]:
        """Return what Ferry left unfinished."""
        return [path for path in (*self.source, *self.target) if path.split(b"/")[-1].startswith(b".ferry-")]


def _content(entry: tuple[object, ...] | None) -> object:
    """Return what an entry is and holds, apart from its attributes."""
    return None if entry is None else (stat.S_IFMT(entry[0]), entry[5])  # type: ignore[call-overload]


class Judge:
    """Knows what a scenario should come to, and holds what is found against it."""

    def __init__(self, stand: Stand, wanted: Outcome) -> None:
        self.stand, self.wanted = stand, wanted

    def harm(self, now: Outcome | None = None) -> list[str]:
        """Return what must never be, not even for a moment: wrong bytes under a final name, an original lost.

        Args:
            now: What there is, where it is known.
        """
        now = now or Outcome.of(self.stand)
        target = {path: what for path, what in now.target.items() if b".ferry-" not in path}
        right = [self.stand.before.target, self.wanted.target]
        right += [self.stand.between.target] if self.stand.between else []
        found = [f"wrong at the target: {path!r}: {what}" for path, what in target.items()
                 if all(_content(what) != _content(tree.get(path)) for tree in right) and path]  # fmt: skip
        found += [
            f"gone from the target: {path!r}"
            for path in self.stand.before.target
            if path in self.wanted.target and path not in target
        ]
        if self.stand.scenario.kind is JobKind.RENAME:
            found += self._lost_by_renaming(now.source)
        elif self.stand.scenario.kind is not JobKind.DELETE:
            elsewhere = {JobKind.MOVE: target, JobKind.TRASH: now.trash}
            found += self._lost(now.source, elsewhere.get(self.stand.scenario.kind, {}))
        return found

    def _lost(self, source: Tree, elsewhere: Tree) -> list[str]:
        lost = []
        for path, what in self.stand.before.source.items():
            new = self._new_path(path)
            if all(_content(what) != _content(found) for found in (source.get(path), elsewhere.get(new))):
                lost.append(f"lost from the source: {path!r}")
        return lost

    def _lost_by_renaming(self, source: Tree) -> list[str]:
        """Return whose content is under no name any more: names change hands, some by way of a name of passage."""
        before, after = (Counter(map(_content, tree.values())) for tree in (self.stand.before.source, source))
        return [f"lost from the source: {content!r}" for content in before - after]

    def _new_path(self, path: bytes) -> bytes:
        new = path.removeprefix(b"tree").lstrip(b"/") if self.stand.scenario.single else path
        return b"files/" + new if self.stand.scenario.kind is JobKind.TRASH else new

    def undone(self, now: Outcome | None = None) -> list[str]:
        """Return in what the folders are not what the job should make of them; `now` as for `harm`."""
        now = now or Outcome.of(self.stand)
        return self.wanted.differences(now) + [f"left behind: {path!r}" for path in now.partials()]
