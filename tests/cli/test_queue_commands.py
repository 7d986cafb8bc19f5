"""`ferry queue …` and `ferry engine …` against an engine in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cli_engine import FakeEngine, error_row, failed, question, running
from msgspec.structs import replace

from tui.cli.events import ENGINE, JOB, SHOWN
from tui.model.error import AlreadyExists
from tui.model.fidelity import Loss, Lost, Trait
from tui.model.job import Conflict, JobKind, JobState, Progress, Request
from tui.model.location import Location
from tui.model.misfit import Misfit, Misfits, Names, Unfit

if TYPE_CHECKING:
    from cli_run import Run


def test_the_list_is_a_table_of_visible_text(ferry: Run, engine: FakeEngine) -> None:
    progress = Progress(1200, 30000, 5 << 20, 3 << 30, counting=True, errors=2)
    engine.add(JobState.RUNNING, progress=progress, source_count=3)
    engine.add(JobState.DONE, kind="delete", first_source=Location("/x/\x1b[31m\n"), target=None)
    engine.add(JobState.PAUSED, target=Location("/to/new"), into=False)
    result = ferry("queue")
    assert (result.status, result.err) == (0, "")
    assert result.out == (
        "ID  STATE    KIND    FILES          BYTES             ERRORS  WHAT\n"
        "1   running  copy    1,200/30,000+  5.0 MiB/3.0 GiB+  2       /from/file 1 and 2 more → /to/\n"
        "2   done     delete  0/0            0 B/0 B           0       /x/␛[31m␊\n"
        "3   paused   copy    0/0            0 B/0 B           0       /from/file 3 → /to/new\n"
    )


def test_an_empty_queue_prints_nothing(ferry: Run) -> None:
    assert ferry("queue") == ferry("queue", "--json")
    assert ferry("queue").out == ""


def test_what_was_wrong_with_the_queue_is_told_with_it(ferry: Run, engine: FakeEngine) -> None:
    engine.trouble = "the queue's journal was damaged"
    assert ferry("queue").err == "ferry: the queue's journal was damaged\n"


def test_json_is_one_job_a_line(ferry: Run, engine: FakeEngine) -> None:
    engine.add()
    engine.add(JobState.DONE, first_source=Location("/\udcff"))
    jobs = [json.loads(line) for line in ferry("queue", "--json").out.splitlines()]
    assert [(job["id"], job["state"]) for job in jobs] == [(1, "queued"), (2, "done")]
    assert (jobs[1]["source"], jobs[1]["source_url"]) == ("/\ufffd", "file:///%FF")


def test_json_has_the_keys_that_are_written_down(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "--detach", "/etc/hostname", "/tmp/")
    assert set(json.loads(ferry("queue", "--json").out)) == set(JOB.split())
    assert set(json.loads(ferry("queue", "show", "1", "--json").out)) == {*JOB.split(), *SHOWN.split()}
    for word in ("status", "start"):
        assert set(json.loads(ferry("engine", word, "--json").out)) == set(ENGINE.split())


def test_json_tells_what_is_done_with_names(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.WAITING, names=Names.ASK, misfits=3)
    job = json.loads(ferry("queue", "--json").out)
    assert (job["names"], job["misfits"]) == ("ask", 3)


@pytest.mark.parametrize("word", ["pause", "resume", "cancel", "retry", "start", "remove"])
def test_each_id_is_acted_on(ferry: Run, engine: FakeEngine, word: str) -> None:
    engine.add()
    engine.add()
    assert ferry("queue", word, "2", "1").status == 0
    assert engine.calls == [(word, [2]), (word, [1]), ("close",)]


@pytest.mark.parametrize("word", ["pause", "resume", "cancel", "retry", "remove"])
def test_all_means_all_to_which_it_applies(ferry: Run, engine: FakeEngine, word: str) -> None:
    assert ferry("queue", word, "--all").status == 0
    assert engine.calls == [(word, None), ("close",)]


def test_start_and_top_of_all_take_those_that_have_not_begun(ferry: Run, engine: FakeEngine) -> None:
    for state in (JobState.RUNNING, JobState.QUEUED, JobState.DONE, JobState.PAUSED):
        engine.add(state)
    ferry("queue", "start", "--all")
    ferry("queue", "top", "--all")
    assert engine.calls == [("start", [2, 4]), ("close",), ("reorder", [2, 4], "top"), ("close",)]


def test_top_keeps_the_order_given(ferry: Run, engine: FakeEngine) -> None:
    for _ in range(3):
        engine.add()
    ferry("queue", "top", "3", "1")
    assert engine.calls[0] == ("reorder", [3, 1], "top")


def test_one_id_that_is_wrong_does_not_hold_up_the_others(ferry: Run, engine: FakeEngine) -> None:
    engine.add()
    engine.add(JobState.DONE)
    result = ferry("queue", "pause", "9", "2", "1")
    assert result.status == 1
    assert result.err.splitlines() == [
        "ferry: there is no job 9. `ferry queue` lists the jobs there are.",
        "ferry: job 2 is done",
    ]
    assert ("pause", [1]) in engine.calls


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause",), "ferry queue pause needs the ids of jobs, or --all"),
        (("pause", "1", "--all"), "takes either ids or --all, not both"),
        (("pause", "one"), "'one' is not the id of a job"),
        (("pause", "-1"), "there is no option -1"),
        (("puase", "1"), "there is no command ferry queue puase. Did you mean pause?"),
        (("show",), "Write it as: ferry queue show ID"),
        (("show", "1", "2"), "cannot do anything with '2'"),
        (("limit", "quick"), "'quick' is not a rate"),
        (("limit", "9" * 400), "no disk is as fast as that rate"),
        (("show", "9" * 5000), "is not the id of a job"),
        (("answer", "1", "skipp"), "Did you mean skip?"),
        (("--jsn",), "Did you mean --json?"),
    ],
)
def test_a_wrong_line_is_refused(ferry: Run, engine: FakeEngine, words: tuple[str, ...], said: str) -> None:
    result = ferry("queue", *words)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert not engine.calls


def test_show_tells_everything_of_a_job(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "--detach", "/etc/hostname", "/usr/", "/tmp")
    result = ferry("queue", "show", "1")
    assert result.status == 0
    assert result.out == (
        "job        1\n"
        "kind       copy\n"
        "state      queued\n"
        "source     /etc/hostname\n"
        "source     /usr\n"
        "into       /tmp\n"
        "conflicts  fail\n"
        "names      keep\n"
        "priority   3\n"
        "limit      off\n"
        "files      0 of 0\n"
        "bytes      0 B of 0 B\n"
        "on disk    0 B of 0 B written\n"
        "sync       job\n"
        "stage      tree\n"
        "queued     2027-01-15 08:00:00\n"
    )
    told = json.loads(ferry("queue", "show", "1", "--json").out)
    assert told["source_urls"] == ["file:///etc/hostname", "file:///usr"]
    assert (told["sync"], told["stage"], told["bytes_flushed"]) == ("job", "tree", 0)


def test_show_tells_what_was_verified_so_far(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "--detach", "--verify", "/etc/hostname", "/tmp")
    progress = Progress(3, 9, 2048, 4096, files_verified=2, bytes_verified=1024, verifying=True)
    engine.jobs[1] = replace(engine.jobs[1], progress=progress)
    assert "verified   2 files, 1.0 KiB, verifying\n" in ferry("queue", "show", "1").out
    told = json.loads(ferry("queue", "show", "1", "--json").out)
    assert (told["verify"], told["verifying"], told["files_verified"]) == (True, True, 2)


def test_show_errors_lists_every_one(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.FAILED)
    engine.fail(1, *(error_row(1, number) for number in range(1, 2502)))
    lines = ferry("queue", "show", "1", "--errors").out.splitlines()
    assert len(lines) == 2501
    assert lines[0] == "cannot write /to/file 1: taken. Look at it."
    assert json.loads(ferry("queue", "show", "1", "--errors", "--json").out.splitlines()[0])["url"] == (
        "file:///to/file%201"
    )


def test_show_of_no_job_is_status_1(ferry: Run) -> None:
    result = ferry("queue", "show", "5")
    assert (result.status, result.out) == (1, "")
    assert "there is no job 5" in result.err


def test_wait_ends_as_the_jobs_did(ferry: Run, engine: FakeEngine) -> None:
    for _ in range(2):
        engine.requests[engine.add().id] = None  # type: ignore[assignment]
    engine.plan = [running(), failed(1)]
    engine.fail(2, error_row(2, 1))
    result = ferry("queue", "wait")
    assert result.status == 3
    assert [line.partition(":")[0] for line in result.out.splitlines()] == ["1", "2"]


def test_wait_for_ended_jobs_returns_at_once(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.DONE, started_at=1.0, ended_at=2.0)
    assert ferry("queue", "wait", "1").status == 0
    assert ferry("queue", "wait").out == ""
    assert ferry("queue", "wait", "7").status == 1


def test_limit_is_for_all_or_for_some(ferry: Run, engine: FakeEngine) -> None:
    ferry("queue", "limit", "50MB/s")
    ferry("queue", "limit", "off", "3")
    assert [call for call in engine.calls if call[0] == "limit"] == [
        ("limit", 50_000_000, None),
        ("limit", None, [3]),
    ]


def test_answer_takes_the_oldest_question(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.WAITING)
    engine.questions = [question(1, 4), question(1, 5), question(1, 6)]
    assert ferry("queue", "answer", "1", "skip").status == 0
    assert ferry("queue", "answer", "1", "rename", "--all").status == 0
    assert [call for call in engine.calls if call[0] == "answer"] == [
        ("answer", 4, Conflict.SKIP, False),
        ("answer", 5, Conflict.RENAME, True),
    ]
    result = ferry("queue", "answer", "1", "skip")
    assert (result.status, result.err) == (1, "ferry: job 1 has no open question\n")


def test_an_engine_out_of_reach_is_status_4(ferry: Run, engine: FakeEngine) -> None:
    engine.unreachable = True
    assert ferry("queue").status == 4


def test_a_queue_of_this_process_says_why_it_is_no_other(ferry: Run, engine: FakeEngine) -> None:
    engine.notice = "Jobs run inside this Ferry"
    assert ferry("queue").err == "ferry: Jobs run inside this Ferry\n"


def test_engine_status_says_whether_it_runs(ferry: Run, engine: FakeEngine) -> None:
    result = ferry("engine", "status")
    assert (result.status, result.err) == (0, "")
    assert result.out == (
        "running: process 4242, version 0.1.0, since 2027-01-15 08:00:00, 2 slots, limit off\n"
    )
    assert json.loads(ferry("engine", "status", "--json").out)["pid"] == 4242
    assert ferry("engine", "stop").out == "stopped\n"
    assert ferry("engine", "stop") == ferry("engine", "stop")
    assert ferry("engine", "status").status == 4
    assert ferry("engine", "status").out == "not running\n"
    assert json.loads(ferry("engine", "status", "--json").out) == {"running": False}


def test_engine_start_fails_where_only_this_process_could_work(ferry: Run, engine: FakeEngine) -> None:
    assert ferry("engine", "start").status == 0
    engine.in_process, engine.notice = True, "the folder of the socket cannot be made"
    result = ferry("engine", "start")
    assert (result.status, result.out) == (4, "")
    assert "the folder of the socket cannot be made" in result.err


def test_restore_tells_what_is_on_the_list_again(ferry: Run, engine: FakeEngine) -> None:
    for _ in range(2):
        engine.add(JobState.DONE)
    result = ferry("queue", "restore")
    assert (result.status, result.out, result.err) == (0, "", "ferry: brought back: jobs 1, 2\n")
    assert engine.calls == [("restore",), ("close",)]


def test_undo_waits_and_says_what_came_back(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.DONE, kind="move", reversible=True)
    result = ferry("queue", "undo", "1")
    assert (result.status, result.out, result.err) == (0, "brought back 2 entries, 3.0 MiB in 2.0 s\n", "")
    assert engine.calls == [("undo", 1), ("close",)]


def test_undo_exits_as_its_job_ended(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.DONE, kind="move", reversible=True)
    engine.plan = [failed(1)]
    engine.fail(2, error_row(2, 1, AlreadyExists))
    result = ferry("queue", "undo", "1")
    assert result.status == 1
    assert "cannot write /to/file 1: taken" in result.err


def test_undo_that_is_refused_says_why_and_does_not_hold_up_the_others(
    ferry: Run, engine: FakeEngine
) -> None:
    engine.add(JobState.DONE, kind="move")
    engine.add(JobState.DONE, kind="trash", reversible=True)
    result = ferry("queue", "undo", "1", "2")
    assert result.status == 1
    assert result.err == "ferry: cannot undo job 1: /to/file 1 is not there any more\n"
    assert result.out.startswith("brought back")


def test_undo_can_be_left_to_itself(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.DONE, kind="move", reversible=True)
    engine.plan = [running()]
    result = ferry("queue", "undo", "--detach", "1")
    assert (result.status, result.out) == (0, "2\n")


def test_undo_tells_programs_what_it_does(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.DONE, kind="move", reversible=True)
    told = [json.loads(line) for line in ferry("queue", "undo", "--json", "1").out.splitlines()]
    assert told[0]["event"] == "submitted"
    assert (told[-1]["event"], told[-1]["job"], told[-1]["exit"]) == ("summary", 2, 0)


def test_what_undoes_and_was_undone_is_told(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.DONE, kind="move", undone_by=2)
    engine.add(JobState.DONE, kind="rename", undoes=1, reversible=True)
    ferry("copy", "--detach", "/etc/hostname", "/tmp")
    engine.requests.update(dict.fromkeys((1, 2), engine.requests[3]))
    assert "undone by  job 2\n" in ferry("queue", "show", "1").out
    assert "undoes     job 1\n" in ferry("queue", "show", "2").out
    listed = [json.loads(line) for line in ferry("queue", "--json").out.splitlines()]
    assert [(each["undoes"], each["undone_by"], each["reversible"]) for each in listed[:2]] == [
        (None, 2, False),
        (1, None, True),
    ]
    assert "2   done    undo" in ferry("queue").out


def test_a_job_shows_its_loss_report_and_what_it_was_to_keep(ferry: Run, engine: FakeEngine) -> None:
    job = engine.add(JobState.DONE)
    engine.requests[1] = Request(
        kind=JobKind.COPY, sources=(job.first_source,), target=job.target, preserve=frozenset({Trait.TIMES})
    )
    engine.losses = {1: (Lost(Loss.TIMES, 3, (Location("/to/a\x1b"), Location("/to/b"))),)}
    lines = ferry("queue", "show", "1").out.splitlines()
    assert "preserves  times" in lines
    start = lines.index("not kept   exact times of 3 entries")
    assert [line.strip() for line in lines[start + 1 : start + 4]] == ["/to/a␛", "/to/b", "… and 1 more"]
    told = json.loads(ferry("queue", "show", "1", "--json").out)
    assert told["preserve"] == ["times"]
    assert told["losses"] == [
        {
            "loss": "times",
            "count": 3,
            "paths": ["/to/a\x1b", "/to/b"],
            "urls": ["file:///to/a%1B", "file:///to/b"],
        }
    ]


@pytest.mark.parametrize("rule", Conflict)
def test_rule_changes_what_a_failed_job_does_when_it_is_retried(
    ferry: Run, engine: FakeEngine, rule: Conflict
) -> None:
    engine.add(state=JobState.FAILED)
    assert ferry("queue", "rule", "1", rule).status == 0
    assert ("set_conflict", [1], rule) in engine.calls


def test_a_rule_there_is_none_of_is_refused_with_the_nearest_one(ferry: Run, engine: FakeEngine) -> None:
    result = ferry("queue", "rule", "1", "newest")
    assert (result.status, engine.calls) == (2, [])
    assert "'newest' is not a conflict rule" in result.err
    assert "newer" in result.err


def test_names_says_what_a_waiting_job_does(ferry: Run, engine: FakeEngine) -> None:
    engine.add(state=JobState.WAITING, misfits=1)
    assert ferry("queue", "names", "1", "skip").status == 0
    assert ("set_names", [1], Names.SKIP) in engine.calls


@pytest.mark.parametrize("how", ["ask", "lookalik"])
def test_names_takes_only_what_can_be_done(ferry: Run, how: str) -> None:
    result = ferry("queue", "names", "1", how)
    assert (result.status, "is not what can be done with names" in result.err) == (2, True)


def test_show_lists_what_does_not_fit(ferry: Run, engine: FakeEngine) -> None:
    job = engine.add(state=JobState.WAITING, misfits=1)
    engine.requests[job.id] = Request(kind=JobKind.COPY, sources=(job.first_source,), target=job.target)
    misfit = Misfit(Location("/from/a:b"), Unfit.NAME, "it takes no ':' in names", "a：b")
    engine.misfits[1] = Misfits(names=1, first=(misfit,))
    out = ferry("queue", "show", "1").out
    assert "does not fit  1 name\n" in out
    assert "/from/a:b: it takes no ':' in names (lookalike: a：b)\n" in out
    told = json.loads(ferry("queue", "show", "1", "--json").out)
    assert [each["source_url"] for each in told["misfits"]] == ["file:///from/a:b"]
