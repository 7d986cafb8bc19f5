"""Mixed trees for tests, and a comparison that misses nothing a careful person would call different."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE_NAMES = (
    b"plain", b"with space", b"-rf", b"--help", b".hidden", b"new\nline", b"tab\there", b"esc\x1b[31mred\x1b[0m",
    b"\x1b]52;c;ZXZpbA==\x07clip", b"bell\x07", b"\xff\xfe invalid", b"caf\xc3\xa9", b"cafe\xcc\x81",
    b"\xe2\x80\xaertl.txt", b"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", b"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80",
    b"\xc2\x9b31m c1", b"100%", b"[bold]markup[]", b"'quote\"", b"back\\slash", b"$(touch x)", b"a" * 255,
    b"\xe6\xbc\xa2" * 85, b"*?[]", b"~", b"...", b"\x7fdel",
)  # fmt: skip
"""Names as hostile as they come, all legal on Linux."""


def make_mixed_tree(
    root: Path, seed: int, files: int = 300, large_bytes: int = 0, large_files: int = 1
) -> None:
    """Make a tree of folders, small and empty files, links of all kinds, holes, odd modes, old times and hostile names.

    Args:
        large_bytes: Size of each large file; 0 makes none.
    """
    rng = random.Random(seed)
    root.mkdir(parents=True)
    folders = [root]
    for number in range(max(3, files // 12)):
        folder = rng.choice(folders) / f"folder {number}"
        folder.mkdir()
        folders.append(folder)
    made: list[Path] = []
    for number in range(files):
        file = rng.choice(folders) / f"file{number}.{rng.choice(['txt', 'bin', 'tar.gz', ''])}"
        file.write_bytes(rng.randbytes(rng.choice([0, 1, 100, 4096, 4097, 20_000])))
        made.append(file)
    for name in HOSTILE_NAMES:
        with open(os.path.join(os.fsencode(rng.choice(folders)), name), "wb") as file:
            file.write(name)
    for number in range(large_files if large_bytes else 0):
        file = rng.choice(folders) / f"large{number}"
        block = rng.randbytes(1 << 20)
        with file.open("wb") as out:
            for part in range(large_bytes >> 20):
                out.write(part.to_bytes(8, "big") + block[8:])
        made.append(file)
    _links_and_oddities(root, rng, folders, made)
    for path in (*made, *reversed(folders)):
        at = rng.randrange(10**9, 17 * 10**8) * 10**9 + rng.randrange(10**9)
        os.utime(path, ns=(at, at))


def _links_and_oddities(root: Path, rng: random.Random, folders: list[Path], made: list[Path]) -> None:
    for number in range(6):
        os.link(rng.choice(made), rng.choice(folders) / f"hardlink{number}")
        (rng.choice(folders) / f"symlink{number}").symlink_to(
            rng.choice(["nowhere", "..", "/", "file1.txt", "."])
        )
    os.mkfifo(rng.choice(folders) / "fifo")
    _make_socket(root / "socket")
    with (rng.choice(folders) / "sparse").open("wb") as sparse:
        sparse.seek(3 << 20)
        sparse.write(b"data in the middle")
        sparse.truncate(9 << 20)
    for file, mode in zip(rng.sample(made, 4), (0o600, 0o4755, 0o444, 0o1777), strict=True):
        file.chmod(mode)
    (root / "empty folder").mkdir()
    (root / "empty folder").chmod(0o700)


def _make_socket(path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    try:  # a socket's path must be short, so it is bound by its bare name
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def describe(root: Path | str) -> dict[bytes, tuple[object, ...]]:
    """Return all that matters of a tree (or of one file), by relative path; b"" is the root itself.

    Returns:
        For each entry (mode with its kind, owner, group, mtime, first name of its hard links, content, xattrs).
    """
    top = os.fsencode(root)
    found: dict[bytes, tuple[object, ...]] = {}
    first: dict[tuple[int, int], bytes] = {}
    waiting = [b""]
    while waiting:
        path = waiting.pop()
        full = os.path.join(top, path) if path else top
        info = os.lstat(full)
        twin = path
        if stat.S_ISDIR(info.st_mode):
            waiting += sorted((os.path.join(path, name) for name in os.listdir(full)), reverse=True)
        else:
            twin = first.setdefault((info.st_dev, info.st_ino), path)
        found[path] = (
            info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, twin, _content(full, info), _xattrs(full),
        )  # fmt: skip
    return found


def _content(path: bytes, info: os.stat_result) -> object:
    if stat.S_ISLNK(info.st_mode):
        return os.readlink(path)
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            return info.st_size, hashlib.file_digest(file, "blake2b").hexdigest()
    if stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
        return info.st_rdev
    return None


def _xattrs(path: bytes) -> tuple[tuple[str, bytes], ...]:
    try:
        return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(
            os.listxattr(path, follow_symlinks=False)))  # fmt: skip
    except (OSError, AttributeError):  # no such thing on this filesystem, or this system
        return ()


def differences(left: dict[bytes, tuple[object, ...]], right: dict[bytes, tuple[object, ...]]) -> list[str]:
    """Return one line for each entry that is not the same in both descriptions; empty where trees are equal."""
    return [f"{path!r}: {left.get(path)} / {right.get(path)}" for path in sorted(left.keys() | right.keys())
            if left.get(path) != right.get(path)]  # fmt: skip


def partials(*roots: Path) -> list[str]:
    """Return what Ferry left unfinished anywhere below."""
    return [os.path.join(folder, name) for root in roots for folder, folders, files in os.walk(root)
            for name in folders + files if name.startswith(".ferry-")]  # fmt: skip


def remove_tree(root: Path) -> None:
    """Remove a tree, closed folders of one's own included."""
    for folder, folders, _ in os.walk(root):
        for below in (os.path.join(folder, name) for name in folders):
            if not os.path.islink(below):
                os.chmod(below, 0o700)
    shutil.rmtree(root)
