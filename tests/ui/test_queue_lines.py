"""What stands in the lines of the queue, at any width."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.model.job import Conflict, EngineStatus, Job, JobKind, JobState, Progress, Update
from tui.model.location import Location
from tui.ui.queue_feed import QueueState
from tui.ui.terminal.cells import cells
from tui.ui.widgets.job_line import (
    Columns,
    bar,
    first_line,
    fraction,
    needs_two,
    outcome,
    percent,
    second_line,
)
from tui.ui.widgets.queue_lines import changed_spans, named_blocker
from tui.ui.widgets.queue_totals import totals_line
from tui.ui.widgets.rate_graph import RateGraph

WIDTHS = (60, 80, 99, 100, 109, 110, 120, 139, 140, 169, 170, 200)


def job(**changes: object) -> Job:
    made = Job(
        id=1,
        kind=JobKind.COPY,
        state=JobState.RUNNING,
        first_source=Location.local("/home/ann/photos"),
        source_count=1235,
        target=Location.local("/mnt/backup"),
        into=True,
        conflict=Conflict.ASK,
        priority=3,
        limit_bytes_s=None,
        position=1,
        created_at=0.0,
        revision=1,
        progress=Progress(
            files_done=12,
            files_total=5678,
            bytes_done=500,
            bytes_total=1000,
            current=Location.local("/home/ann/photos/x.jpg"),
            rate_bytes_s=1e6,
            time_left_s=42,
        ),
    )
    return replace(made, **changes)


def text(line) -> str:
    return "".join(piece.text for piece in line)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", list(JobState))
def test_a_line_never_gets_wider_than_the_pane(width, state):
    columns = Columns.for_width(width)
    for name in ("photos", "日本語" * 40, "x" * 255, "a\x1b[31m\n", "\udcff"):
        shown = job(
            state=state, first_source=Location.local("/").child(name), note="waits for another job " * 9
        )
        for line in (first_line(shown, columns, True), second_line(shown, columns)):
            assert cells(text(line)) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_keep_their_place_while_they_change(width):
    columns = Columns.for_width(width)
    start = job(progress=replace(job().progress, bytes_done=1, rate_bytes_s=3, time_left_s=None))
    late = job(progress=replace(job().progress, bytes_done=10**9, bytes_total=10**12, rate_bytes_s=9e8))
    assert cells(text(first_line(start, columns, False))) == cells(text(first_line(late, columns, False)))
    assert text(first_line(start, columns, False)).index("%") == text(first_line(late, columns, False)).index(
        "%"
    )


def test_every_state_has_a_sign_and_a_word_of_its_own():
    heads = {text(first_line(job(state=state), Columns.for_width(120), False))[:14] for state in JobState}
    assert len(heads) == len(JobState)
    assert all(state.value in "".join(heads) for state in JobState)


def test_a_line_says_what_goes_where_and_how_fast():
    line = text(first_line(job(), Columns.for_width(200), False))
    for part in (
        "copy",
        "photos + 1,234 more → /mnt/backup/",
        "50%",
        "12/5,678",
        "500 B/1000 B",
        "977 KiB/s",
        "0:42",
    ):
        assert part in line


def test_a_total_that_still_grows_is_told_as_such():
    counting = job(progress=replace(job().progress, counting=True))
    line = text(first_line(counting, Columns.for_width(200), False))
    assert "5,678+" in line
    assert "counting" in line
    assert "%" not in line
    assert "█" not in line


def test_a_narrow_screen_says_the_rest_in_a_second_line():
    line = text(second_line(job(), Columns.for_width(80)))
    assert "12/5,678 files" in line
    assert "500 B/1000 B" in line
    assert "photos/x.jpg" in line
    assert "█" in line


def test_errors_and_questions_are_told():
    troubled = job(progress=replace(job().progress, errors=3, questions=1))
    line = text(second_line(troubled, Columns.for_width(80)))
    assert "3 errors" in line
    assert "1 question waits: press a" in line


@pytest.mark.parametrize("width", [40, 50, 59])
@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.WAITING])
def test_the_key_that_answers_is_told_on_the_narrowest_screen(width, state):
    troubled = job(state=state, progress=replace(job().progress, questions=1234))
    assert "1,234 questions wait: press a" in text(second_line(troubled, Columns.for_width(width)))


@pytest.mark.parametrize("width", range(40, 100))
def test_no_remark_is_cut_to_a_crumb(width):
    troubled = job(progress=replace(job().progress, questions=3, errors=2))
    last = text(second_line(troubled, Columns.for_width(width))).rpartition(" · ")[2]
    assert last.strip()
    assert not last.endswith("…") or cells(last) >= 8


def test_why_a_job_waits_stands_before_its_numbers():
    waiting = job(state=JobState.WAITING, note="7 GiB wanted, 5 GiB free")
    line = text(second_line(waiting, Columns.for_width(80)))
    assert line.index("7 GiB wanted, 5 GiB free") < line.index("12/5,678")


def test_a_job_waits_for_another_by_its_name():
    state = state_of(job(), job(id=12, first_source=Location.local("/home/ann/tiles"), source_count=1))
    queued = job(id=13, state=JobState.QUEUED, note="waits for job 12 on the same disk")
    assert named_blocker(queued, state).note == "waits for copy tiles on the same disk"
    queued = replace(queued, note="waits for job 12 on the same host")
    assert named_blocker(queued, state).note == "waits for copy tiles on the same host"
    for note in ("waits for job 99 on the same disk", "waits for its turn", ""):
        assert named_blocker(replace(queued, note=note), state).note == note


def test_what_took_no_second_is_told_as_that():
    ended = job(state=JobState.DONE, progress=Progress(9, 9), started_at=4.0, ended_at=4.3)
    assert outcome(ended, 60) == "9 files · <1 s"


def test_a_large_file_that_is_read_back_is_told():
    verifying = job(progress=replace(job().progress, verifying=True, bytes_verified=5 << 20))
    assert "verifying, 5.0 MiB so far · photos/x.jpg" in text(second_line(verifying, Columns.for_width(100)))
    ended = job(state=JobState.DONE, progress=Progress(9, 9, files_verified=9))
    assert outcome(ended, 60) == "9 files · 9 verified"


def test_percent_reaches_a_hundred_only_at_the_end():
    almost = job(progress=Progress(files_done=1, files_total=1, bytes_done=10, bytes_total=10))
    assert percent(almost) == " 99%"
    assert percent(replace(almost, state=JobState.DONE)) == "100%"


def test_a_deletion_is_measured_by_files():
    deleting = job(kind=JobKind.DELETE, progress=Progress(1, 4, bytes_done=0, bytes_total=10**6))
    assert fraction(deleting) == 0.25


def test_an_ended_job_says_how_it_ended_in_what_room_there_is():
    ended = job(
        state=JobState.FAILED, started_at=0.0, ended_at=75.0, progress=Progress(9, 12, 10**6, 10**7, errors=3)
    )
    assert outcome(ended, 60) == "3 errors · 9 of 12 files · 977 KiB · 1:15"
    assert outcome(ended, 30) == "3 errors · 9 of 12 files"


def test_a_running_job_keeps_its_second_line_and_an_ended_one_has_none():
    wide = Columns.for_width(200)
    assert needs_two(job(progress=Progress()), wide)
    assert not needs_two(job(state=JobState.PAUSED), wide)
    assert needs_two(job(state=JobState.PAUSED), Columns.for_width(80))
    assert not needs_two(job(state=JobState.DONE), wide)


@pytest.mark.parametrize(
    ("share", "filled"),
    [(0, ""), (0.01, ""), (0.125, "█"), (0.5, "████"), (0.51, "████"), (0.52, "████▏"), (1, "█" * 8)],
)
def test_a_bar_is_drawn_to_an_eighth_of_a_cell(share, filled):
    assert bar(share, 8) == (filled, " " * (8 - len(filled)))


def test_the_graph_keeps_the_height_of_what_is_past():
    graph = RateGraph()
    for second in range(57):
        graph.add(100 if second % 6 < 3 else 50)
    before = graph.draw(20)
    graph.add(100)
    graph.add(100)
    assert graph.draw(20)[:-1] == before[1:] or graph.draw(20) == before[1:] + graph.draw(20)[-1]
    assert set(before.strip()) == {"█", "▄"}


def test_a_graph_of_nothing_is_empty():
    graph = RateGraph()
    graph.add(0)
    assert graph.is_flat
    assert graph.draw(10) == " " * 10


def state_of(*jobs: Job, **status: object) -> QueueState:
    engine = EngineStatus(1, "0", 1, 0.0, None, 2, 5e6)
    state = QueueState()
    state.fold(Update(1, jobs, (), replace(engine, **status), full=True))
    return state


@pytest.mark.parametrize("width", (40, *WIDTHS))
def test_the_totals_fill_the_line_and_always_tell_the_rate(width):
    jobs = [job(id=number, state=state) for number, state in enumerate(JobState, 1)]
    line = text(totals_line(state_of(*jobs), RateGraph(), "3/7", width))
    assert cells(line) <= width
    assert "1 running" in line
    if width >= 60:
        assert "4.8 MiB/s" in line


def test_a_wide_line_of_totals_tells_all():
    line = text(totals_line(state_of(job(), limit_bytes_s=20_000_000), RateGraph(), "", 160))
    for part in ("1 running", "limit 20MB/s", "2 at once", "engine connected"):
        assert part in line


def test_the_totals_tell_what_is_left_of_all_jobs_that_go_on_by_themselves():
    running = job(progress=Progress(1, 4, 1 << 20, 6 << 20, time_left_s=42.0))
    queued = job(id=2, state=JobState.QUEUED, progress=Progress(0, 4, 0, 5 << 20))
    paused = job(id=3, state=JobState.PAUSED, progress=Progress(0, 4, 0, 90 << 20))
    waiting = job(id=4, state=JobState.WAITING, progress=Progress(0, 4, 0, 90 << 20))
    line = text(totals_line(state_of(running, queued, paused, waiting), RateGraph(), "", 100))
    assert "10.0 MiB left" in line
    assert "  0:02" in line  # at 5 MB/s
    line = text(totals_line(state_of(running, paused, waiting), RateGraph(), "", 100))
    assert "  0:42" in line  # as the only job's own line


def test_a_narrow_line_has_room_for_what_a_job_that_waits_for_room_needs():
    note = "needs 57.2 MiB, 19.4 MiB free on /media/ann/stick/x: free space and resume"
    waiting = job(state=JobState.WAITING, note=note, progress=Progress(0, 1, 0, 57 << 20))
    said = text(second_line(waiting, Columns.for_width(80)))
    assert "make room, press p · needs 57.2 MiB, 19.4 MiB free on /media/ann/stick/x" in said


def test_what_is_left_is_told_without_a_time_while_a_job_is_not_counted():
    running = job(progress=Progress(1, 4, 1 << 20, 6 << 20, time_left_s=42.0))
    for progress in (Progress(), Progress(0, 9, 0, 1 << 20, counting=True)):
        uncounted = job(id=2, state=JobState.QUEUED, progress=progress)
        line = text(totals_line(state_of(running, uncounted), RateGraph(), "", 100))
        assert "MiB+ left" in line
        assert "0:" not in line


def test_what_moves_no_bytes_leaves_no_bytes_to_move():
    deleting = job(kind=JobKind.DELETE, progress=Progress(1, 4, 0, 6 << 20))
    assert "left" not in text(totals_line(state_of(deleting), RateGraph(), "", 100))


@pytest.mark.parametrize(
    ("state", "words"),
    [(QueueState(), "engine starting"), (state_of(in_process=True), "engine in this process")],
)
def test_the_totals_tell_how_the_engine_is(state, words):
    assert words in text(totals_line(state, RateGraph(), "", 80))


def test_only_cells_that_changed_are_painted():
    plain, bold = Style(), Style(bold=True)
    old = Strip([Segment("running 41% and a long tail 0:42", plain)])
    new = Strip([Segment("running 42% and a long tail 0:41", plain)])
    assert changed_spans(old, new) == [(9, 1), (31, 1)]
    assert changed_spans(old, old) == []
    assert changed_spans(Strip([Segment("abc", plain)]), Strip([Segment("abc", bold)])) == [(0, 3)]
    assert changed_spans(Strip([Segment("日x", plain)]), Strip([Segment("本x", plain)])) == [(0, 2)]


def test_forty_columns_hold_name_share_rate_and_time():
    columns = Columns.for_width(40)
    shown = job(progress=Progress(1, 4, 500, 1000, rate_bytes_s=50e6, time_left_s=28.0))
    assert text(first_line(shown, columns, False)).endswith(" 50% 47.7 MiB/s")
    assert "phot" in text(first_line(shown, columns, False))
    assert "0:28" in text(second_line(shown, columns))
    ended = job(state=JobState.DONE, progress=Progress(4, 4, 1000, 1000), source_count=1)
    assert "photos → " in text(first_line(ended, columns, False))
    assert text(first_line(ended, columns, False)).endswith("4 files · 1000 B")


def test_bytes_of_a_file_that_was_not_finished_are_not_told_at_the_end():
    cancelled = job(state=JobState.CANCELLED, progress=Progress(0, 4, 500, 1000))
    assert "500" not in text(first_line(cancelled, Columns.for_width(120), False))


BOX = Location("/srv/photos", "sftp", "ann@box.example")


def told(**changes: object) -> str:
    """The first line of a job of one entry, blanks joined."""
    line = first_line(job(source_count=1, **changes), Columns.for_width(120), marked=False)
    return " ".join("".join(piece.text for piece in line).split())


def test_what_comes_from_another_host_says_from_which_where_there_is_room():
    assert "box.example:photos → /mnt/backup/" in told(first_source=BOX)
    narrow = first_line(job(source_count=1, first_source=BOX), Columns.for_width(60), marked=False)
    assert "box.example:" not in "".join(piece.text for piece in narrow)


def test_a_far_target_keeps_its_host_and_loses_its_path_from_the_start():
    deep = BOX.below("2024/summer/very/long/indeed/with/a/name")
    line = told(target=deep)
    assert "photos → " in line
    assert "box.example…" in line
    assert "a/name/" in line


def test_a_job_that_waits_for_a_host_says_how_to_answer_and_nothing_twice():
    waiting = job(state=JobState.WAITING, wants_host=True, note="waits until somebody answers")
    line = "".join(piece.text for piece in second_line(waiting, Columns.for_width(110)))
    assert "waits for an answer: press a" in line
    assert "somebody" not in line


def test_a_name_has_room_on_a_narrow_screen_before_the_word_for_the_state():
    line = text(first_line(job(), Columns.for_width(64), marked=False))
    assert "photos… → /mnt/backup/" in line
    assert "copy" in line
    assert "running" not in line
    assert "running" in text(first_line(job(), Columns.for_width(76), marked=False))


def test_one_ellipsis_says_that_something_is_missing():
    many = job(source_count=3, first_source=Location.local("/home/ann/photographs"))
    line = text(first_line(many, Columns.for_width(40), marked=False))
    assert "……" not in line
    assert "… → " in line


def test_what_a_job_waits_for_comes_before_where_that_is():
    waiting = job(state=JobState.QUEUED, progress=Progress(), note="waits for big1.bin on the same disk")
    assert "waits for big1.bin " in text(first_line(waiting, Columns.for_width(80), marked=False)) + " "
    assert "waits for big1.bin on the same disk" in text(
        first_line(waiting, Columns.for_width(160), marked=False)
    )
