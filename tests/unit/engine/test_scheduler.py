"""Which jobs may run side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.engine.reach import Reach
from tui.engine.scheduler import MOST_AT_ONCE, MOST_LIGHT, Candidate, plan


def job(id: int, *lanes: int, priority: int = 3, forced: bool = False) -> Candidate:
    return Candidate(id, priority, id, frozenset(lanes), forced)


def touching(*entries: str) -> Reach:
    above = {"/".join(entry.split("/")[:n]) for entry in entries for n in range(1, entry.count("/") + 1)}
    return Reach(frozenset(entries), frozenset(above))


def light(id: int, *lanes: int, on: str, priority: int = 3, forced: bool = False) -> Candidate:
    return Candidate(id, priority, id, frozenset(lanes), forced, light=True, reach=touching(on))


def copying(id: int, *lanes: int, on: str) -> Candidate:
    return Candidate(id, 3, id, frozenset(lanes), reach=touching(on))


def test_jobs_that_share_no_disk_run_side_by_side() -> None:
    assert plan([job(1, 10), job(2, 20, 30)], []).start == [1, 2]


def test_jobs_that_share_a_disk_run_in_turn() -> None:
    result = plan([job(2, 10, 20), job(3, 20)], [job(1, 10)])
    assert result.start == []
    assert result.blocked == {2: 1, 3: 2}


def test_a_job_waits_for_the_one_before_it() -> None:
    """So what it says stays true while others end."""
    assert plan([job(2, 10), job(3, 10), job(4, 10)], [job(1, 10)]).blocked == {2: 1, 3: 2, 4: 3}


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


def test_a_light_job_waits_for_no_disk() -> None:
    assert plan([light(3, 10, on="/a/x")], [copying(1, 10, on="/b")]).start == [3]
    assert plan([copying(2, 10, on="/c"), light(3, 10, on="/a/x")], [copying(1, 10, on="/b")]).start == [3]


def test_a_light_job_waits_for_earlier_ones_that_touch_the_same_entries() -> None:
    for on in ("/b/x", "/b", "/b/x/y"):
        assert plan([light(3, 10, on=on)], [copying(1, 10, on="/b/x")]).blocked == {3: 1}
        assert plan([light(2, 10, on="/b/x"), light(3, 10, on=on)], []).blocked == {3: 2}
    result = plan([copying(2, 10, on="/b/x"), light(3, 10, on="/b")], [copying(1, 10, on="/c")])
    assert result.blocked == {2: 1, 3: 2}


def test_a_light_job_waits_for_the_disk_where_it_is_not_known_what_another_touches() -> None:
    assert plan([light(3, 10, on="/a")], [job(1, 10)]).blocked == {3: 1}
    assert plan([light(3, 10, on="/a")], [job(1, 20)]).start == [3]


def test_later_jobs_wait_for_a_light_one_as_for_any_other() -> None:
    """It may make the room they need."""
    assert plan([light(1, 10, on="/a"), copying(2, 10, on="/b")], []).blocked == {2: 1}
    assert plan([copying(2, 10, on="/b")], [light(1, 10, on="/a")]).blocked == {2: 1}


def test_a_light_job_that_passed_another_does_not_hold_it_up() -> None:
    assert plan([copying(2, 10, on="/b")], [light(3, 10, on="/a")]).start == [2]


def test_light_jobs_take_no_place_from_others_and_are_few_themselves() -> None:
    heavy = [job(n, n) for n in range(1, MOST_AT_ONCE + 1)]
    some = [light(n, 100 + n, on=f"/{n}") for n in range(20, 30)]
    assert plan(some, heavy).start == [job.id for job in some[:MOST_LIGHT]]
    assert plan([job(40, 40)], some[:MOST_LIGHT]).start == [40]
    assert plan([light(50, 9, on="/50", forced=True)], some[:MOST_LIGHT]).start == [50]


def test_a_light_job_waits_for_a_host_that_does_not_answer() -> None:
    away = Candidate(1, 3, 1, frozenset({-1}), away=True, reach=touching("/a"))
    assert plan([light(2, -1, on="/b"), light(3, 10, on="/b")], [away]).blocked == {2: 1, 3: 2}


def test_light_jobs_that_wait_for_their_host_take_up_no_place() -> None:
    away = [
        Candidate(n, 3, n, frozenset({-n}), away=True, light=True, reach=touching(f"/{n}"))
        for n in range(1, MOST_LIGHT + 1)
    ]
    assert plan([light(20, 10, on="/20"), job(21, 20)], away).start == [20, 21]


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
