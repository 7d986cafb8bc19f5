"""What all soak rounds share: a Ferry of their own that gets killed, folders on two filesystems, and their telling."""

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
from typing import TYPE_CHECKING

from tui.client.runtime import holder
from tui.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FERRY = (sys.executable, "-m", "tui")


@dataclass
class Ferry:
    """One Ferry with a home of its own, driven from the command line."""

    home: Path
    most_kills: int = 4
    """In one job."""
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {**os.environ, "FERRY_HOME": str(self.home), "NO_COLOR": "1"}

    def run(self, *words: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command.

        Raises:
            AssertionError: It failed, and was to be checked.
        """
        ended = subprocess.run(
            [*FERRY, *words], env=self.environment, check=False, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=timeout,
        )  # fmt: skip
        assert not (check and ended.returncode), f"{' '.join(words)}: {ended.returncode}: {ended.stderr}"
        return ended

    def kill_engine(self) -> bool:
        """Kill the engine if it lives; say whether it did. No command is asked: its start would take too long."""
        engine = holder(Paths.from_environment(self.environment).lock)
        if engine is None or engine.pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine.pid, signal.SIGKILL)
            return True
        return False

    def interrupted(
        self, rng: random.Random, waits_s: Sequence[float], *words: str
    ) -> tuple[int, subprocess.CompletedProcess[str]]:
        """Give it a job, kill the engine once or more, and wait for the job; return the kills and how it ended."""
        return self.killed_during(self.run(*words).stdout.strip(), rng, waits_s)

    def killed_during(
        self, id_: str, rng: random.Random, waits_s: Sequence[float]
    ) -> tuple[int, subprocess.CompletedProcess[str]]:
        """Kill the engine once or more, and wait for a job; return the kills and how the job ended."""
        killed = 0
        for _ in range(rng.randrange(1, self.most_kills + 1)):
            time.sleep(rng.choice(waits_s) * rng.random())
            killed += self.kill_engine()
            self.run("queue")  # any command brings the engine back, and the engine its jobs
        return killed, self.run("queue", "wait", id_, check=False)


@dataclass
class Ground:
    """Where one round is played: a fresh folder near, and one on another filesystem, where there is one."""

    ferry: Ferry
    rng: random.Random
    number: int
    near: Path
    far: Path
    kills: int = 0

    def place(self, across: bool) -> Path:
        return self.far if across else self.near


def other_filesystem() -> Path | None:
    """Return a writable folder on another filesystem than the temporary folder's, if there is one."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and memory.stat().st_dev != os.stat(tempfile.gettempdir()).st_dev:
        return memory
    return None


def play_rounds(
    play: Callable[[Ground], tuple[str, list[str]]],
    rounds: int,
    seed: int,
    folder: Path,
    say: Callable[[str], None] = lambda line: None,
    most_kills: int = 4,
) -> list[str]:
    """Play so many rounds; return the faults of the first that has any, with its round and seed.

    Args:
        play: Plays one round; returns what it was, and what is wrong after it: one line a fault.
    """
    ferry = Ferry(folder / "home", most_kills)
    memory = other_filesystem()
    far = Path(tempfile.mkdtemp(dir=memory, prefix="ferry-soak-")) if memory else folder / "far"
    killed = 0
    try:
        for number in range(rounds):
            rng = random.Random(seed + number)
            ground = Ground(ferry, rng, number, folder / f"near{number}", far / f"far{number}")
            for root in (ground.near, ground.far):
                root.mkdir(parents=True)
            what, faults = play(ground)
            killed += ground.kills
            label = f"round {number + 1}/{rounds} {what}, {ground.kills} kills"
            say(f"{label}: {faults or 'ok'}")
            if faults:
                return [f"{label} (seed {seed + number}): {fault}" for fault in faults]
            for root in (ground.near, ground.far):
                shutil.rmtree(root)
    finally:
        ferry.run("engine", "stop", check=False)
        shutil.rmtree(far, ignore_errors=True)
    say(f"{rounds} rounds, {killed} kills, no faults")
    return []


def main(description: str | None, play: Callable[[Ground], tuple[str, list[str]]]) -> int:
    """Play as many rounds as the command line says; return the exit status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ferry-soak-"))
    faults = play_rounds(play, given.rounds, given.seed, folder, say=lambda line: print(line, flush=True))
    if not faults:
        shutil.rmtree(folder)
    print("\n".join(faults) or "no faults")
    return 1 if faults else 0
