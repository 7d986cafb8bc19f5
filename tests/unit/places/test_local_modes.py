from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tests.unit.places.local_driver import Outcome, run
from tui.places.local.hops import Brake
from tui.places.local.modes import TreeMode
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


def change(
    parent: Path, name: str, *, set_: int = 0, clear: int = 0, folder_set: int = 0, recursive: bool = True
) -> Outcome:
    with Root.open(str(parent)) as root:
        return run(TreeMode(root, os.fsencode(name), set_, clear, folder_set, recursive, Brake()))


def modes(top: Path) -> dict[str, int]:
    return {
        str(path.relative_to(top.parent)): stat.S_IMODE(path.lstat().st_mode)
        for path in (top, *top.rglob("*"))
        if not path.is_symlink()
    }


def grow(folder: Path, *, folder_mode: int = 0o755, file_mode: int = 0o644) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    for name in ("a/1", "a/b/2"):
        (folder / name).touch()
        (folder / name).chmod(file_mode)
    for name in ("a/b", "a"):
        (folder / name).chmod(folder_mode)


def test_bits_are_added_and_taken_everywhere_below(source: Path) -> None:
    grow(source)
    outcome = change(source, "a", set_=0o020, clear=0o005, folder_set=0o010)
    assert (outcome.files, outcome.failures) == (2, [])
    assert modes(source / "a") == {"a": 0o770, "a/b": 0o770, "a/1": 0o660, "a/b/2": 0o660}


def test_one_entry_alone_is_changed_where_only_it_is_meant(source: Path) -> None:
    grow(source)
    assert change(source, "a", clear=0o055, recursive=False).failures == []
    assert modes(source / "a") == {"a": 0o700, "a/b": 0o755, "a/1": 0o644, "a/b/2": 0o644}
    assert change(source, "a/1", set_=0o111).files == 1
    assert modes(source / "a")["a/1"] == 0o755


def test_links_are_neither_followed_nor_changed(source: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch()
    victim.chmod(0o600)
    grow(source)
    (source / "a" / "link").symlink_to(victim)
    outcome = change(source, "a", set_=0o077)
    assert (outcome.skipped, outcome.failures) == (1, [])
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600


def test_closed_folders_are_opened_and_open_ones_closed_on_the_way(
    shared: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    with as_nobody():
        grow(shared)
        (shared / "a" / "b").chmod(0)
        (shared / "a").chmod(0)
        assert change(shared, "a", set_=0o600, folder_set=0o100).failures == []
        assert modes(shared / "a") == {"a": 0o700, "a/b": 0o700, "a/1": 0o644, "a/b/2": 0o644}
        assert change(shared, "a", clear=0o777).failures == []
        assert stat.S_IMODE((shared / "a").stat().st_mode) == 0
        (shared / "a").chmod(0o700)


def test_what_is_not_there_is_told(source: Path) -> None:
    assert change(source, "gone", set_=0o777).problems == [(b"gone", "NotFound")]
