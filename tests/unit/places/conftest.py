"""Filesystems to work in, and the means to be nobody in particular."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trees import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

NOBODY = 65534


@pytest.fixture(autouse=True)
def no_descriptor_left_open() -> Iterator[None]:
    """Fail a test that leaves a descriptor of a file or folder open; a thread let go of may need a moment to close."""
    before = _open_files()
    yield
    ends = time.monotonic() + 60
    while _open_files() - before and time.monotonic() < ends:
        gc.collect()  # a cancelled task and its exception may hold one another, and what they have open
        time.sleep(0.01)
    assert _open_files() - before == set()


def _open_files() -> set[str]:
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            path = os.readlink(f"/proc/self/fd/{fd}")
            if path.startswith("/") and not path.startswith(("/proc", "/dev/")):
                found.add(f"{fd} {path}")
    return found


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that anybody may enter and write to."""
    path = Path(tempfile.mkdtemp(prefix="ferry-test-"))
    path.chmod(0o777)
    yield path
    remove_tree(path)


@pytest.fixture
def as_nobody() -> Callable[[], AbstractContextManager[None]]:
    """A context in which root is an ordinary user without rights (for others it changes nothing)."""

    @contextlib.contextmanager
    def context() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        groups = os.getgroups()
        os.setgroups([])
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)

    return context


@pytest.fixture
def fat(tmp_path: Path) -> Iterator[Path]:
    """A mounted FAT filesystem, by the kernel; skips where there can be none."""
    mkfs = shutil.which("mkfs.vfat") or shutil.which("mkfs.vfat", path="/usr/sbin:/sbin")
    if os.geteuid() != 0 or mkfs is None:
        pytest.skip("needs root and mkfs.vfat")
    image, folder = tmp_path / "fat.img", tmp_path / "fat"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run([mkfs, str(image)], check=True, capture_output=True)
    if subprocess.run(
        ["mount", "-t", "vfat", "-o", "loop", str(image), str(folder)], capture_output=True
    ).returncode:
        pytest.skip("vfat cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def seconds(tmp_path: Path) -> Iterator[Path]:
    """A mounted ext2 with the old, small inodes: it keeps times in whole seconds."""
    mkfs = shutil.which("mke2fs") or shutil.which("mke2fs", path="/usr/sbin:/sbin")
    if os.geteuid() != 0 or mkfs is None:
        pytest.skip("needs root and mke2fs")
    image, folder = tmp_path / "ext2.img", tmp_path / "seconds"
    folder.mkdir()
    make = [mkfs, "-q", "-t", "ext2", "-I", "128", "-b", "1024", str(image), "8m"]
    subprocess.run(make, check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(folder)], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
