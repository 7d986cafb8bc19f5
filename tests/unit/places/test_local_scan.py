from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.unit.places.local_driver import dug
from tui.model.entry import Totals
from tui.places.local.hops import Brake
from tui.places.local.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


def count(path: Path) -> Totals:
    scan = Scan(str(path), Brake())
    while not scan.exhausted:
        totals = scan.step()
    return totals


def test_a_tree_is_counted_without_following_links(source: Path, target: Path) -> None:
    (target / "elsewhere").write_bytes(b"x" * 1000)
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "1").write_bytes(b"x" * 10)
    (source / "a" / "b" / "2").write_bytes(b"x" * 20)
    (source / "link").symlink_to(target)
    length = len(str(target))
    assert count(source) == Totals(3, 3, 30 + length, 0, complete=True)
    assert count(source / "link") == Totals(1, 0, length, 0, complete=True)
    assert count(source / "a" / "1") == Totals(1, 0, 10, 0, complete=True)


def test_what_cannot_be_read_is_counted_as_such(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        (shared / "closed").mkdir()
        (shared / "closed").chmod(0)
        (shared / "file").touch()
        totals = count(shared)
    assert (totals.files, totals.folders, totals.unreadable, totals.complete) == (1, 2, 1, True)
    assert count(shared / "gone") == Totals(0, 0, 0, 1, complete=True)


def test_the_brake_leaves_it_incomplete(source: Path) -> None:
    (source / "a").touch()
    brake = Brake()
    scan = Scan(str(source), brake)
    brake.on = True
    assert scan.step() == Totals(complete=False)
    assert not scan.exhausted
    scan.close()
    assert not scan.step().complete


def test_very_deep_trees_are_counted_with_one_folder_open(source: Path) -> None:
    with dug(source, "d", 1100):
        before = len(os.listdir("/proc/self/fd"))
        scan = Scan(str(source), Brake())
        while not scan.exhausted:
            totals = scan.step()
            assert len(os.listdir("/proc/self/fd")) <= before + 4
        assert (totals.files, totals.folders) == (1, 1101)
