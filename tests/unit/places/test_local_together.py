"""Small things done in threads, several in one hop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tui.places.local.together import FEW, MANY, SHORT_S, Together


@pytest.fixture
def together() -> Together:
    return Together(lambda: None)


async def test_each_gets_what_it_asked_for(together: Together) -> None:
    def double(number: int) -> int:
        return 2 * number

    asked = [together.do(lambda number=number: double(number)) for number in range(3 * FEW + 1)]  # type: ignore[misc]
    assert await asyncio.gather(*asked) == [2 * number for number in range(3 * FEW + 1)]


class Counting(ThreadPoolExecutor):
    """Threads that count their hops."""

    hops = 0

    def submit(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.hops += 1
        return super().submit(*args, **kwargs)


async def test_what_is_asked_for_in_one_turn_is_done_in_few_hops() -> None:
    with Counting(4) as threads:
        together = Together(lambda: threads)
        seen = await asyncio.gather(*(together.do(threading.get_ident) for _ in range(2 * FEW)))
    assert threads.hops == 2
    assert threading.get_ident() not in seen


@pytest.mark.parametrize(
    ("each_s", "hops"), [(SHORT_S / 2, 1), (2 * SHORT_S, MANY // FEW)], ids=["short", "long"]
)
async def test_more_go_into_one_hop_where_each_is_over_at_once(each_s: float, hops: int) -> None:
    now = 0.0

    def take_time() -> None:
        nonlocal now
        now += each_s

    with Counting(1) as threads:
        together = Together(lambda: threads, lambda: now)
        await together.do(take_time)
        threads.hops = 0
        await asyncio.gather(*(together.do(take_time) for _ in range(MANY)))
    assert threads.hops == hops


async def test_one_that_fails_fails_alone(together: Together) -> None:
    def fail() -> None:
        raise OSError(5, "disk")

    outcomes = await asyncio.gather(
        together.do(lambda: 1), together.do(fail), together.do(lambda: 3), return_exceptions=True
    )
    assert (outcomes[0], outcomes[2]) == (1, 3)
    assert isinstance(outcomes[1], OSError)


async def test_what_is_cancelled_before_its_turn_is_not_begun(together: Together) -> None:
    done: list[int] = []
    first = asyncio.ensure_future(together.do(lambda: done.append(1)))
    second = asyncio.ensure_future(together.do(lambda: done.append(2)))
    await asyncio.sleep(0)
    second.cancel()
    await first
    assert done == [1]
    with pytest.raises(asyncio.CancelledError):
        await second
