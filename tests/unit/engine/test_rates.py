"""Limits and meters, on a clock of their own."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.limiter import BURST_S, SMALLEST_PORTION_BYTES, Bucket, Limiter
from tui.engine.meter import Meter, time_left


async def flow(clock: FakeClock, limiter: Limiter, amount: int) -> float:
    """Let an amount through and return the seconds it took."""
    began = clock.time
    while amount > 0:
        size = min(amount, limiter.portion(1 << 20))
        await limiter.pay(size, lambda: False)
        amount -= size
    return clock.time - began


@pytest.mark.parametrize("limit", [100_000, 1_000_000, 50_000_000])
async def test_a_limited_flow_takes_the_time_it_should(clock: FakeClock, limit: int) -> None:
    limiter = Limiter(clock, Bucket(clock, limit), Bucket(clock))
    assert await flow(clock, limiter, limit * 10) == pytest.approx(10, rel=0.05)


async def test_the_tighter_of_two_limits_holds(clock: FakeClock) -> None:
    limiter = Limiter(clock, Bucket(clock, 4_000_000), Bucket(clock, 1_000_000))
    assert limiter.bytes_s == 1_000_000
    assert await flow(clock, limiter, 5_000_000) == pytest.approx(5, rel=0.05)


async def test_nothing_is_held_back_without_a_limit(clock: FakeClock) -> None:
    limiter = Limiter(clock, Bucket(clock))
    assert limiter.portion(1 << 30) == 1 << 30
    assert await flow(clock, limiter, 1 << 30) == 0


async def test_a_pause_is_no_credit_for_a_flood(clock: FakeClock) -> None:
    bucket = Bucket(clock, 1_000_000)
    clock.time += 3600
    bucket.debit(1_000_000)
    assert bucket.debt_s == pytest.approx(1 - BURST_S)


async def test_a_lifted_limit_frees_whoever_waits(clock: FakeClock) -> None:
    bucket = Bucket(clock, 1000)
    bucket.debit(1_000_000)
    bucket.bytes_s = None
    assert bucket.debt_s == 0
    bucket.bytes_s = 1000
    assert bucket.debt_s == 0


async def test_an_old_debt_does_not_stall_a_new_limit(clock: FakeClock) -> None:
    bucket = Bucket(clock, 1000)
    bucket.debit(1_000_000)
    bucket.bytes_s = 2000
    assert bucket.debt_s == pytest.approx(1)


async def test_whoever_waits_is_stopped_at_once(clock: FakeClock) -> None:
    limiter = Limiter(clock, Bucket(clock, 10))
    began = clock.time
    await limiter.pay(1_000_000, lambda: clock.time - began > 0.2)
    assert clock.time - began < 0.3


@given(st.integers(1, 10**12), st.integers(1, 1 << 28))
def test_a_portion_is_never_nothing_nor_more_than_asked(limit: int, most: int) -> None:
    clock = FakeClock()
    portion = Limiter(clock, Bucket(clock, limit)).portion(most)
    assert 0 < portion <= max(most, SMALLEST_PORTION_BYTES)


def feed(meter: Meter, clock: FakeClock, rate: float, seconds: float) -> None:
    for _ in range(int(seconds * 10)):
        clock.time += 0.1
        meter.add(rate / 10)


def test_a_steady_rate_is_told_from_the_first_moment(clock: FakeClock) -> None:
    meter = Meter(clock)
    assert meter.rate == 0
    feed(meter, clock, 5e6, 0.3)
    assert meter.rate == pytest.approx(5e6, rel=0.01)


def test_a_rate_follows_within_some_seconds_and_falls_when_nothing_comes(clock: FakeClock) -> None:
    meter = Meter(clock)
    feed(meter, clock, 1e6, 30)
    feed(meter, clock, 4e6, 1)
    assert 1e6 < meter.rate < 3e6
    feed(meter, clock, 4e6, 15)
    assert meter.rate == pytest.approx(4e6, rel=0.1)
    clock.time += 20
    assert meter.rate < 0.2e6


def test_amounts_in_one_moment_are_no_gale(clock: FakeClock) -> None:
    meter = Meter(clock)
    for _ in range(100):
        meter.add(1e9)
    assert meter.rate == 0


def test_time_left_is_told_only_where_it_is_known() -> None:
    assert time_left(0, 0) == 0
    assert time_left(100, 10) == 10
    assert time_left(100, 0) is None
