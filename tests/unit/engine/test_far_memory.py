"""What small files hold in memory while they are under way: limited, in turn, and given back whatever happens."""

from __future__ import annotations

import asyncio

from tui.engine.far.memory import Memory


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_is_held_than_there_is() -> None:
    memory, most = Memory(10), 0

    async def hold(size: int) -> None:
        nonlocal most
        await memory.take(size)
        most = max(most, memory.used_bytes)
        await asyncio.sleep(0)
        memory.give_back(size)

    await asyncio.gather(*(hold(size) for size in (3, 4, 5, 1, 10, 2, 2, 7)))
    assert 7 <= most <= 10
    assert memory.used_bytes == 0


async def test_what_is_too_large_is_held_alone() -> None:
    memory = Memory(10)
    await memory.take(1)
    large = asyncio.create_task(memory.take(11))
    await turns()
    assert not large.done()
    memory.give_back(1)
    await large
    assert memory.used_bytes == 11


async def test_a_large_one_is_not_overtaken_for_ever() -> None:
    memory = Memory(10)
    await memory.take(9)
    large, small = asyncio.create_task(memory.take(5)), asyncio.create_task(memory.take(1))
    await turns()
    assert not small.done()
    memory.give_back(9)
    await asyncio.gather(large, small)
    assert memory.used_bytes == 6


async def test_who_gives_up_waiting_holds_nothing() -> None:
    memory = Memory(10)
    await memory.take(10)
    early, late, other = (asyncio.create_task(memory.take(6)) for _ in range(3))
    await turns()
    early.cancel()  # while it waits
    await turns()
    memory.give_back(10)
    late.cancel()  # when it has just been given
    await asyncio.gather(early, late, return_exceptions=True)
    await other
    assert early.cancelled()
    assert late.cancelled()
    assert memory.used_bytes == 6
