"""What is copied, moved and deleted: each shape is a function that makes it under a name that is free."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.trees import make_mixed_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Shape = Callable[[Path], None]

MIB = 1 << 20


def one(path: Path) -> None:
    """One file of 4 KiB: what it costs to ask at all."""
    path.write_bytes(os.urandom(4096))


def small(path: Path, count: int = 50_000) -> None:
    """50,000 files of 4 KiB, a hundred a folder."""
    block = os.urandom(4096)
    for number in range(count):
        folder = path / f"folder {number // 100:04}"
        if number % 100 == 0:
            folder.mkdir(parents=True)
        (folder / f"file {number:06}").write_bytes(block)


def half(path: Path) -> None:
    """The first half of `small`."""
    small(path, 25_000)


def large(path: Path, mebibytes: int = 4096) -> None:
    """One file of 4 GiB."""
    block = os.urandom(MIB)
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(block)


def several(path: Path) -> None:
    """100 files of 32 MiB."""
    path.mkdir()
    for number in range(100):
        large(path / f"file {number:03}", 32)


def mixed(path: Path) -> None:
    """20 mixed trees: small files, some of 8 MiB, links, hard links, holes; one file in a hundred has an attribute."""
    for number in range(20):
        make_mixed_tree(path / str(number), seed=number, files=800, large_bytes=8 * MIB)
    files = sorted(file for file in path.rglob("file*") if file.is_file() and not file.is_symlink())
    for file in files[::100]:
        os.setxattr(file, "user.note", file.name.encode())


def sparse(path: Path, gibibytes: int = 10) -> None:
    """One file of 10 GiB with 64 MiB of data in it."""
    with path.open("wb") as file:
        file.truncate(gibibytes << 30)
        for number in range(64):
            file.seek(number * gibibytes * 16 * MIB)
            file.write(os.urandom(MIB))


def gibibyte(path: Path) -> None:
    """One file of 1 GiB."""
    large(path, 1024)
