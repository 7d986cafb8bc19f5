"""Things done at once: how many tasks there are for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tui.engine.far.many import HIRED_AT_ONCE, Crew, Pile, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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
    for thing in range(came_before, 20):
        await asyncio.sleep(0.001)
        assert len(crew.tasks) == min(thing, 5)
        queue.put_nowait(thing)
        crew.came()
    await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.sleep(0.01)
    assert (sorted(done), most) == (list(range(20)), 5)
    queue.put_nowait(20)
    crew.came()
    await asyncio.sleep(0.01)
    assert done[-1] == 20 and len(crew.tasks) == 5
    await asyncio.gather(*crew.dismiss(), return_exceptions=True)


async def test_the_first_of_many_get_on_before_the_last_begin() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    got_on: list[int] = []
    all_got_on = asyncio.Event()

    async def work(thing: int) -> None:
        await asyncio.sleep(0)
        got_on.append(len(crew.tasks))
        if len(got_on) == 10 * HIRED_AT_ONCE:
            all_got_on.set()

    for thing in range(10 * HIRED_AT_ONCE):
        queue.put_nowait(thing)
    crew = Crew(queue, work, 10 * HIRED_AT_ONCE, lambda: None)
    async with asyncio.timeout(60):
        await all_got_on.wait()
    assert got_on[0] <= 3 * HIRED_AT_ONCE
    await asyncio.gather(*crew.dismiss(), return_exceptions=True)


async def test_nobody_is_hired_any_more_by_whom_all_were_dismissed() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    queue.put_nowait(1)
    crew = Crew(queue, asyncio.sleep, 5, lambda: None)
    assert crew.dismiss() == []
    await asyncio.sleep(0.001)
    assert crew.tasks == [] and queue.qsize() == 1


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


def test_what_came_last_comes_first_and_each_lot_in_order() -> None:
    pile = Pile([1, 2])
    assert next(pile) == 1
    pile.add([])
    pile.add(iter([3, 4]))
    assert next(pile) == 3
    pile.add([5])
    assert list(pile) == [5, 4, 2]
    pile.add([6])
    assert list(pile) == [6]


async def test_nothing_of_a_lot_is_made_before_there_is_a_hand_for_it() -> None:
    made: list[int] = []
    most_ahead = 0
    done = 0

    def lot() -> Iterator[int]:
        for number in range(1, 50):
            made.append(number)
            yield number

    async def work(thing: int) -> Iterable[int]:
        nonlocal most_ahead, done
        await asyncio.sleep(0)
        most_ahead = max(most_ahead, len(made) - done)
        done += thing > 0
        return lot() if thing == 0 else ()

    await spread(0, work, 4, lambda: False)
    assert done == len(made) == 49
    assert most_ahead <= 4
