"""What is shown of a job that removes, while it finds out what an earlier go has done."""

from __future__ import annotations

from tui.engine.tally import Tally


def shown(tally: Tally) -> tuple[int, int]:
    """Return files that are done, and files in all."""
    return tally.files_shown, tally.total_shown[0]


def stopped() -> Tally:
    """Return the tally of a job stopped when it had removed a source of 10 files, 5 of another's 10, and knew all."""
    return Tally(files_done=15, bytes_done=150, files_total=30, bytes_total=300)


def test_what_is_gone_is_shown_all_the_time_and_counted_once() -> None:
    tally = stopped()
    tally.begin(removes=True)
    assert shown(tally) == (15, 30)
    tally.found_gone(10, 100)
    assert shown(tally) == (15, 30)
    tally.files_total = 10 + 15
    assert shown(tally) == (15, 30)
    tally.files_done += 15
    tally.end()
    assert (tally.files_done, tally.files_total) == (30, 30)


def test_a_go_that_is_stopped_at_once_changes_nothing() -> None:
    tally = stopped()
    for _ in range(3):
        tally.begin(removes=True)
        tally.found_gone(10, 100)
        assert shown(tally) == (15, 30)
    assert (tally.bytes_shown, tally.total_shown[1]) == (150, 300)


def test_a_source_the_tally_was_not_told_of_before_a_kill_counts() -> None:
    tally = Tally(files_done=2, files_total=2)
    tally.begin(removes=True)
    tally.found_gone(10, 100)
    assert tally.files_shown == 10


def test_a_walk_that_finds_everything_again_counts_it_anew() -> None:
    tally = stopped()
    tally.begin()
    tally.files_done = 12
    assert shown(tally) == (15, 30)
    tally.end()
    assert tally.files_shown == 12


def test_what_was_removed_and_not_noted_before_a_kill_counts_where_all_was_known() -> None:
    tally = stopped()
    tally.begin(removes=True)
    tally.found_gone(10, 100)
    tally.files_total, tally.bytes_total = 10 + 12, 220
    tally.files_done += 12
    tally.bytes_done += 120
    tally.end()
    assert (tally.files_done, tally.bytes_done) == (30, 300)
    assert (tally.files_total, tally.bytes_total) == (30, 300)


def test_what_is_met_again_is_counted_once() -> None:
    tally = stopped()
    tally.begin(removes=True)
    tally.met_again(4, 40)
    tally.files_done, tally.files_total = 19, 19
    assert shown(tally) == (30, 30)
    tally.end()
    assert (tally.files_done, tally.files_total) == (30, 30)
