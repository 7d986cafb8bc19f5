"""Times keys in a real pseudo-terminal: from the byte of a key to the bytes that show its effect.

`python -m tests.bench.key_latency`. Rounds without and with a copy of many small files by the background engine are
interleaved, so that what else the machine does meets both alike. The folders are made below --folder, best on tmpfs.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FERRY = (sys.executable, "-m", "tui")
TOP = Path(__file__).parents[2]
IN_VAIN_S = 5.0


@dataclass
class Sample:
    """Keys pressed under one condition."""

    name: str
    latencies_s: list[float] = field(default_factory=list)
    sent_bytes: int = 0
    late: int = 0
    copies: list[float] = field(default_factory=list)

    def row(self) -> str:
        if not self.latencies_s:
            return f"{self.name:<14} no keys"
        ordered = sorted(1000 * latency for latency in self.latencies_s)
        p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
        mean_bytes = self.sent_bytes / len(ordered)
        copies = f"{statistics.median(self.copies):9.1f}" if self.copies else " " * 9
        return (
            f"{self.name:<14}{len(ordered):6}{statistics.median(ordered):9.1f}{p99:9.1f}{ordered[-1]:9.1f}"
            f"{self.late:7}{mean_bytes:9.0f}{copies}"
        )


def cursor(screen: Terminal) -> tuple[object, ...]:
    """Return where the cursor is seen: the background of the left pane, row by row, and the names beside it."""
    buffer = screen.screen.buffer
    return tuple((buffer[y][3].bg, buffer[y][3].data, buffer[y][12].data) for y in range(screen.screen.lines))


def press(screen: Terminal, key: str, sample: Sample) -> None:
    """Press a key and take the time until its effect was read; what the emulator needs is not counted."""
    before, sent = cursor(screen), len(screen.output)
    start = time.perf_counter()
    screen.press(key)
    while True:
        screen.read(0.02)
        now = time.perf_counter()
        if cursor(screen) != before:
            break
        if now - start > IN_VAIN_S:
            sample.late += 1
            return
    sample.latencies_s.append(screen.read_at - start)
    sample.sent_bytes += len(screen.output) - sent


def press_many(
    screen: Terminal, sample: Sample, keys: Sequence[str], copy: subprocess.Popen[bytes] | None
) -> None:
    """Press keys some 20 times a second; with a copy, only while it runs."""
    for key in keys:
        pause_until = time.perf_counter() + random.uniform(0.03, 0.06)
        while (left := pause_until - time.perf_counter()) > 0:
            screen.read(left)
        if copy is not None and copy.poll() is not None:
            return
        press(screen, key, sample)


def copy_meanwhile(
    screen: Terminal, sample: Sample, keys: Sequence[str], source: Path, target: Path, environ: dict[str, str]
) -> None:
    begun = time.perf_counter()
    command = [*FERRY, "copy", str(source), str(target)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as copy:
        # The command line's own start is over when the queue shows the job.
        with contextlib.suppress(AssertionError):
            screen.wait_for("copying|Copying|running|%", 2)
        press_many(screen, sample, keys, copy)
        while copy.poll() is None:
            screen.read(0.05)
        if copy.returncode:
            sys.exit(
                f"{' '.join(command)} ended with {copy.returncode}: {copy.stderr and copy.stderr.read().decode()}"
            )
    sample.copies.append(time.perf_counter() - begun)
    shutil.rmtree(target / source.name)


@contextlib.contextmanager
def opened(folder: Path, other: Path, width: int, height: int) -> Iterator[tuple[Terminal, dict[str, str]]]:
    """Open Ferry with a home of its own on two folders; stop its engine at the end."""
    home = tempfile.mkdtemp(prefix="ferry")
    added = {"FERRY_HOME": home, "PYTHONPATH": str(TOP)}
    environ = {**os.environ, **added}
    try:
        with Terminal([*FERRY, folder, other], width=width, height=height, environ=added) as screen:
            screen.wait_for("entries", 30)
            screen.settle(1.0)
            yield screen, environ
    finally:
        subprocess.run([*FERRY, "engine", "stop"], env=environ, capture_output=True, check=False)
        shutil.rmtree(home, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=10_000, help="entries in the folder shown")
    parser.add_argument("--files", type=int, default=20_000, help="files of 4 KiB that are copied meanwhile")
    parser.add_argument("--keys", type=int, default=60, help="keys a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    options = parser.parse_args(arguments)
    width, height = map(int, options.size.split("x"))
    gc.disable()  # the emulator's own pauses are not the app's
    root = Path(tempfile.mkdtemp(prefix="keys", dir=options.folder))
    try:
        return _measure(root, options, width, height)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _measure(root: Path, options: argparse.Namespace, width: int, height: int) -> int:
    shown, source, target = (root / name for name in ("shown", "source", "target"))
    for folder in (shown, source, target):
        folder.mkdir()
    for number in range(options.entries):
        (shown / f"entry {number * 7919 % 99991:05}.txt").touch()
    block = os.urandom(4096)
    for number in range(options.files):
        folder = source / f"folder {number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"file {number}").write_bytes(block)
    keys = ["down"] * options.keys
    samples = [Sample("down"), Sample("down, copying"), Sample("page"), Sample("page, copying")]
    pages = ["pagedown"] * (options.keys // 2)
    with opened(shown, target, width, height) as (screen, environ):
        for _ in range(options.rounds):
            press_many(screen, samples[0], keys, None)
            copy_meanwhile(screen, samples[1], keys, source, target, environ)
            press_many(screen, samples[2], pages, None)
            copy_meanwhile(screen, samples[3], pages, source, target, environ)
            screen.press("home")
            screen.settle()
    print(
        f"{options.entries} entries, {options.files} files copied, {width}x{height}; times in ms, copies in s"
    )
    print(f"{'':<14}{'keys':>6}{'p50':>9}{'p99':>9}{'max':>9}{'late':>7}{'bytes':>9}{'copy':>9}")
    for sample in samples:
        print(sample.row())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
