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

from tests.engine.engine_harness import running
from tests.trees import describe, differences
from tui.model.job import Conflict, JobKind

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTACKER = Path(__file__).with_name("attacker.py")
SECRET = b"nobody may take this along"


@dataclass(frozen=True)
class Attack:
    """A kind of job, and on which side of it names are swapped."""

    kind: JobKind
    side: str = "source"
    across: bool = False

    def __str__(self) -> str:
        return f"{self.kind.value}{' across' if self.across else ''}, {self.side}"


ATTACKS = (
    Attack(JobKind.COPY),
    Attack(JobKind.COPY, "target"),
    Attack(JobKind.MOVE),
    Attack(JobKind.MOVE, "target"),
    Attack(JobKind.MOVE, across=True),
    Attack(JobKind.MOVE, "target", across=True),
    Attack(JobKind.DELETE),
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
        if self.attack.kind in (JobKind.COPY, JobKind.MOVE):
            _fill(self.target / "tree", b"stood there")
        _fill(self.victim, SECRET)
        self.before = describe(self.victim)

    def pairs(self) -> list[str]:
        """Return what is swapped for links into the victim: a folder, a folder in a folder, a file."""
        tree = (self.source if self.attack.side == "source" else self.target) / "tree"
        links = tree.parent / "links"
        links.mkdir()
        found = []
        for number, inner in enumerate(("sub", "other/sub", "file 3")):
            link = links / f"{number}"
            link.symlink_to(self.victim / inner if inner != "other/sub" else self.victim)
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

    def harm(self) -> list[str]:
        """Return what happened to the victim, and what of it was taken along."""
        found = differences(self.before, describe(self.victim))
        for folder, _, files in os.walk(self.target):
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
    async with running(folder / "journal.sqlite3") as harness:
        while number < rounds or swaps < enough:
            root = folder / str(number)
            target = (far if attack.across else root) / f"target{number}"
            field = Field(attack, root, target)
            field.prepare()
            with field.attacked() as counted:
                sources = [field.source / "tree"]
                if attack.kind in (JobKind.COPY, JobKind.MOVE):
                    rule = rng.choice((Conflict.OVERWRITE, Conflict.NEWER, Conflict.RENAME))
                    id = await harness.copy(*sources, to=target, kind=attack.kind, conflict=rule)
                else:
                    bits = {"mode_set": 0o007, "recursive": True} if attack.kind is JobKind.CHMOD else {}
                    id = await harness.submit(attack.kind, *sources, **bits)
                await harness.ends(id)
            swaps += sum(counted)
            number += 1
            if harm := field.harm():
                return swaps, harm
            shutil.rmtree(root)
            shutil.rmtree(target, ignore_errors=True)
    return swaps, []
