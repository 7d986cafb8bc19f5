"""Real filesystems for tests, mounted for as long as a block lasts; a test skips where that cannot be done."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[Path]:
    """Mount a filesystem in memory ("size=4m,nr_inodes=64")."""
    with _mounted(folder, ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]):
        yield folder


@contextmanager
def ramfs(folder: Path) -> Iterator[Path]:
    """Mount a filesystem in memory that knows no extended attributes."""
    with _mounted(folder, ["mount", "-t", "ramfs", "ramfs", str(folder)]):
        yield folder


@contextmanager
def bound(folder: Path, other: Path) -> Iterator[Path]:
    """Let a folder be seen in a second place, which is made."""
    with _mounted(folder, ["mount", "--bind", str(other), str(folder)]):
        yield folder


@contextmanager
def image(folder: Path, make: Sequence[str], size_bytes: int) -> Iterator[Path]:
    """Make a filesystem in a file (`make`: the command and its options) and mount it."""
    disk = _disk(folder, make, size_bytes)
    with _mounted(folder, ["mount", "-o", "loop", str(disk), str(folder)]):
        yield folder


@contextmanager
def in_user_space(folder: Path, make: Sequence[str], size_bytes: int, mount: Sequence[str]) -> Iterator[Path]:
    """The same with a driver outside of the kernel (`mount`: the command and its options)."""
    disk = _disk(folder, make, size_bytes)
    with _mounted(folder, [*mount, str(disk), str(folder)]):
        yield folder


def _disk(folder: Path, make: Sequence[str], size_bytes: int) -> Path:
    if shutil.which(make[0], path=_PATH) is None:
        pytest.skip(f"there is no {make[0]} here")
    disk = folder.with_name(f"{folder.name}.img")
    with disk.open("wb") as file:
        file.truncate(size_bytes)
    subprocess.run([*make, str(disk)], check=True, capture_output=True, env={"PATH": _PATH})
    return disk


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _is_mount(folder: Path) -> bool:
    """Say whether something is mounted there, be it on the same filesystem."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return str(folder) in (line.split(" ")[4] for line in lines)


@contextmanager
def _mounted(folder: Path, mount: Sequence[str]) -> Iterator[None]:
    folder.mkdir()
    try:
        made = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        made = False
    if not made or not _is_mount(folder):
        pytest.skip(f"cannot be mounted here: {' '.join(mount[:4])}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
