"""Which jobs may run side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.engine.scheduler import MOST_AT_ONCE, Candidate, plan


def job(id: int, *lanes: int, priority: int = 3, forced: bool = False) -> Candidate:
    return Candidate(id, priority, id, frozenset(lanes), forced)


def test_jobs_that_share_no_disk_run_side_by_side() -> None:
    assert plan([job(1, 10), job(2, 20, 30)], []).start == [1, 2]


def test_jobs_that_share_a_disk_run_in_turn() -> None:
    result = plan([job(2, 10, 20), job(3, 20)], [job(1, 10)])
    assert result.start == []
    assert result.blocked == {2: 1, 3: 2}


def test_the_higher_priority_goes_first_then_the_place() -> None:
    assert plan([job(1, 10), job(2, 10, priority=5)], []).start == [2]
    assert plan([job(2, 10), job(1, 10)], []).start == [1]


def test_a_job_started_by_hand_waits_for_nothing() -> None:
    assert plan([job(2, 10, forced=True)], [job(1, 10)]).start == [2]


def test_a_job_whose_disks_are_not_known_waits_and_holds_nobody_back() -> None:
    result = plan([Candidate(1, 3, 1, None), job(2, 10)], [])
    assert result.start == [2]
    assert result.blocked == {1: 0}


def test_nobody_passes_a_job_whose_disks_will_be_known_in_a_moment() -> None:
    queue = [job(1, 10), Candidate(2, 3, 2, None, awaited=True), job(3, 30), job(4, 10, forced=True)]
    result = plan(queue, [])
    assert result.start == [4]
    assert result.blocked == {1: 4, 2: 0, 3: 0}


def test_a_job_that_needs_two_disks_is_not_passed_by_for_ever() -> None:
    """While it waits for one, later jobs do not get the other."""
    assert plan([job(2, 10, 20), job(3, 20)], [job(1, 10)]).start == []


def test_a_job_that_waits_for_its_host_takes_up_no_place() -> None:
    away = [Candidate(n, 3, n, frozenset({-n}), away=True) for n in range(1, MOST_AT_ONCE + 1)]
    assert plan([job(20, 10), job(21, -1)], away).start == [20]


def test_jobs_for_a_host_that_does_not_answer_hold_nothing_else() -> None:
    away = Candidate(1, 3, 1, frozenset({-1}), away=True)
    result = plan([job(2, -1, 10), job(3, 10)], [away])
    assert (result.start, result.blocked) == ([3], {2: 1})


def test_a_job_for_such_a_host_that_is_started_by_hand_holds_all_it_needs() -> None:
    away = Candidate(1, 3, 1, frozenset({-1}), away=True)
    result = plan([job(2, -1, 10, forced=True), job(3, 10)], [away])
    assert (result.start, result.blocked) == ([2], {3: 2})


def test_there_is_an_end_to_running_side_by_side() -> None:
    assert len(plan([job(n, n) for n in range(1, 30)], []).start) == MOST_AT_ONCE


jobs = st.builds(
    Candidate, st.integers(1, 40), st.integers(1, 5), st.integers(1, 9),
    st.none() | st.frozensets(st.integers(1, 4), max_size=3), st.booleans(),
)  # fmt: skip


@given(st.lists(jobs, max_size=12, unique_by=lambda job: job.id))
def test_nobody_shares_a_disk_unasked_and_nobody_is_forgotten(queued: list[Candidate]) -> None:
    result = plan(queued, [])
    assert sorted([*result.start, *result.blocked]) == sorted(job.id for job in queued)
    started = [job for job in queued if job.id in result.start and not job.forced]
    for one in started:
        for other in started:
            assert one is other or not (one.lanes or frozenset()) & (other.lanes or frozenset())
