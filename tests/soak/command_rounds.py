"""Let several clients say this and that to many jobs at once while the engine is killed again and again.

Then all is paused: nothing but whole files may stand under final names, whatever was said to their jobs. In the end all
is resumed or tried again: every job has to come to its end, and every file to its target.
`python -m tests.soak.command_rounds --rounds 30` is what `make soak` runs.
"""

from __future__ import annotations

import asyncio
import random
import stat
from typing import TYPE_CHECKING

from tests.soak.rounds import Ground, main
from tests.trees import describe, differences, make_mixed_tree, partials
from tui.client.remote import RemoteClient
from tui.model.error import FerryError
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

JOBS = 8
CLIENTS = 3
LASTS_S = 6.0
STILL_S = 60.0
"""No job may get no further for so long."""
REST_S = 1.0
PATIENCE_S = 60.0
"""So long an engine may take to answer on a machine that has other things to do."""
SLOW = 8 << 20
RULES = (Conflict.SKIP, Conflict.OVERWRITE, Conflict.ASK)

Tree = dict[bytes, tuple[object, ...]]


def play(ground: Ground) -> tuple[str, list[str]]:
    """Queue copies and moves, and command them; return what was done, and what is wrong afterwards."""
    kinds = [JobKind.COPY, *(ground.rng.choice([JobKind.COPY, JobKind.MOVE]) for _ in range(JOBS - 1))]
    sources = {_source(ground, number, kind) for number, kind in enumerate(kinds)}
    for source in sorted(sources):
        make_mixed_tree(source, ground.rng.randrange(1 << 30), 150, 6 << 20, 2)
    told = {source: describe(source) for source in sources}
    faults = asyncio.run(_command(ground, kinds, told))
    for number, kind in enumerate(kinds):
        target = _target(ground, number)
        if not (target / "source").exists():
            faults.append(f"job {number}, {kind}: nothing at the target")
            continue
        faults += [
            f"job {number}, {kind}: {line}"
            for line in differences(told[_source(ground, number, kind)], describe(target / "source"))[:3]
        ]
        faults += [f"left behind: {path}" for path in partials(target)]
        if kind is JobKind.MOVE and _source(ground, number, kind).exists():
            faults.append(f"the source of move {number} is still there")
    return f"{JOBS} jobs", faults


def _source(ground: Ground, number: int, kind: JobKind) -> Path:
    """Return what a job takes: the one tree for all copies, one of its own for a move."""
    return ground.near / (f"own{number}" if kind is JobKind.MOVE else "") / "source"


def _target(ground: Ground, number: int) -> Path:
    return ground.place(number % 2 == 0) / f"to{number}"


def _half(told: Tree, target: Path) -> list[str]:
    """Return what stands under a final name at a target, and is no copy."""
    faults = []
    for path, (mode, *_, content, _xattrs) in describe(target).items():
        below = path.partition(b"/")[2]
        if b".ferry-" in path or not (isinstance(mode, int) and stat.S_ISREG(mode)):
            continue
        if below not in told or content != told[below][5]:
            faults.append(f"half: {path!r} in {target}: {content}")
    return faults


async def _command(ground: Ground, kinds: list[JobKind], told: dict[Path, Tree]) -> list[str]:
    paths = Paths.from_environment(ground.ferry.environment)
    faults: list[str] = []
    async with RemoteClient(paths, wait_s=PATIENCE_S) as client:
        ids = []
        for number, kind in enumerate(kinds):
            _target(ground, number).mkdir()
            request = Request(
                kind=kind,
                sources=(Location.local(_source(ground, number, kind)),),
                target=Location.local(_target(ground, number)),
                conflict=Conflict.SKIP,
                limit_bytes_s=SLOW,
            )
            ids.append(await client.submit(request))
        ends = asyncio.get_running_loop().time() + LASTS_S
        seeds = [ground.rng.randrange(1 << 30) for _ in range(CLIENTS)]
        await asyncio.gather(kill(ground, ends), *(say(paths, ids, seed, ends, faults) for seed in seeds))
        await client.pause()
        await asyncio.sleep(REST_S)
        for number, kind in enumerate(kinds):
            faults += _half(told[_source(ground, number, kind)], _target(ground, number))[:3]
        await bring_to_an_end(client, faults)
    return faults


async def kill(ground: Ground, ends: float) -> None:
    """Kill the engine now and then."""
    while asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(ground.rng.uniform(0.1, 1.5))
        ground.kills += ground.ferry.kill_engine()


async def say(
    paths: Paths,
    ids: list[int],
    seed: int,
    ends: float,
    faults: list[str],
    rules: Sequence[Conflict] = RULES,
) -> None:
    """Be a client that commands at random. What cannot be done is told; what fails inside is a fault.

    Args:
        rules: What may become the jobs' rule for conflicts.
    """
    rng = random.Random(seed)
    async with RemoteClient(paths, wait_s=PATIENCE_S) as client:
        while asyncio.get_running_loop().time() < ends:
            try:
                await _command_once(client, rng, rng.sample(ids, rng.randrange(1, 4)), rules)
            except FerryError as error:
                if "inside" in error.message:
                    faults.append(error.message)
            await asyncio.sleep(rng.uniform(0, 0.1))


async def _command_once(
    client: RemoteClient, rng: random.Random, chosen: list[int], rules: Sequence[Conflict]
) -> None:
    match rng.randrange(9):
        case 0:
            await client.pause(rng.choice([None, chosen]))
        case 1 | 2:
            await client.resume(rng.choice([None, chosen]))
        case 3:
            await client.cancel(chosen[:1])
        case 4:
            await client.retry(rng.choice([None, chosen]))
        case 5:
            await client.start(chosen)
        case 6:
            await client.set_priority(chosen, rng.randrange(1, 6))
        case 7:
            await client.reorder(chosen, rng.choice(["top", "bottom", "up", "down"]))
        case _ if rules:
            await client.set_conflict(chosen, rng.choice(rules))


async def bring_to_an_end(
    client: RemoteClient,
    faults: list[str],
    then: Callable[[RemoteClient], Awaitable[None]] | None = None,
) -> None:
    """Have every job go on until it is done.

    Args:
        then: Called before the jobs are removed.
    """
    await client.resume()
    jobs = await client.jobs()
    loop, before = asyncio.get_running_loop(), jobs
    ends = loop.time() + STILL_S
    while any(job.state is not JobState.DONE for job in jobs) and loop.time() < ends:
        for job in jobs:
            if job.state is JobState.WAITING:
                await client.set_conflict([job.id], Conflict.OVERWRITE)
        await client.retry()
        await asyncio.sleep(0.2)
        jobs = await client.jobs()
        if any(
            job.progress.files_done != was.progress.files_done for job, was in zip(jobs, before, strict=True)
        ):
            before, ends = jobs, loop.time() + STILL_S
    left = (job for job in jobs if job.state is not JobState.DONE)
    faults += [f"stands still: job {job.id} is {job.state}, {job.note!r}" for job in left]
    if then is not None:
        await then(client)
    await client.remove()


if __name__ == "__main__":
    raise SystemExit(main(__doc__, play))
