"""Kill the engine with SIGKILL at random moments, again and again, and see that nothing is lost.

Trees with links of all kinds, holes and large files are copied and moved, on one filesystem and across two, to where
nothing stands, into a standing folder, and over an older copy. `python -m tests.soak.crash_rounds --rounds 150` is what
`make soak` runs; the test suite plays a few.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.soak.rounds import Ground, main
from tests.trees import describe, differences, make_mixed_tree, partials

if TYPE_CHECKING:
    import random
    from pathlib import Path

KINDS = ("copy", "move")
STANDING = ("new", "merge", "replace")
WAITS_S = (0, 0.02, 0.1, 0.2, 0.4)
SLACK_BYTES = 256 << 10
"""So much more than its source may a file with holes take: filesystems give room in units of their own."""

Tree = dict[bytes, tuple[object, ...]]


@dataclass(frozen=True)
class Size:
    """How much a round copies."""

    files: int = 600
    large_bytes: int = 48 << 20
    large_files: int = 3


def play(ground: Ground, size: Size = Size()) -> tuple[str, list[str]]:
    """Copy or move a fresh tree, with kills; return what was done, and what is wrong afterwards."""
    rng = ground.rng
    kind, standing = KINDS[ground.number % 2], STANDING[ground.number // 2 % 3]
    across = rng.random() < 0.7
    from_far = across and rng.random() < 0.5
    source = ground.place(from_far) / "from" / "source"
    target = ground.place(across and not from_far) / "to"
    make_mixed_tree(source, rng.randrange(1 << 30), size.files, size.large_bytes, size.large_files)
    target.mkdir()
    kept = _stand(standing, source, target / "source", rng)
    wanted, room = describe(source), _with_holes(source)
    reference = _reference(source, ground.near / "reference", kind)
    rule = "overwrite" if standing == "replace" else "fail"
    words = (kind, "--detach", "--on-conflict", rule, str(source), f"{target}/")
    ground.kills, ended = ground.ferry.interrupted(rng, WAITS_S, *words)
    faults = []
    if ended.returncode != 0:
        faults.append(f"exit status {ended.returncode}: {ended.stderr.strip() or ended.stdout.strip()}")
    faults += [f"left behind: {path}" for path in partials(source.parent, target)]
    faults += _arrived(target / "source", kept, wanted, room, reference)
    if kind == "move" and os.path.lexists(source):
        faults.append("the source of a move is still there")
    if kind == "copy":
        faults += [f"source harmed: {line}" for line in differences(wanted, describe(source))[:5]]
    where = " far to near" if from_far else " near to far" if across else ""
    return f"{kind} {standing}{where}", faults


def _stand(standing: str, source: Path, there: Path, rng: random.Random) -> Path | None:
    """Put something where the tree is to go; return what of it must stay as it is."""
    if standing == "new":
        return None
    if standing == "merge":
        there.mkdir()
    else:
        subprocess.run(["cp", "-a", str(source), str(there)], check=True)
        _spoil(there, rng)
    kept = there / "kept.txt"
    kept.write_text("was here before")
    return kept


def _spoil(root: Path, rng: random.Random) -> None:
    """Make an older copy of what is a copy: files with another content, links to elsewhere, some gone."""
    for folder, _, files in os.walk(root):
        for name in files:
            path, chance = os.path.join(folder, name), rng.random()
            if chance < 0.5 or not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            os.unlink(path)
            if chance < 0.7:
                with open(path, "wb") as file:
                    file.write(b"older" * rng.randrange(1, 5000))
                os.utime(path, ns=(10**18, 10**18))
            elif chance < 0.8:
                os.symlink("elsewhere", path)


def _reference(source: Path, copy: Path, kind: str) -> Path | None:
    """Return what rsync is to compare with, where there is rsync: the source, or, as a move takes it away, a copy."""
    if shutil.which("rsync") is None:
        return None
    if kind == "move":
        subprocess.run(["cp", "-a", str(source), str(copy)], check=True)
        return copy
    return source


def _arrived(
    there: Path, kept: Path | None, wanted: Tree, room: dict[bytes, int], reference: Path | None
) -> list[str]:
    """Return in what the tree at the target is not the one that was to come there."""
    found = describe(there)
    faults = []
    if kept is not None and found.pop(os.fsencode(kept.name), None) is None:
        faults.append("a file that stood there before is gone")
    faults += differences(wanted, found)[:5]
    now = _allocated(there)
    faults += [
        f"holes filled: {path!r}: {size} bytes became {now[path]}"
        for path, size in room.items()
        if now.get(path, 0) > size + SLACK_BYTES
    ]
    if reference is not None:
        check = ("rsync", "-n", "-aHAX", "-i", "--checksum", f"{reference}/", f"{there}/")
        told = subprocess.run(check, check=True, capture_output=True, text=True, errors="replace")
        faults += [f"rsync: {line}" for line in told.stdout.splitlines()][:5]
    return faults


def _with_holes(root: Path) -> dict[bytes, int]:
    """Return the bytes on the disk of every file with holes, by relative path."""
    sizes = _allocated(root)
    return {path: size for path, size in sizes.items() if size < os.lstat(root / os.fsdecode(path)).st_size}


def _allocated(root: Path) -> dict[bytes, int]:
    """Return the bytes on the disk of every file, by relative path."""
    top, found = os.fsencode(root), {}
    for folder, _, files in os.walk(top):
        for name in files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if stat.S_ISREG(info.st_mode):
                found[os.path.relpath(path, top)] = info.st_blocks * 512
    return found


if __name__ == "__main__":
    raise SystemExit(main(__doc__, play))
