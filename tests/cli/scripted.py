"""The command line against an engine in memory, as a process of its own: `scripted.py SCENE WORDS…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli_engine import FakeEngine, at_the_door, done, question, running, short_of_room
from cli_places import far
from msgspec.structs import replace

import tui.cli.run
from tui.__main__ import main
from tui.model.location import Location
from tui.model.misfit import Misfit, Misfits, Unfit

if TYPE_CHECKING:
    from tui.model.job import Job


def endless(engine: FakeEngine) -> None:
    """A job that never ends by itself."""
    engine.plan = [running(current="/from/wide 漢字 \x1b[31m\n.txt")]


def asking(engine: FakeEngine) -> None:
    """Three conflicts; the job is done when all are answered."""
    engine.questions = [question(1, number) for number in (1, 2, 3)]
    left = running()

    def step(job: Job) -> Job:
        if not engine.questions:
            return done()(job)
        job = left(job)
        return replace(job, progress=replace(job.progress, questions=len(engine.questions)))

    engine.plan = [step]


def elsewhere(engine: FakeEngine) -> None:
    """One conflict that somebody else answers when a file appears."""
    asking(engine)
    engine.questions = engine.questions[:1]

    def look() -> None:
        if Path("answered").exists():
            engine.questions = []

    engine.between = look


def slow(engine: FakeEngine) -> None:
    """A job that ends when a file appears."""

    def step(job: Job) -> Job:
        return done()(job) if Path("finish").exists() else running()(job)

    engine.plan = [step]


def standing(engine: FakeEngine) -> None:
    """A job of somebody else that never ends."""
    engine.requests[engine.add().id] = None  # type: ignore[assignment]
    engine.plan = [running()]


def unfit(engine: FakeEngine) -> None:
    """A job that waits for an answer about names; it is done when it has one."""
    first = tuple(
        Misfit(Location.local(f"/from/{number}:"), Unfit.NAME, "it takes no ':' in names", f"{number}：")
        for number in range(12)
    )
    engine.misfits = {1: Misfits(names=12, first=first)}
    waits = short_of_room("names do not fit")

    def step(job: Job) -> Job:
        return replace(waits(job), misfits=12) if engine.misfits else done()(job)

    engine.plan = [step]


def door(engine: FakeEngine) -> None:
    """A host that is not known, and asks for a password; what is there is told when it has been answered."""
    engine.host.known, engine.host.password = False, "sesame"
    engine.host.files |= {far("/data"): None, far("/data/one\x1b[31m"): b"1"}
    engine.plan = [at_the_door(engine)]


def job_at_the_door(engine: FakeEngine) -> None:
    """A job of somebody else that waits for a password."""
    engine.host.password = "sesame"
    engine.requests[engine.add().id] = None  # type: ignore[assignment]
    engine.plan = [at_the_door(engine)]
    step = at_the_door(engine)
    engine.jobs[1] = step(engine.jobs[1])

    def look() -> None:
        engine.jobs[1] = step(engine.jobs[1])

    engine.on_look = look


SCENES = {
    scene.__name__: scene
    for scene in (endless, asking, elsewhere, slow, standing, unfit, door, job_at_the_door)
}


def run() -> int:
    engine = FakeEngine()
    SCENES[sys.argv[1]](engine)
    tui.cli.run.SpawnedEngines = lambda paths, settings: engine  # type: ignore[assignment,misc]
    status = main(sys.argv[2:])
    Path("calls").write_text("\n".join(repr(call) for call in engine.calls if call[0] != "submit"))
    return status


if __name__ == "__main__":
    sys.exit(run())
