"""Times Ferry against cp, rsync, tar and rclone: interleaved rounds, medians of paired ratios to `cp -a`.

`python -m tests.bench copying`; every peer that is not installed is left out. Folders are made below --folder, which
should be on tmpfs or a journaled filesystem: on ext4 without a journal, creating files soon after deleting many is up
to 17 times slower, and that is what would be measured.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FERRY = (sys.executable, "-m", "tui")
Shape = Callable[[Path], None]


def small(folder: Path, count: int = 10_000) -> None:
    """Make `count` files of 4 KiB, a hundred a folder."""
    block = os.urandom(4096)
    for number in range(count):
        sub = folder / f"d{number // 100:04}"
        if number % 100 == 0:
            sub.mkdir(parents=True)
        (sub / f"f{number:06}").write_bytes(block)


def large(folder: Path, size_bytes: int = 1 << 30) -> None:
    """Make one file."""
    folder.mkdir(parents=True)
    block = os.urandom(1 << 20)
    with (folder / "large").open("wb") as file:
        for _ in range(size_bytes >> 20):
            file.write(block)


def several(folder: Path, count: int = 24) -> None:
    """Make files of 32 MiB."""
    folder.mkdir(parents=True)
    block = os.urandom(1 << 20)
    for number in range(count):
        with (folder / f"file{number}").open("wb") as file:
            for _ in range(32):
                file.write(block)


def one(folder: Path) -> None:
    """Make a single small file: what it costs to ask at all."""
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"x" * 4096)


SHAPES: dict[str, Shape] = {"small": small, "large": large, "several": several, "one": one}


@dataclass(frozen=True)
class Peer:
    """A copier: its name and the command that copies folder A to the new folder B."""

    name: str
    command: Callable[[str, str], list[str]]

    @property
    def program(self) -> str:
        return self.command("", "")[0]


PEERS = (
    Peer("cp -a", lambda a, b: ["cp", "-a", a, b]),
    Peer("ferry copy", lambda a, b: [*FERRY, "copy", a, b]),
    Peer("ferry copy --foreground", lambda a, b: [*FERRY, "copy", "--foreground", a, b]),
    Peer("rsync -a", lambda a, b: ["rsync", "-a", a + "/", b]),
    Peer("tar | tar", lambda a, b: ["sh", "-c", f"mkdir '{b}' && tar -C '{a}' -cf - . | tar -C '{b}' -xf -"]),
    Peer("rclone copy", lambda a, b: ["rclone", "copy", "-l", a, b]),
)


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return wall and processor seconds of a command and its children (not of the engine in the background)."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def compare(shape: str, rounds: int, folder: Path) -> None:
    """Run every peer in turn, `rounds` times after one warm-up, and print the table."""
    peers = [peer for peer in PEERS if shutil.which(peer.program)]
    walls: dict[str, list[float]] = {peer.name: [] for peer in peers}
    environment = {**os.environ, "FERRY_HOME": str(folder / "home")}
    source, target = folder / shape, folder / "target"
    SHAPES[shape](source)
    subprocess.run([*FERRY, "engine", "start"], check=True, env=environment, stdout=subprocess.DEVNULL)
    try:
        for number in range(rounds + 1):
            for peer in peers:
                wall, _ = timed(peer.command(str(source), str(target)), environment)
                shutil.rmtree(target)
                if number:
                    walls[peer.name].append(wall)
    finally:
        subprocess.run([*FERRY, "engine", "stop"], env=environment, stdout=subprocess.DEVNULL, check=False)
        shutil.rmtree(source)
    show(shape, rounds, walls)


def show(shape: str, rounds: int, walls: dict[str, list[float]]) -> None:
    base = walls["cp -a"]
    print(f"\n{shape}: {(SHAPES[shape].__doc__ or '').splitlines()[0]} {rounds} rounds, wall time")
    print(f"{'command':26} {'median s':>9} {'x cp -a':>9}   range of the ratio")
    for name, times in walls.items():
        ratios = [mine / theirs for mine, theirs in zip(times, base, strict=True)]
        print(
            f"{name:26} {statistics.median(times):9.3f} {statistics.median(ratios):9.2f}"
            f"   {min(ratios):.2f}..{max(ratios):.2f}"
        )


def main(shapes: list[str], rounds: int, root: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="ferry-bench-", dir=root))
    try:
        for shape in shapes or SHAPES:
            compare(shape, rounds, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
