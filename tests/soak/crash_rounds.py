"""Kill the engine with SIGKILL at random moments, again and again, and see that nothing is lost.

`python -m tests.soak.crash_rounds --rounds 100` is what `make soak` runs; the test suite runs a few rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.trees import describe, differences, make_mixed_tree, partials
from tui.client.runtime import holder
from tui.paths import Paths

FERRY = (sys.executable, "-m", "tui")


@dataclass
class Ferry:
    """One Ferry with a home of its own, driven from the command line."""

    home: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {**os.environ, "FERRY_HOME": str(self.home), "NO_COLOR": "1"}

    def run(self, *words: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*FERRY, *words], env=self.environment, check=check, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=timeout,
        )  # fmt: skip

    def kill_engine(self) -> bool:
        """Kill the engine if it lives; say whether it did. No command is asked: its start would take too long."""
        engine = holder(Paths.from_environment(self.environment).lock)
        if engine is None or engine.pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine.pid, signal.SIGKILL)
            return True
        return False


@dataclass
class Round:
    """One job over a fresh tree, interrupted several times."""

    ferry: Ferry
    rng: random.Random
    source_root: Path
    target_root: Path
    large_bytes: int
    kills: int = 0

    def play(self, kind: str, kills: int) -> list[str]:
        """Run it, and return what is wrong afterwards: one line a fault, none where all is well."""
        source, target = self.source_root / "source", self.target_root / "target"
        make_mixed_tree(
            source, self.rng.randrange(1 << 30), files=600, large_bytes=self.large_bytes, large_files=3
        )
        merge = self.rng.random() < 0.3
        if merge:  # part of it stands there already, so that files go into a standing folder one by one
            target.mkdir()
            (target / "source").mkdir()
            (target / "source" / "kept.txt").write_text("was here before")
        else:
            target.mkdir()
        wanted = describe(source)
        id_ = self.ferry.run(
            kind, "--detach", "--on-conflict", "fail", str(source), f"{target}/"
        ).stdout.strip()
        for _ in range(kills):
            time.sleep(self.rng.choice([0, 0.02, 0.1, 0.2, 0.4]) * self.rng.random())
            self.kills += self.ferry.kill_engine()
            self.ferry.run("queue")  # any command brings the engine back, and the engine its jobs
        ended = self.ferry.run("queue", "wait", id_, check=False)
        return self.judge(kind, source, target, wanted, merge, ended)

    def judge(self, kind: str, source: Path, target: Path, wanted: dict, merge: bool, ended) -> list[str]:
        faults = []
        if ended.returncode != 0:
            faults.append(f"exit status {ended.returncode}: {ended.stderr.strip() or ended.stdout.strip()}")
        found = describe(target / "source")
        if merge:
            if found.pop(b"kept.txt", None) is None:
                faults.append("a file that stood there before is gone")
        faults += differences(wanted, found)[:5]
        faults += [f"left behind: {path}" for path in partials(self.source_root, self.target_root)]
        if kind == "move" and os.path.lexists(source):
            faults.append("the source of a move is still there")
        if kind == "copy":
            faults += [f"source harmed: {line}" for line in differences(wanted, describe(source))[:5]]
        return faults

    def clear(self) -> None:
        for root in (self.source_root, self.target_root):
            shutil.rmtree(root, ignore_errors=True)


def other_filesystem() -> Path | None:
    """Return a writable folder on another filesystem than the temporary folder's, if there is one."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and memory.stat().st_dev != os.stat(tempfile.gettempdir()).st_dev:
        return memory
    return None


def run_rounds(
    rounds: int, seed: int, folder: Path, say=lambda line: None, large_bytes: int = 48 << 20
) -> list[str]:
    """Play so many rounds and return all faults, each with its round and seed."""
    ferry = Ferry(folder / "home")
    faults: list[str] = []
    killed = 0
    memory = other_filesystem()
    far = Path(tempfile.mkdtemp(dir=memory, prefix="ferry-crash-")) if memory else folder / "far"
    try:
        for number in range(rounds):
            rng = random.Random(seed + number)
            kind = ("copy", "move")[number % 2]
            across = rng.random() < 0.7
            target_root = (far if across else folder) / f"to{number}"
            one = Round(ferry, rng, folder / f"from{number}", target_root, large_bytes)
            one.source_root.mkdir()
            one.target_root.mkdir(parents=True)
            found = one.play(kind, kills=rng.randrange(1, 5))
            killed += one.kills
            faults += [
                f"round {number} (seed {seed}, {kind}{' across' if across else ''}): {fault}"
                for fault in found
            ]
            say(f"round {number + 1}/{rounds} {kind}, {one.kills} kills: {'ok' if not found else found}")
            if found:
                break
            one.clear()
    finally:
        ferry.run("engine", "stop", check=False)
        shutil.rmtree(far, ignore_errors=True)
    say(f"{rounds} rounds, {killed} kills, {len(faults)} faults")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ferry-soak-"))
    faults = run_rounds(given.rounds, given.seed, folder, say=lambda line: print(line, flush=True))
    if not faults:
        shutil.rmtree(folder)
    print("\n".join(faults) or "no faults")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
