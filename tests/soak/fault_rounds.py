"""Let every call of every kind of job fail in every way, and swap links into trees while jobs work on them.

`python -m tests.soak.fault_rounds` is what `make soak` runs; the test suite takes a sample.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.faults.races import ATTACKS, play
from tests.faults.stands import SCENARIOS, Scenario
from tests.faults.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

MOST_TOLD = 5


async def all_faults(scenario: Scenario, folder: Path, part: float, rng: random.Random) -> list[str]:
    """Play the faults of one scenario, or a part of them; return what is wrong."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with sweep(scenario, folder, monkeypatch) as one:
            found = await one.begin() + await one.watched()
            faults = one.faults()
            chosen = faults if part >= 1 else rng.sample(faults, round(len(faults) * part))
            for fault in chosen:
                found += await one.suffer(fault)
    print(f"{scenario}: {len(chosen)} faults of {len(faults)}, {len(found)} wrong", flush=True)
    return found


def chosen(things: Sequence[T], only: str) -> list[T]:
    return [thing for thing in things if only in str(thing)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=float, default=1, help="how much of all faults, as a number up to 1")
    parser.add_argument("--races", type=int, default=25, help="jobs under attack, of each kind")
    parser.add_argument(
        "--only", default="", help="just the kinds of job, or of attack, with this in their name"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    logging.disable(
        logging.CRITICAL
    )  # a fault nobody foresaw is told by the job, not by hundreds of tracebacks
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="ferry-faults-", dir=memory if memory.is_dir() else None))
    found: list[str] = []
    try:
        for number, scenario in enumerate(chosen(SCENARIOS, given.only)):
            (folder / str(number)).mkdir()
            found += asyncio.run(
                all_faults(scenario, folder / str(number), given.part, random.Random(given.seed))
            )
        attacks = chosen(ATTACKS, given.only) if sys.platform.startswith("linux") else []
        for number, attack in enumerate(attacks):
            near = Path(tempfile.mkdtemp(prefix="ferry-race-"))
            swaps, harm = asyncio.run(play(attack, near, folder / f"far{number}", given.races, given.seed))
            print(f"{attack}: {given.races} jobs, {swaps} swaps, {len(harm)} wrong", flush=True)
            found += harm
            shutil.rmtree(near)
    finally:
        shutil.rmtree(folder)
    print("\n".join(found[:MOST_TOLD]) or "no faults")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
