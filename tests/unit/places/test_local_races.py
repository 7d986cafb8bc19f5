"""An attacker swaps folders for links while somebody works below them: nothing may be touched elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.places.local_driver import OWN, RULES, copy_tree, run
from tui.model.error import LinkInTheWay, PlaceError
from tui.places.local import syscalls
from tui.places.local.hops import Brake
from tui.places.local.modes import TreeMode
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROUND_S = 0.5
MOST_S = 20.0
HOLD_S = 0.0002
"""How long the folder, and the link, stand before they are exchanged: long enough to be met, too short to be safe."""
SWAPS = 20


def lasting(swaps: list[int]) -> Iterator[int]:
    """Count rounds: for half a second at least, and until enough swaps were made on a busy machine."""
    start, rounds = time.monotonic(), 0
    while (passed := time.monotonic() - start) < ROUND_S or (swaps[0] < SWAPS and passed < MOST_S):
        rounds += 1
        yield rounds
    assert swaps[0] >= SWAPS


@contextlib.contextmanager
def swapping(folder: Path, elsewhere: Path) -> Iterator[list[int]]:
    """Exchange a folder and a link to `elsewhere`, again and again; yields a list holding how often."""
    stop, swaps = threading.Event(), [0]
    aside, link = folder.with_name(folder.name + ".aside"), folder.with_name(folder.name + ".link")

    def swap() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                link.symlink_to(elsewhere)
                folder.rename(aside)
                link.rename(folder)
                swaps[0] += 1
                time.sleep(HOLD_S)
                folder.unlink()
                aside.rename(folder)
            time.sleep(HOLD_S)
            with contextlib.suppress(OSError):
                link.unlink()
            with contextlib.suppress(OSError):
                if not folder.exists():
                    aside.rename(folder)
                else:  # the copier made the folder anew in between
                    shutil.rmtree(aside, ignore_errors=True)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield swaps
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere"
    path.mkdir()
    (path / "precious").write_text("precious")
    return path


def fill(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(20):
        (folder / f"file{number}").write_text("x")


@pytest.mark.parametrize("rules", [RULES, OWN], ids=["standing folder", "own folder"])
def test_a_target_folder_swapped_for_a_link_gets_nothing_written_elsewhere(
    source: Path, target: Path, elsewhere: Path, rules: object
) -> None:
    fill(source / "d")
    (target / "d").mkdir()
    with swapping(target / "d", elsewhere) as swaps:
        for _ in lasting(swaps):
            copy_tree(source, target, rules)
    assert os.listdir(elsewhere) == ["precious"]


def test_a_source_folder_swapped_for_a_link_is_not_read_elsewhere(
    source: Path, target: Path, elsewhere: Path
) -> None:
    fill(source / "d")
    with swapping(source / "d", elsewhere) as swaps:
        for _ in lasting(swaps):
            copy_tree(source, target)
    assert [path for path in target.rglob("precious") if not path.parent.is_symlink()] == []


@pytest.mark.parametrize("name", [b"top", b"top/d"])
def test_a_folder_swapped_for_a_link_is_not_emptied_elsewhere(
    source: Path, elsewhere: Path, name: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swap comes at the worst moment: the entry was seen to be a folder, and is about to be opened."""

    def swap(_: TreeRemoval, path: bytes) -> None:
        if path == b"top/d":
            (source / "top" / "d").rename(source / "aside")
            (source / "top" / "d").symlink_to(elsewhere)

    monkeypatch.setattr(TreeRemoval, "before", swap)
    (source / "top").mkdir()
    fill(source / "top" / "d")
    with Root.open(str(source)) as root:
        outcome = run(TreeRemoval(root, name, Brake()))
    assert outcome.problems == [(b"top/d", "LinkInTheWay")]
    assert (elsewhere / "precious").read_text() == "precious"


def test_permissions_are_not_changed_elsewhere(source: Path, elsewhere: Path) -> None:
    (elsewhere / "precious").chmod(0o600)
    fill(source / "d")
    with swapping(source / "d", elsewhere) as swaps, Root.open(str(source)) as root:
        for _ in lasting(swaps):
            run(TreeMode(root, b"d", 0o007, 0, 0, True, Brake()))
    assert (elsewhere / "precious").stat().st_mode & 0o777 == 0o600


def test_a_file_swapped_for_a_link_or_a_fifo_is_not_followed_nor_waited_for(
    source: Path, target: Path, elsewhere: Path
) -> None:
    """The swap comes after the folder was read: the name is still listed as a regular file."""
    (source / "file").write_text("x")
    real = os.open
    traps: list[Callable[[Path], None]] = []

    def swap_first(name: object, flags: int, *args: object, **kwargs: object) -> int:
        if name == b"file" and traps:
            (source / "file").unlink()
            traps.pop()(source / "file")
        return real(name, flags, *args, **kwargs)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", swap_first)
        traps.append(lambda file: file.symlink_to(elsewhere / "precious"))
        assert copy_tree(source, target).failures == []
        assert os.readlink(target / "file") == str(elsewhere / "precious")
        (target / "file").unlink()
        (source / "file").unlink()
        (source / "file").write_text("x")
        traps.append(os.mkfifo)
        assert copy_tree(source, target).failures == []
    assert (target / "file").is_fifo()


@pytest.mark.parametrize("new_kernel", [True, False])
def test_a_root_goes_through_no_link_and_no_parent(
    source: Path, elsewhere: Path, new_kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not new_kernel:

        def lacking(folder: int, path: bytes, flags: int) -> int:
            raise OSError(38, "not implemented")

        monkeypatch.setattr(syscalls, "open_beneath", lacking)
    (source / "real" / "below").mkdir(parents=True)
    (source / "link").symlink_to("real")
    (source / "out").symlink_to(elsewhere)
    with Root.open(str(source)) as root:
        os.close(root.folder(b"real/below"))
        for path in (b"link", b"link/below", b"out"):
            with pytest.raises(LinkInTheWay):
                root.folder(path)
        for path in (b"..", b"real/../..", b"real/../../elsewhere"):
            with pytest.raises(PlaceError):
                root.folder(path)
