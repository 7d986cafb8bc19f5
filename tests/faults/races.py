"""Jobs over trees in which somebody swaps folders and files for links to a tree outside, all the time."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.engine_harness import running
from tests.trees import describe, differences
from tui.model.error import FerryError
from tui.model.job import Conflict, JobKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine.engine_harness import Harness

ATTACKER = Path(__file__).with_name("attacker.py")
SECRET = b"nobody may take this along"


@dataclass(frozen=True)
class Attack:
    """A kind of job, and on which side of it names are swapped.

    Attributes:
        undo: The job is done; its reversal is attacked.
    """

    kind: JobKind
    side: str = "source"
    across: bool = False
    undo: bool = False

    @property
    def has_target(self) -> bool:
        return self.kind in (JobKind.COPY, JobKind.MOVE, JobKind.SYNC)

    def __str__(self) -> str:
        words = (self.kind.value, "across" if self.across else "", "undone" if self.undo else "")
        return f"{' '.join(filter(None, words))}, {self.side}"


ATTACKS = (
    Attack(JobKind.COPY),
    Attack(JobKind.COPY, "target"),
    Attack(JobKind.MOVE),
    Attack(JobKind.MOVE, "target"),
    Attack(JobKind.MOVE, across=True),
    Attack(JobKind.MOVE, "target", across=True),
    Attack(JobKind.MOVE, "target", across=True, undo=True),
    Attack(JobKind.SYNC),
    Attack(JobKind.SYNC, "target"),
    Attack(JobKind.SYNC, "target", across=True),
    Attack(JobKind.DELETE),
    Attack(JobKind.TRASH),
    Attack(JobKind.CHMOD),
)


@dataclass
class Field:
    """Folders for one job under attack: what it may touch, and the victim beside it."""

    attack: Attack
    root: Path
    target: Path

    def prepare(self) -> None:
        self.source, self.victim = self.root / "source", self.root / "victim"
        for folder in (self.source, self.target):
            folder.mkdir(parents=True)
        _fill(self.source / "tree", b"ours")
        if self.attack.has_target and not self.attack.undo:
            _fill(self.target / "tree", b"stood there")
            _fill(self.target / "tree" / "extra", b"only there")
        _fill(self.victim, SECRET)
        self.before = describe(self.victim)

    def pairs(self) -> list[str]:
        """Return what is swapped for links into the victim: folders, one in another, one that is extra, a file."""
        tree = (self.source if self.attack.side == "source" else self.target) / "tree"
        links = tree.parent / "links"
        links.mkdir()
        found = []
        for number, inner in enumerate(("sub", "other/sub", "file 3", "extra/sub")):
            link = links / f"{number}"
            link.symlink_to(self.victim / inner if inner in ("sub", "file 3") else self.victim)
            found += [str(tree / inner), str(link)]
        return found

    @contextlib.contextmanager
    def attacked(self) -> Iterator[list[int]]:
        """Swap names while the body runs; the list then holds how often."""
        swaps: list[int] = []
        with subprocess.Popen(
            [sys.executable, "-ESs", str(ATTACKER), *self.pairs()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None and process.stdin is not None
            process.stdout.readline()
            try:
                yield swaps
            finally:
                process.stdin.close()
                swaps.append(int(process.stdout.readline()))

    def harm(self, home: Path) -> list[str]:
        """Return what happened to the victim, and what of it was taken along, be it to the trash in `home`."""
        found = differences(self.before, describe(self.victim))
        for folder, _, files in (*os.walk(self.target), *os.walk(home)):
            for name in files:
                path = Path(folder, name)
                if not path.is_symlink() and path.is_file() and SECRET in path.read_bytes():
                    found.append(f"taken along: {path}")
        return found


def _fill(root: Path, content: bytes) -> None:
    for folder in (root, root / "sub", root / "sub" / "deep", root / "other", root / "other" / "sub"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o750)
        for number in range(12):
            (folder / f"file {number}").write_bytes(content * (number + 1))
            (folder / f"file {number}").chmod(0o600)


async def play(
    attack: Attack, folder: Path, far: Path, rounds: int, seed: int, enough: int = 0
) -> tuple[int, list[str]]:
    """Run so many jobs of a kind under attack; return how often names were swapped, and the harm of the first.

    Args:
        enough: More are run until names were swapped so often.
    """
    swaps = number = 0
    rng = random.Random(seed)
    (folder / "home").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "home"))
        patch.setattr("tui.engine.retry.FIRST_WAIT_S", 0.001)  # the attacker does not rest meanwhile
        async with running(folder / "journal.sqlite3") as harness:
            while number < rounds or swaps < enough:
                root = folder / str(number)
                target = (far if attack.across else root) / f"target{number}"
                field = Field(attack, root, target)
                field.prepare()
                swaps += await _attacked(harness, field, rng)
                number += 1
                if harm := field.harm(folder / "home"):
                    return swaps, harm
                shutil.rmtree(root)
                shutil.rmtree(target, ignore_errors=True)
    return swaps, []


async def _attacked(harness: Harness, field: Field, rng: random.Random) -> int:
    """Run one job, or its reversal, under attack, to whatever end; return how often names were swapped."""
    if not field.attack.undo:
        with field.attacked() as swaps:
            await harness.ends(await _submit(harness, field, rng))
        return sum(swaps)
    id = await _submit(harness, field, rng)
    await harness.done(id)
    with field.attacked() as swaps, contextlib.suppress(FerryError):  # it may find that all was changed
        await harness.ends(await harness.engine.undo(id))
    return sum(swaps)


async def _submit(harness: Harness, field: Field, rng: random.Random) -> int:
    kind, tree = field.attack.kind, field.source / "tree"
    if kind is JobKind.SYNC:
        rest: dict[str, object] = {"into": False, "delete_extra": True, "conflict": Conflict.OVERWRITE}
        return await harness.copy(tree, to=field.target / "tree", kind=kind, **rest)
    if field.attack.has_target:
        rule = rng.choice((Conflict.OVERWRITE, Conflict.NEWER, Conflict.RENAME))
        return await harness.copy(tree, to=field.target, kind=kind, conflict=rule)
    bits = {"mode_set": 0o007, "recursive": True} if kind is JobKind.CHMOD else {}
    return await harness.submit(kind, tree, **bits)
