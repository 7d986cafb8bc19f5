"""Random trees, copied, interrupted, resumed and moved; held against a comparison of our own and against rsync."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trees import describe, remove_tree
from tests.unit.places.local_driver import OWN, RULES, copy_tree, differences_by_rsync, run
from tui.places.local.copying import HardLinks, sweep
from tui.places.local.hops import Brake
from tui.places.local.moved_removal import MovedRemoval
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.hops import Batch

SLICED_BYTES = 200_000
"""Files above this go in slices here, so that small examples have large files too."""

relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

names = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.sampled_from([b"a", b"b", b"a (1)", b"-n", b"\xff", b"x" * 255, b".ferry-t7-00", "é\u202e".encode()]),
).filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b".."))

times_ns = st.one_of(
    st.integers(0, 2 * 10**18),
    st.sampled_from([0, 1, 10**18, 10**18 + 1, 1_700_000_000 * 10**9]),
    st.just(-(10**9)),
)


@dataclass(frozen=True)
class Plan:
    """How one entry is made; `content` means what the kind needs."""

    kind: str
    content: bytes
    mode: int
    mtime_ns: int
    size_bytes: int
    colour: bytes


plans = st.builds(
    Plan,
    st.sampled_from(["file", "file", "folder", "folder", "link", "fifo", "hard link", "sparse", "large"]),
    st.binary(min_size=1, max_size=40).filter(lambda text: b"\0" not in text),
    st.sampled_from([0o644, 0o600, 0o755, 0o444, 0o700, 0o4755, 0o1777]),
    times_ns,
    st.integers(0, 5000),
    st.sampled_from([b"", b"", b"blue\xff"]),
)
trees = st.lists(st.tuples(st.integers(0, 1000), names, plans), max_size=14)


def build(top: bytes, tree: list[tuple[int, bytes, Plan]], folder_bits: int = 0o500) -> None:
    """Make the entries, each in one of the folders made before; names that are taken are left out.

    Args:
        folder_bits: What every folder allows at least; an ordinary user removes nothing from one closed for writing.
    """
    folders, files, made = [top], [], []
    for place, name, plan in tree:
        path = folders[place % len(folders)] + b"/" + name
        if os.path.lexists(path):
            continue
        with contextlib.suppress(OSError):
            _make(path, plan, folders, files, place)
            made.append((path, plan))
    for path, plan in reversed(made):
        if not os.path.islink(path):
            if plan.colour and not stat.S_ISFIFO(os.lstat(path).st_mode):
                with contextlib.suppress(OSError):
                    os.setxattr(path, "user.colour", plan.colour)
            os.chmod(path, plan.mode | (folder_bits if os.path.isdir(path) else 0o400))
        os.utime(path, ns=(1, plan.mtime_ns), follow_symlinks=False)
    os.utime(top, ns=(1, 10**18 + 7))


def _make(path: bytes, plan: Plan, folders: list[bytes], files: list[bytes], place: int) -> None:
    if plan.kind == "folder":
        os.mkdir(path)
        folders.append(path)
    elif plan.kind == "link":
        os.symlink(plan.content, path)
    elif plan.kind == "fifo":
        os.mkfifo(path)
    elif plan.kind == "hard link" and files:
        os.link(files[place % len(files)], path)
    else:
        with open(path, "xb") as file:
            file.write(plan.content * (1 + plan.size_bytes if plan.kind == "large" else 1))
            if plan.kind == "sparse":
                file.seek(plan.size_bytes * 100)
                file.write(plan.content)
                file.truncate(plan.size_bytes * 150 + 200)
        files.append(path)


@contextlib.contextmanager
def work() -> Iterator[tuple[Path, Path]]:
    """Yield two empty folders; all is removed at the end."""
    top = Path(tempfile.mkdtemp(prefix="ferry-tree-"))
    try:
        (top / "source").mkdir()
        (top / "target").mkdir()
        yield top / "source", top / "target"
    finally:
        remove_tree(top)


def assert_alike(source: Path, target: Path) -> None:
    assert describe(source) == describe(target)
    assert differences_by_rsync(source, target) == ""


def sweep_all(target: Path) -> None:
    with Root.open(str(target)) as root:
        for folder, _, _ in os.walk(os.fsencode(target)):
            sweep(root, os.path.relpath(folder, os.fsencode(target)).removeprefix(b"."), RULES.tag)


any_rules = st.sampled_from(
    [replace(RULES, large_bytes=SLICED_BYTES), replace(OWN, large_bytes=SLICED_BYTES)]
)


@relaxed
@given(trees, any_rules)
def test_a_copy_is_the_same_in_everything(tree: list[tuple[int, bytes, Plan]], rules: CopyRules) -> None:
    with work() as (source, target):
        build(os.fsencode(source), tree)
        before = describe(source)
        assert copy_tree(source, target, rules).failures == []
        assert describe(source) == before
        assert_alike(source, target)


@relaxed
@given(trees, any_rules, st.lists(st.integers(0, 12), max_size=3))
def test_a_copy_broken_off_again_and_again_ends_the_same(
    tree: list[tuple[int, bytes, Plan]], rules: CopyRules, breaks: list[int]
) -> None:
    with work() as (source, target):
        build(os.fsencode(source), tree)
        for entries in breaks:
            broken_off_after(entries, source, target, rules)
        outcome = copy_tree(source, target, rules, links=HardLinks())
        assert (outcome.failures, outcome.collisions) == ([], [])
        assert_alike(source, target)
        again = copy_tree(source, target, rules, links=HardLinks())
        assert (again.files, again.large, again.failures) == (0, 0, [])


def broken_off_after(entries: int, source: Path, target: Path, rules: CopyRules) -> None:
    """Copy about so many entries, in tiny batches, and let go."""
    brake, seen = Brake(), [0]

    def count(batch: Batch) -> None:
        seen[0] += batch.files + len(batch.folders) + len(batch.large)
        brake.on = seen[0] >= entries

    copy_tree(source, target, replace(rules, batch_bytes=1), brake=brake, on_batch=count, slice_bytes=1)


@relaxed
@given(trees, any_rules)
def test_a_move_leaves_the_whole_tree_at_the_target_and_nothing_at_the_source(
    tree: list[tuple[int, bytes, Plan]], rules: CopyRules
) -> None:
    with work() as (top, target):
        (top / "moved").mkdir()
        build(os.fsencode(top / "moved"), tree, 0o700)
        before = describe(top / "moved")
        assert copy_tree(top, target, rules).failures == []
        with Root.open(str(top)) as from_root, Root.open(str(target)) as to_root:
            moved = MovedRemoval(
                from_root, to_root, b"moved", b"moved", Brake(), replace(rules, compare=True)
            )
            assert run(moved).failures == []
        assert os.listdir(top) == []
        assert describe(target / "moved") == before


@relaxed
@given(trees)
def test_a_removal_leaves_nothing(tree: list[tuple[int, bytes, Plan]]) -> None:
    with work() as (source, _):
        (source / "top").mkdir()
        build(os.fsencode(source / "top"), tree, 0o700)
        with Root.open(str(source)) as root:
            assert run(TreeRemoval(root, b"top", Brake())).failures == []
        assert os.listdir(source) == []


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_the_comparison_finds_what_rsync_finds() -> None:
    with work() as (source, target):
        (source / "a").write_text("a")
        (target / "a").write_text("b")
        assert describe(source) != describe(target)
        assert differences_by_rsync(source, target) != ""
