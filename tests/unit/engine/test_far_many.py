"""Things done at once: how many tasks there are for them."""

from __future__ import annotations

import asyncio

import pytest

from tui.engine.far.many import Crew


@pytest.mark.parametrize("came_before", [0, 3])
async def test_there_are_as_many_at_work_as_there_is_to_do_and_no_more_than_allowed(came_before: int) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    at_work, most, done, go_on = 0, 0, [], asyncio.Event()

    async def work(thing: int) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await go_on.wait()
        at_work -= 1
        done.append(thing)

    for thing in range(came_before):
        queue.put_nowait(thing)
    crew = Crew(queue, work, 5, lambda: None)
    assert len(crew.tasks) == came_before
    for thing in range(came_before, 20):
        queue.put_nowait(thing)
        crew.came()
        assert len(crew.tasks) == min(thing + 1, 5)
    await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.sleep(0.01)
    assert (sorted(done), most) == (list(range(20)), 5)
    queue.put_nowait(20)
    crew.came()
    await asyncio.sleep(0.01)
    assert done[-1] == 20 and len(crew.tasks) == 5
    for task in crew.tasks:
        task.cancel()
    await asyncio.gather(*crew.tasks, return_exceptions=True)


async def test_who_fails_is_told_of() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    told = asyncio.Event()

    async def work(thing: int) -> None:
        raise ValueError(thing)

    crew = Crew(queue, work, 5, told.set)
    queue.put_nowait(1)
    crew.came()
    async with asyncio.timeout(5):
        await told.wait()
    with pytest.raises(ValueError):
        crew.tasks[0].result()
