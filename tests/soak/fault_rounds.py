"""Let every call of every kind of job fail, and swap links into trees while jobs work on them.

`python -m tests.soak.fault_rounds` is what `make soak` runs; the test suite takes a sample.

Every place in the program that calls the system, come to in whatever way, meets every fault. Calls that repeat one, in
the same job or in another kind of it, meet one each: the seed draws which.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.faults.races import ATTACKS, play
from tests.faults.seam import Fault, Place
from tests.faults.stands import SCENARIOS, Scenario
from tests.faults.sweep import sweep

T = TypeVar("T")

MOST_TOLD = 5
SHARE_FAULTS = 100
"""So many jobs one engine runs: with each it has more to look through."""


@dataclass(frozen=True)
class Share:
    """What one engine is to do: jobs of one kind.

    Attributes:
        watched: One more job, looked at before each of its calls.
    """

    scenario: Scenario
    faults: Sequence[Fault]
    watched: bool = False


async def planned(
    scenario: Scenario, folder: Path, met: set[Place], rng: random.Random | None
) -> tuple[list[Fault], int]:
    """Return the faults to play in one kind of job, and how many there could be.

    Args:
        met: Places that all faults are planned for already; those of this job are added.
        rng: Draws from the others; None: all are played everywhere.
    """
    faults: list[Fault] = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with sweep(scenario, folder, monkeypatch) as one:
            await one.begin()
            for at, place in enumerate(one.places):
                there = one.faults_at(at)
                faults += there if rng is None or place not in met else [rng.choice(there)]
                met.add(place)
            return faults, len(one.faults())


def shares(scenario: Scenario, faults: Sequence[Fault]) -> Iterator[Share]:
    yield Share(scenario, (), watched=True)
    for start in range(0, len(faults), SHARE_FAULTS):
        yield Share(scenario, faults[start : start + SHARE_FAULTS])


async def outlived(share: Share, folder: Path) -> list[str]:
    """Run the jobs; return what is wrong."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with sweep(share.scenario, folder, monkeypatch) as one:
            found = await one.begin()
            if share.watched:
                found += await one.watched()
            for fault in share.faults:
                found += await one.suffer(fault)
    return found


def play_share(share: Share, memory: Path) -> list[str]:
    logging.disable(
        logging.CRITICAL
    )  # a fault nobody foresaw is told by the job, not by hundreds of tracebacks
    folder = Path(tempfile.mkdtemp(dir=memory))
    try:
        return asyncio.run(outlived(share, folder))
    finally:
        shutil.rmtree(folder)


def play_faults(scenarios: Sequence[Scenario], memory: Path, rng: random.Random | None) -> list[str]:
    """Play the faults of kinds of jobs, in as many processes as there are processors; return what is wrong."""
    found: list[str] = []
    left: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    said: dict[str, str] = {}
    met: set[Place] = set()
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        going: dict[Future[list[str]], str] = {}
        for number, scenario in enumerate(scenarios):
            (memory / str(number)).mkdir()
            faults, most = asyncio.run(planned(scenario, memory / str(number), met, rng))
            said[str(scenario)] = f"{len(faults)} faults of {most}"
            for share in shares(scenario, faults):
                going[pool.submit(play_share, share, memory)] = str(scenario)
                left[str(scenario)] += 1
        for done in as_completed(going):
            name = going[done]
            found += done.result()
            for line in done.result()[:MOST_TOLD]:
                print(line, flush=True)
            wrong[name] += len(done.result())
            left[name] -= 1
            if not left[name]:
                print(f"{name}: {said[name]}, {wrong[name]} wrong", flush=True)
    return found


def play_races(memory: Path, only: str, races: int, seed: int) -> list[str]:
    found: list[str] = []
    for number, attack in enumerate(chosen(ATTACKS, only)):
        near = Path(tempfile.mkdtemp(prefix="ferry-race-"))
        swaps, harm = asyncio.run(play(attack, near, memory / f"far{number}", races, seed))
        print(
            f"{attack}: {races} jobs, {swaps} swaps, {len(harm)} wrong",
            *harm[:MOST_TOLD],
            sep="\n",
            flush=True,
        )
        found += harm
        shutil.rmtree(near)
    return found


def chosen(things: Sequence[T], only: str) -> list[T]:
    return [thing for thing in things if only in str(thing)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="play every fault at every call: that takes hours")
    parser.add_argument("--races", type=int, default=25, help="jobs under attack, of each kind")
    parser.add_argument(
        "--only", default="", help="just the kinds of job, or of attack, with this in their name"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    there = Path("/dev/shm")
    memory = Path(tempfile.mkdtemp(prefix="ferry-faults-", dir=there if there.is_dir() else None))
    try:
        rng = None if given.all else random.Random(given.seed)
        found = play_faults(chosen(SCENARIOS, given.only), memory, rng)
        if sys.platform.startswith("linux"):
            found += play_races(memory, given.only, given.races, given.seed)
    finally:
        shutil.rmtree(memory)
    print(f"{len(found) or 'no'} faults (seed {given.seed})")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
