"""How often a subscriber is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.feed import TURN_S, TURNS_AT_ONCE, UPDATE_S, _Turns

if TYPE_CHECKING:
    from fake_clock import FakeClock


def test_a_few_turns_are_told_at_once_and_then_one_each_while(clock: FakeClock) -> None:
    turns = _Turns(clock)
    assert [turns.take() for _ in range(TURNS_AT_ONCE + 1)] == [True] * TURNS_AT_ONCE + [False]
    clock.time += TURN_S
    assert [turns.take(), turns.take()] == [True, False]
    clock.time += 100 * TURN_S
    assert [turns.take() for _ in range(TURNS_AT_ONCE + 1)] == [True] * TURNS_AT_ONCE + [False]


def test_with_those_updates_come_ten_times_a_second() -> None:
    assert 1 / UPDATE_S + 1 / TURN_S == 10
