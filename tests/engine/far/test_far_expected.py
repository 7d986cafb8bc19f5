"""A file that is to replace one that was looked at before: it replaces that, and nothing else without a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui.model.error import PlaceUnavailable
from tui.model.job import Conflict, JobState

if TYPE_CHECKING:
    from far_harness import Far

    from tui.model.job import Job

SMALL, LARGE = b"edited", bytes(range(256)) * 4000
OLD, NEWER = b"old", b"somebody else's"


async def put_back(far: Far, data: bytes, **rest: object) -> int:
    """Have a file replaced that was looked at when it held `OLD`."""
    far.here.write("/copy", data)
    expects = far.there.find("/target/file").entry("file").facts
    return await far.submit(
        "/copy",
        to="/target/file",
        into=False,
        conflict=Conflict.OVERWRITE,
        by_content=True,
        expects=expects,
        **rest,
    )


def change(far: Far) -> None:
    far.there.write("/target/file", NEWER)


def is_asked(job: Job) -> bool:
    return job.state is JobState.WAITING and job.progress.questions == 1


@pytest.mark.parametrize("data", [SMALL, LARGE])
async def test_what_is_as_it_was_is_replaced(far: Far, data: bytes) -> None:
    far.there.write("/target/file", OLD)
    await far.done(await put_back(far, data))
    assert far.tree() == {"file": data}


@pytest.mark.parametrize("data", [SMALL, LARGE])
@pytest.mark.parametrize("answer", [Conflict.OVERWRITE, Conflict.SKIP])
async def test_what_changed_before_the_job_ran_is_asked_about(
    far: Far, data: bytes, answer: Conflict
) -> None:
    far.there.write("/target/file", OLD)
    id = await put_back(far, data, paused=True)
    change(far)
    await far.engine.resume([id])
    await far.until(id, is_asked)
    assert far.tree() == {"file": NEWER}
    (question,) = await far.engine.questions(id)
    await far.engine.answer(question.id, answer)
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"file": data if answer is Conflict.OVERWRITE else NEWER}


@pytest.mark.parametrize(("data", "last"), [(SMALL, "get"), (LARGE, "check"), (LARGE, "write")])
async def test_what_changes_while_the_job_runs_is_asked_about(far: Far, data: bytes, last: str) -> None:
    far.there.write("/target/file", OLD)
    changed: list[str] = []

    def at(number: int, name: str, path: str) -> None:
        if name in (last, "write") and not changed:
            changed.append(name)
            change(far)

    far.faults.at = at
    id = await put_back(far, data)
    await far.until(id, is_asked)
    assert changed
    assert far.tree() == {"file": NEWER}
    (question,) = await far.engine.questions(id)
    await far.engine.answer(question.id, Conflict.OVERWRITE)
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"file": data}


async def test_what_went_meanwhile_is_made_again(far: Far) -> None:
    far.there.write("/target/file", OLD)
    id = await put_back(far, SMALL, paused=True)
    far.there.remove("/target/file")
    await far.engine.resume([id])
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.tree() == {"file": SMALL}


async def test_an_answer_that_was_lost_with_the_connection_asks_nothing(far: Far) -> None:
    far.there.write("/target/file", OLD)
    lost: list[str] = []

    def at(number: int, name: str, path: str) -> None:
        if name == "put done" and not lost:
            lost.append(name)
            raise PlaceUnavailable("the connection was lost")

    far.faults.at = at
    await far.done(await put_back(far, SMALL))
    assert lost
    assert far.tree() == {"file": SMALL}


async def test_what_is_to_be_replaced_is_known_after_a_restart(far: Far) -> None:
    far.there.write("/target/file", OLD)
    id = await put_back(far, SMALL, paused=True)
    await far.engine.shut_down()
    change(far)
    async with far.engine_on():
        await far.engine.resume([id])
        await far.until(id, is_asked)
    assert far.tree() == {"file": NEWER}
