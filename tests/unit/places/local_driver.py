"""Drives copies, removals and the like to their end as the engine does, but in one thread."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tui.model.fidelity import Loss
from tui.places.local.copy_rules import CopyRules
from tui.places.local.copying import FolderCopy, HardLinks, SliceCopy
from tui.places.local.hops import Batch, Brake, Collision, Failure
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tui.model.job import Conflict
    from tui.places.local.descent import Descent

TAG = "t7"
RULES = CopyRules(tag=TAG)
OWN = replace(RULES, own=True)


def rules(conflict: Conflict, **more: Any) -> CopyRules:
    return CopyRules(tag=TAG, conflict=conflict, **more)


@dataclass
class Outcome:
    """The sum of all batches."""

    files: int = 0
    size_bytes: int = 0
    same: int = 0
    skipped: int = 0
    large: int = 0
    collisions: list[Collision] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    losses: list[tuple[Loss, bytes]] = field(default_factory=list)
    """Names of folders end in a slash."""
    out_of_space: bool = False

    def add(self, batch: Batch) -> None:
        self.files += batch.files
        self.size_bytes += batch.size_bytes
        self.same += batch.same_files
        self.skipped += batch.skipped_files
        self.collisions += batch.collisions
        self.failures += batch.failures
        self.losses += batch.losses
        self.out_of_space |= batch.out_of_space

    @property
    def problems(self) -> list[tuple[bytes, str]]:
        """(name, code of the error) of each failure."""
        return [(failure.name, failure.error.code) for failure in self.failures]


def copy_tree(
    source: Path | str,
    target: Path | str,
    rules: CopyRules = RULES,
    *,
    names: Sequence[tuple[bytes, bytes]] | None = None,
    links: HardLinks | None = None,
    brake: Brake | None = None,
    slice_bytes: int = 4 << 20,
    on_batch: Callable[[Batch], None] | None = None,
    to_root: Root | None = None,
) -> Outcome:
    """Copy all (or some names) of one folder into another; stops early where the brake is on."""
    links, brake, outcome = links or HardLinks(), brake or Brake(), Outcome()
    with contextlib.ExitStack() as opened:
        from_root = opened.enter_context(Root.open(str(source)))
        to_root = to_root or opened.enter_context(Root.open(str(target)))
        todo: list[tuple[bytes, bytes, Sequence[tuple[bytes, bytes]] | None]] = [(b"", b"", names)]
        while todo and not brake.on:
            path, target_path, wanted = todo.pop()
            copy = FolderCopy(from_root, to_root, path, target_path, rules, links, brake, wanted)
            larges = []
            try:
                exhausted = False
                while not exhausted and not brake.on:
                    batch = copy.step()
                    exhausted = batch.exhausted or batch.out_of_space
                    outcome.add(batch)
                    larges += batch.large
                    below = [
                        (join(path, n), join(target_path, batch.renamed.get(n, n)), None)
                        for n in batch.folders
                    ]
                    todo += below
                    if on_batch:
                        on_batch(batch)
                for large in larges:
                    slices = SliceCopy(from_root, to_root, path, target_path, large, rules, brake, links)
                    slices.open()
                    while not brake.on and slices.step(slice_bytes):
                        pass
                    if brake.on:
                        slices.suspend()
                        return outcome
                    outcome.losses += [(loss, large.name) for loss in slices.finish()]
                    outcome.large += 1
                if exhausted and not any(failure.name == b"" for failure in outcome.failures):
                    outcome.losses += [(loss, path + b"/") for loss in copy.finish()]
            finally:
                copy.close()
    return outcome


def run(descent: Descent) -> Outcome:
    """Take a removal (or the like) to its end."""
    outcome = Outcome()
    try:
        while True:
            batch = descent.step()
            outcome.add(batch)
            if batch.exhausted:
                return outcome
    finally:
        descent.close()


@contextlib.contextmanager
def removed_afterwards(folder: Path, name: str) -> Iterator[None]:
    """Remove a very deep tree at the end; shutil.rmtree gives up on those."""
    try:
        yield
    finally:
        with Root.open(str(folder)) as root:
            assert run(TreeRemoval(root, os.fsencode(name), Brake())).failures == []


@contextlib.contextmanager
def dug(folder: Path, name: str, depth: int) -> Iterator[None]:
    """Make a tree of so many folders, one in the other, with one file at the bottom; remove it at the end."""
    here = os.open(folder, os.O_RDONLY)
    try:
        for _ in range(depth):
            os.mkdir(name, dir_fd=here)
            below = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("bottom", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here))
    finally:
        os.close(here)
    with removed_afterwards(folder, name):
        yield


def differences_by_rsync(source: Path | str, target: Path | str) -> str:
    """Return what rsync would still have to do; empty where the trees are alike (or rsync is not installed)."""
    if shutil.which("rsync") is None:
        return ""
    command = ["rsync", "-aHAXSnic", "--delete", f"{source}/", f"{target}/"]
    done = subprocess.run(command, capture_output=True, check=True)
    return os.fsdecode(done.stdout)
