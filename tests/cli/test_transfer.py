"""`ferry copy`, `move`, `delete`: requests, results, exit statuses; golden where scripts may read them."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from cli_engine import (
    FakeEngine,
    at_the_door,
    done,
    error_row,
    failed,
    paused,
    question,
    running,
    short_of_room,
)
from msgspec.structs import replace

from tui.cli import rehearsal
from tui.cli.events import EVENTS, MISFIT, REHEARSAL
from tui.model.error import NotFound, PermissionDenied
from tui.model.fidelity import Loss, Lost, Trait
from tui.model.job import Conflict, Job, JobKind, JobState, Request
from tui.model.location import Location
from tui.model.misfit import Names
from tui.places.local.name_rules import WINDOWS

if TYPE_CHECKING:
    from pathlib import Path

    from cli_run import Run

    from tui.model.job import Job


def submitted(engine: FakeEngine) -> Request:
    """Return the one request that was queued."""
    (request,) = engine.requests.values()
    return request


def configure(here: Path, text: str) -> None:
    file = here.parent / "home" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def objects(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    (here / "a").write_bytes(b"one")
    (here / "b").write_bytes(b"two")
    (here / "folder").mkdir()
    (here / "folder" / "inner").write_bytes(b"three")


def test_a_copy_that_is_done_says_so_in_one_line(ferry: Run) -> None:
    result = ferry("copy", "a", "c")
    assert (result.status, result.err) == (0, "")
    assert result.out == "copied 2 files, 3.0 MiB in 2.0 s (1.5 MiB/s)\n"


def test_one_source_takes_the_name_of_the_destination(ferry: Run, engine: FakeEngine, here: Path) -> None:
    ferry("copy", "a", "c")
    request = submitted(engine)
    assert request.kind is JobKind.COPY
    assert request.sources == (Location(f"{here}/a"),)
    assert (request.target, request.into) == (Location(f"{here}/c"), False)


def test_sources_go_into_a_folder_that_stands(ferry: Run, engine: FakeEngine, here: Path) -> None:
    ferry("move", "a", "b", "folder")
    request = submitted(engine)
    assert request.kind is JobKind.MOVE
    assert request.sources == (Location(f"{here}/a"), Location(f"{here}/b"))
    assert (request.target, request.into) == (Location(f"{here}/folder"), True)


def test_a_slash_at_the_end_has_the_folder_made(ferry: Run, engine: FakeEngine, here: Path) -> None:
    assert ferry("copy", "a", "new/deep/").status == 0
    assert (here / "new" / "deep").is_dir()
    assert submitted(engine).into


def test_a_slash_behind_a_file_is_refused(ferry: Run) -> None:
    result = ferry("copy", "a", "b/")
    assert result.status == 2
    assert "b is not a folder" in result.err


def test_several_sources_need_a_folder(ferry: Run, engine: FakeEngine, here: Path) -> None:
    result = ferry("copy", "a", "b", "c")
    assert result.status == 2
    assert result.err == (
        f"ferry: {here}/c does not exist, and several sources need a folder to go into. "
        "End it in / to have it made as a folder.\n"
    )
    assert not engine.requests


def test_a_slash_behind_a_source_changes_nothing(ferry: Run, engine: FakeEngine, here: Path) -> None:
    ferry("copy", "folder/", "new/")
    assert submitted(engine).sources == (Location(f"{here}/folder"),)


def test_a_destination_to_be_made_may_lie_as_deep_as_a_path_reaches(
    ferry: Run, here: Path, engine: FakeEngine
) -> None:
    (here / "a").touch()
    deep = "x/" * 1500
    try:
        assert ferry("copy", "a", deep).status == 0
        assert os.path.isdir(deep)
    finally:
        subprocess.run(["rm", "-rf", here / "x"], check=True)  # shutil's stack is not as deep


def test_names_with_dashes_newlines_and_stray_bytes_go_through(
    ferry: Run, engine: FakeEngine, here: Path
) -> None:
    names = ["-dash", "line\nbreak", "stray\udcff"]
    for name in names:
        (here / name).touch()
    assert ferry("copy", "--", *names, "folder").status == 0
    assert [source.name for source in submitted(engine).sources] == names


def test_a_missing_source_is_a_row_and_the_others_are_copied(
    ferry: Run, engine: FakeEngine, here: Path
) -> None:
    result = ferry("copy", "a", "gone", "folder")
    assert result.status == 1
    assert f"cannot copy {here}/gone: no such file or folder" in result.err
    assert submitted(engine).sources == (Location(f"{here}/a"),)
    assert result.out.startswith("copied ")


def test_nothing_is_queued_where_every_source_is_missing(ferry: Run, engine: FakeEngine) -> None:
    result = ferry("copy", "gone", "lost", "folder")
    assert (result.status, result.out) == (1, "")
    assert len(result.err.splitlines()) == 2
    assert not engine.calls


def test_a_missing_name_never_reaches_the_terminal_raw(ferry: Run) -> None:
    result = ferry("copy", "bad\x1b]0;x\x07\udcfe", "folder")
    assert result.status == 1
    assert "\x1b" not in result.err
    assert "\x07" not in result.err


@pytest.mark.parametrize("words", [("a", "a"), ("a", "./a"), ("a", "."), ("folder/../a", ".")])
def test_a_file_is_not_copied_onto_itself(ferry: Run, engine: FakeEngine, words: tuple[str, str]) -> None:
    result = ferry("copy", *words)
    assert result.status == 1
    assert "are the same file" in result.err
    assert not engine.calls


@pytest.mark.parametrize("word", ["copy", "move"])
def test_a_link_does_not_replace_what_it_leads_to(
    ferry: Run, engine: FakeEngine, here: Path, word: str
) -> None:
    (here / "link").symlink_to("a")
    result = ferry(word, "--on-conflict", "overwrite", "link", "a")
    assert result.status == 1
    assert f"cannot {word} {here}/link over {here}/a: it is a link to it. " in result.err
    assert not engine.calls
    assert ferry(word, "a", "link").status == 0


@pytest.mark.parametrize("target", ["folder", "folder/", "folder/inside", "folder/new/", "link/inside"])
def test_a_folder_is_not_put_into_itself(ferry: Run, engine: FakeEngine, here: Path, target: str) -> None:
    (here / "link").symlink_to("folder")
    result = ferry("move", "folder", target)
    assert result.status == 1
    assert "into itself" in result.err
    assert not engine.calls
    assert not (here / "folder" / "new").exists()


def test_a_neighbour_whose_name_begins_alike_is_not_inside(ferry: Run, engine: FakeEngine) -> None:
    assert ferry("copy", "folder", "folder2").status == 0
    assert submitted(engine).target is not None


def test_a_destination_without_its_folder_is_an_error(ferry: Run, engine: FakeEngine) -> None:
    result = ferry("copy", "a", "no/such/c")
    assert result.status == 1
    assert "there is no folder" in result.err
    assert not engine.calls


def test_two_files_that_would_take_one_name_are_told_apart(
    ferry: Run, engine: FakeEngine, here: Path
) -> None:
    (here / "folder" / "a").touch()
    (here / "to").mkdir()
    result = ferry("copy", "a", "folder/a", "to")
    assert result.status == 1
    assert "takes the same name" in result.err
    assert submitted(engine).sources == (Location(f"{here}/a"),)


def test_a_source_named_twice_is_copied_once(ferry: Run, engine: FakeEngine, here: Path) -> None:
    assert ferry("copy", "a", "./a", "folder").status == 0
    assert submitted(engine).sources == (Location(f"{here}/a"),)


def test_many_sources_are_not_compared_with_one_another(
    ferry: Run, engine: FakeEngine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"source {number}" for number in range(200)]
    for name in names:
        (here / name).touch()
    equal, asked = Location.__eq__, 0

    def counted(one: Location, other: object) -> bool:
        nonlocal asked
        asked += 1
        return equal(one, other)

    monkeypatch.setattr(Location, "__eq__", counted)
    assert ferry("copy", *names, "folder").status == 0
    assert [source.name for source in submitted(engine).sources] == names
    assert asked < 5 * len(names)


def test_parent_of_a_link_is_where_the_link_points(ferry: Run, engine: FakeEngine, here: Path) -> None:
    (here / "folder" / "deep").mkdir()
    (here / "short").symlink_to("folder/deep")
    ferry("copy", "short/../inner", "c")
    assert submitted(engine).sources == (Location(f"{here}/folder/inner"),)


def test_a_broken_link_is_a_source_like_any_other(ferry: Run, engine: FakeEngine, here: Path) -> None:
    (here / "broken").symlink_to("nowhere")
    assert ferry("copy", "broken", "folder").status == 0
    assert submitted(engine).sources == (Location(f"{here}/broken"),)


def test_options_reach_the_request(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "--on-conflict=newer", "--limit", "20MB/s", "a", "--priority", "5", "--paused", "c")
    request = submitted(engine)
    assert (request.conflict, request.limit_bytes_s) == (Conflict.NEWER, 20_000_000)
    assert (request.priority, request.paused) == (5, True)


def test_without_a_terminal_a_conflict_is_an_error(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "a", "c")
    assert submitted(engine).conflict is Conflict.FAIL


@pytest.mark.parametrize("command", ["copy", "move"])
@pytest.mark.parametrize(
    ("configured", "words", "verify"),
    [
        ("false", (), False),
        ("false", ("--verify",), True),
        ("true", (), True),
        ("true", ("--no-verify",), False),
    ],
)
def test_verifying_is_asked_for_or_configured(
    ferry: Run,
    engine: FakeEngine,
    here: Path,
    command: str,
    configured: str,
    words: tuple[str, ...],
    verify: bool,
) -> None:
    configure(here, f"[queue]\nverify = {configured}\n")
    ferry(command, *words, "a", "c")
    assert submitted(engine).verify is verify


def test_what_was_verified_is_in_the_summary(ferry: Run, engine: FakeEngine) -> None:
    def verified(job: Job) -> Job:
        job = done(2, 2048)(job)
        return replace(job, progress=replace(job.progress, files_verified=2, bytes_verified=2048))

    engine.plan = [verified]
    assert ferry("copy", "--verify", "a", "c").out == "copied 2 files, 2.0 KiB in 2.0 s; 2 verified\n"
    told = objects(ferry("copy", "--verify", "--json", "a", "c").out)[-1]
    assert (told["files_verified"], told["bytes_verified"]) == (2, 2048)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("copy", "--verify", "--no-verify", "a", "c"), "--verify and --no-verify exclude each other"),
        (("delete", "--verify", "a"), "there is no option --verify"),
        (("copy", "-av", "a", "c"), "there is no option -av. Leave it out: folders are taken whole"),
        (("delete", "-rf", "a"), "there is no option -rf. Leave it out: folders are taken whole"),
        (("copy", "-nv", "a", "c"), "there is no option -nv. `ferry copy --help` lists them"),
        (("copy", "--limmit", "1M", "a", "c"), "there is no option --limmit. Did you mean --limit?"),
        (("copy", "--limit", "fast", "a", "c"), "--limit: 'fast' is not a rate"),
        (("copy", "--limit"), "--limit needs a value: RATE"),
        (("copy", "--priority", "9", "a", "c"), "--priority cannot be '9'. It can be 1, 2, 3, 4, 5."),
        (("copy", "--on-conflict", "overwite", "a", "c"), "cannot be 'overwite'. Did you mean overwrite?"),
        (("copy", "--detach", "--foreground", "a", "c"), "exclude each other"),
        (("copy", "--json=yes", "a", "c"), "--json takes no value"),
        (("copy", "a"), "needs more than was given. Write it as: ferry copy SRC… DST"),
        (("copy", "", "c"), "an empty path names nothing"),
        (("delete",), "Write it as: ferry delete PATH…"),
        (("delete", "--on-conflict", "skip", "a"), "there is no option --on-conflict"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_in_one_sentence(
    ferry: Run, engine: FakeEngine, words: tuple[str, ...], said: str
) -> None:
    result = ferry(*words)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1
    assert not engine.calls


def test_detach_prints_the_id_and_nothing_else(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.DONE)
    result = ferry("copy", "--detach", "a", "c")
    assert (result.status, result.out, result.err) == (0, "2\n", "")


def test_detach_is_refused_where_the_engine_would_end_too(ferry: Run, engine: FakeEngine, here: Path) -> None:
    engine.in_process, engine.notice = True, "no folder for the socket"
    result = ferry("copy", "--detach", "a", "new/")
    assert result.status == 4
    assert "no folder for the socket" in result.err
    assert not engine.requests
    assert not (here / "new").exists()


def test_an_engine_out_of_reach_is_status_4(ferry: Run, engine: FakeEngine) -> None:
    engine.unreachable = True
    result = ferry("copy", "a", "c")
    assert result.status == 4
    assert "ferry doctor" in result.err


@pytest.mark.parametrize("kept", [True, False])
def test_a_queue_that_ends_with_the_command_is_not_named_as_a_place_to_look(
    ferry: Run, engine: FakeEngine, kept: bool
) -> None:
    engine.in_process, engine.notice, engine.keeps_queue = True, "no folder for anything", kept
    engine.plan, engine.losses = [lossy], {1: LOSSES}
    assert ("; `ferry queue show 1`" in ferry("copy", "a", "c").err) is kept


def test_errors_are_listed_on_standard_error_and_the_status_is_1(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [running(), failed(2)]
    engine.fail(1, error_row(1, 1, PermissionDenied), error_row(1, 2, NotFound))
    result = ferry("copy", "a", "c")
    assert result.status == 1
    assert result.err.splitlines() == [
        "ferry: cannot write /to/file 1: taken. Look at it.",
        "ferry: cannot write /to/file 2: taken. Look at it.",
    ]
    assert result.out.endswith("; 2 not done, see above\n")


def test_many_errors_are_cut_short_and_all_are_looked_at(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [failed(1500)]
    engine.fail(1, *(error_row(1, number, PermissionDenied) for number in range(1499)), error_row(1, 1500))
    result = ferry("copy", "a", "c")
    assert result.status == 3
    lines = result.err.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 1,480 more: ferry queue show 1 --errors"


def test_an_error_that_could_not_be_written_down_is_told_all_the_same(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [lambda job: replace(failed(1)(job), note="the journal cannot be used: disk full")]
    result = ferry("copy", "a", "c")
    assert result.status == 1
    assert result.err == "ferry: job 1 failed: the journal cannot be used: disk full\n"


def test_a_refused_conflict_is_status_3(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [failed(1)]
    engine.fail(1, error_row(1, 1))
    assert ferry("copy", "a", "c").status == 3


def test_an_error_with_a_hostile_name_is_shown_harmlessly(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [failed(1)]
    engine.fail(1, error_row(1, 1, PermissionDenied, "x\x1b[2J\n\udcff\u202e"))
    err = ferry("copy", "a", "c").err
    assert not {"\x1b", "\udcff", "\u202e"} & set(err)
    assert len(err.splitlines()) == 1


def test_a_job_cancelled_elsewhere_is_status_1(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [done(state=JobState.CANCELLED)]
    result = ferry("copy", "a", "c")
    assert result.status == 1
    assert "job 1 was cancelled" in result.err


def test_a_job_taken_off_the_list_is_status_1(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [running()]
    engine.client().engine.between = lambda: None
    original = engine.add

    def vanish(*args: object, **kwargs: object) -> object:
        job = original(*args, **kwargs)
        del engine.jobs[job.id]
        return job

    engine.add = vanish  # type: ignore[method-assign]
    result = ferry("copy", "a", "c")
    assert result.status == 1
    assert "taken off the list" in result.err


def test_an_engine_that_is_silent_for_a_while_is_waited_for(ferry: Run, engine: FakeEngine) -> None:
    engine.silent_for = 2
    result = ferry("copy", "a", "c")
    assert result.status == 0
    assert result.err == "ferry: the engine does not answer (it is not there); trying again\n"


def test_open_questions_without_a_terminal_say_how_to_answer(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [running(questions=2), running(questions=2), done()]
    engine.questions = [question(1, 7)]
    result = ferry("copy", "--on-conflict", "ask", "a", "c")
    assert result.status == 0
    assert result.err == (
        "ferry: job 1 waits for 2 answers: answer in the screen (ferry), "
        "or by `ferry queue answer 1 RULE --all`\n"
    )


def test_a_job_that_waits_for_room_is_not_waited_for(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [running(), short_of_room("needs 12 GiB, 3 GiB free on /mnt: free space and resume")]
    result = ferry("copy", "a", "c")
    assert result.status == 1
    assert result.out == "copied 2 files, 2.0 MiB\n"
    assert result.err == "ferry: job 1 waits: needs 12 GiB, 3 GiB free on /mnt: free space and resume\n"


def test_a_job_that_somebody_paused_is_waited_for(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [running(errors=1), paused(errors=1), paused(errors=1), failed(1)]
    engine.fail(1, error_row(1, 1, PermissionDenied))
    result = ferry("copy", "a", "c")
    assert result.status == 1
    assert result.out == "copied 2 files, 2.0 KiB in 2.0 s; 1 not done, see above\n"


def test_a_job_of_this_process_alone_is_ended_where_the_disk_is_full(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [running(), short_of_room("no space left on /mnt")]
    result = ferry("copy", "--foreground", "--json", "a", "c")
    last = objects(result.out)[-1]
    assert result.status == 1
    assert (last["event"], last["state"], last["exit"]) == ("summary", "cancelled", 1)
    assert ("cancel", [1]) in engine.calls


def test_json_is_one_object_a_line_with_a_summary_last(ferry: Run, engine: FakeEngine, here: Path) -> None:
    engine.plan = [running(errors=1, questions=1, current="/from/\udcff\n"), failed(1)]
    engine.questions = [question(1, 7)]
    engine.fail(1, error_row(1, 1))
    result = ferry("copy", "--json", "--on-conflict", "ask", "a", "gone", "folder")
    told = objects(result.out)
    assert [each["event"] for each in told] == [
        *("error", "submitted", "state", "progress", "error", "question", "state", "progress", "summary"),
    ]
    assert told[0]["code"] == "NotFound"
    assert told[0]["job"] is None
    assert told[1] == {
        "event": "submitted",
        "job": 1,
        "kind": "copy",
        "sources": 1,
        "target": f"{here}/folder",
        "target_url": f"file://{here}/folder",
    }
    assert told[3]["path"] == "/from/\ufffd\n"
    assert told[3]["url"] == "file:///from/%FF%0A"
    assert told[5]["source_size_bytes"] == 2048
    assert told[-1] == {
        "event": "summary",
        "job": 1,
        "state": "failed",
        "exit": 3,
        "files_done": 2,
        "files_total": 3,
        "bytes_done": 2048,
        "bytes_total": 4096,
        "files_same": 0,
        "files_skipped": 0,
        "files_verified": 0,
        "bytes_verified": 0,
        "files_removed": 0,
        "errors": 2,
        "questions": 0,
        "bytes_flushed": 0,
        "losses": [],
        "seconds": 2.0,
        "target": f"{here}/folder",
        "target_url": f"file://{here}/folder",
    }
    assert result.status == 3
    assert result.out.isascii()


LOSSES = (
    Lost(Loss.OWNER, 12, (Location("/to/one\udcff"), Location("/to/two"))),
    Lost(Loss.SPECIAL, 1, (Location("/to/link"),)),
)


def lossy(job: Job) -> Job:
    return replace(done(12)(job), progress=replace(done(12)(job).progress, losses=12))


def test_what_the_target_could_not_hold_is_one_line_at_the_end(ferry: Run, engine: FakeEngine) -> None:
    engine.plan, engine.losses = [lossy], {1: LOSSES}
    result = ferry("copy", "a", "folder")
    assert result.status == 0
    assert result.err == (
        "ferry: not kept: owner or group of 12 entries, 1 entry of a kind unknown there; "
        "`ferry queue show 1` names some\n"
    )


def test_what_the_target_could_not_hold_is_in_the_summary(ferry: Run, engine: FakeEngine) -> None:
    engine.plan, engine.losses = [lossy], {1: LOSSES}
    summary = objects(ferry("copy", "--json", "a", "folder").out)[-1]
    assert summary["losses"] == [
        {
            "loss": "owner",
            "count": 12,
            "paths": ["/to/one\ufffd", "/to/two"],
            "urls": ["file:///to/one%FF", "file:///to/two"],
        },
        {"loss": "special", "count": 1, "paths": ["/to/link"], "urls": ["file:///to/link"]},
    ]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ((), set(Trait)),
        (("--preserve", "owner,times"), {Trait.OWNER, Trait.TIMES}),
        (("--preserve=none",), set()),
        (("--no-preserve", "acl,xattr"), set(Trait) - {Trait.ACL, Trait.XATTR}),
        (("--preserve", "all", "--no-preserve", "times"), set(Trait) - {Trait.TIMES}),
    ],
)
def test_what_travels_besides_content_can_be_said(
    ferry: Run, engine: FakeEngine, options: tuple[str, ...], kept: set[Trait]
) -> None:
    assert ferry("copy", *options, "a", "folder").status == 0
    assert engine.requests[1].preserve == kept


def test_a_trait_that_does_not_exist_is_refused_by_name(ferry: Run, engine: FakeEngine) -> None:
    result = ferry("copy", "--no-preserve", "owner,time", "a", "folder")
    assert (result.status, engine.requests) == (2, {})
    assert result.err == "ferry: --no-preserve cannot name 'time'. Did you mean times?\n"


def test_a_dry_run_without_times_goes_by_content(ferry: Run, here: Path) -> None:
    (here / "folder" / "a").write_bytes((here / "a").read_bytes())
    os.utime(here / "folder" / "a", (1, 1))
    assert ferry("copy", "--dry-run", "a", "folder").status == 3
    assert ferry("copy", "--dry-run", "--no-preserve", "times", "a", "folder").status == 0


def test_json_ends_in_a_summary_even_where_nothing_was_queued(ferry: Run) -> None:
    told = objects(ferry("copy", "--json", "gone", "folder").out)
    assert [each["event"] for each in told] == ["error", "summary"]
    assert (told[-1]["job"], told[-1]["exit"], told[-1]["errors"]) == (None, 1, 1)


def test_every_event_has_the_keys_that_are_documented(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [running(errors=1, questions=1), failed(1)]
    engine.questions = [question(1, 7)]
    engine.fail(1, error_row(1, 1))
    told = objects(ferry("copy", "--json", "--on-conflict", "ask", "a", "gone", "folder").out)
    told += objects(ferry("copy", "--json", "gone", "folder").out)
    engine.host.password, engine.plan = "sesame", [at_the_door(engine)]
    told += objects(ferry("copy", "--json", "a", "sftp://box/").out)
    assert {each["event"] for each in told} == set(EVENTS)
    for each in told:
        assert set(each) == {"event", *EVENTS[str(each["event"])][0].split()}
    (dry,) = objects(ferry("copy", "--dry-run", "--json", "a", "folder").out)
    assert set(dry) == {"event", *REHEARSAL.split()}


def test_delete_and_trash_are_different_jobs(ferry: Run, engine: FakeEngine) -> None:
    ferry("delete", "a")
    ferry("delete", "--trash", "b", "folder")
    assert [request.kind for request in engine.requests.values()] == [JobKind.DELETE, JobKind.TRASH]
    assert [len(request.sources) for request in engine.requests.values()] == [1, 2]


@pytest.mark.parametrize("word", [".", "./", "..", "folder/.", "folder/../", "//tmp/..", "sftp://box/a/%2E."])
@pytest.mark.parametrize("doing", ["delete", "move"])
def test_nothing_is_taken_away_by_names_of_dots(
    ferry: Run, engine: FakeEngine, doing: str, word: str
) -> None:
    result = ferry(doing, word, "a", *(["folder"] if doing == "move" else []))
    assert result.status == 1
    told = f"ferry: cannot {doing} {word}: folders are not {doing}d by that name. Write its own.\n"
    assert result.err == told
    assert [source.name for source in submitted(engine).sources] == ["a"]


@pytest.mark.parametrize("words", [("delete",), ("delete", "--trash"), ("move",)])
def test_the_current_folder_and_those_that_hold_it_are_taken_away_by_their_paths(
    ferry: Run, engine: FakeEngine, here: Path, words: tuple[str, ...]
) -> None:
    os.chdir(here / "folder")
    for named in (f"{here}/folder", f"{here}", "../folder"):
        result = ferry(*words, named, *(["/tmp/"] if words == ("move",) else []))
        assert (result.status, result.err) == (0, "")
    wanted = [os.path.realpath(each) for each in (here / "folder", here, here / "folder")]
    assert [request.sources[0].path for request in engine.requests.values()] == wanted


def test_the_current_folder_may_be_copied(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", ".", "/tmp/")
    assert [source.name for source in submitted(engine).sources] == ["here"]


@pytest.mark.parametrize("word", ["a", ".", "folder/../a"])
def test_a_current_folder_that_has_gone_is_told(ferry: Run, here: Path, word: str) -> None:
    (here / "lost").mkdir()
    os.chdir(here / "lost")
    (here / "lost").rmdir()
    result = ferry("copy", word, "/tmp/")
    assert (result.status, result.err) == (
        2,
        "ferry: the current folder has gone. Change to another one, or write full paths.\n",
    )


def test_a_dry_run_counts_and_touches_nothing(ferry: Run, engine: FakeEngine, here: Path) -> None:
    result = ferry("copy", "--dry-run", "a", "folder", "new/")
    assert (result.status, result.err) == (0, "")
    assert result.out == (
        f"would copy 2 files and 1 folder, 8 B into {here}/new\nwould make the folder {here}/new\n"
    )
    assert not (here / "new").exists()
    assert not engine.calls


@pytest.mark.parametrize(
    ("rule", "status", "said"),
    [
        ("fail", 3, "1 name is taken and would be refused:\n  a\n"),
        ("skip", 0, "1 name is taken and would be skipped:\n  a\n"),
        ("overwrite", 0, "1 name is taken and would be overwritten:\n  a\n"),
    ],
)
def test_a_dry_run_names_conflicts(ferry: Run, here: Path, rule: str, status: int, said: str) -> None:
    (here / "folder" / "a").write_bytes(b"something else")
    result = ferry("copy", "--dry-run", "--on-conflict", rule, "a", "b", "folder")
    assert result.status == status
    assert result.out.endswith(said)


def test_a_dry_run_of_a_merge_is_no_conflict(ferry: Run, here: Path) -> None:
    (here / "to" / "folder").mkdir(parents=True)
    result = ferry("copy", "--dry-run", "folder", "to")
    assert result.status == 0
    assert "taken" not in result.out


def test_a_dry_run_in_json_ends_in_a_summary(ferry: Run, here: Path) -> None:
    (here / "folder" / "a").touch()
    _, told = objects(ferry("copy", "--dry-run", "--json", "a", "folder").out)
    assert (told["event"], told["dry_run"], told["exit"]) == ("summary", True, 3)
    assert (told["files_total"], told["bytes_total"], told["conflicts"]) == (1, 3, 1)
    assert told["conflict_urls"] == [f"file://{here}/folder/a"]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every target keeps to the rules of FAT."""
    rules = dataclasses.replace(WINDOWS, most_bytes=100, links=False, specials=False)
    monkeypatch.setattr(rehearsal, "rules_for", lambda fd: rules)
    monkeypatch.setattr(rehearsal, "one_for_all", lambda fd: None)


def test_a_dry_run_names_what_the_target_does_not_take(ferry: Run, here: Path, narrow: None) -> None:
    (here / "folder" / "x:y").touch()
    (here / "folder" / "large").write_bytes(bytes(101))
    (here / "folder" / "link").symlink_to("large")
    result = ferry("copy", "--dry-run", "folder", "new")
    assert result.status == 0
    head, *lines = result.out.splitlines()[1:]
    assert head == (
        "the target's filesystem does not take 1 name, 1 file of that size and 1 link or special file:"
    )
    assert sorted(lines) == [
        f"  {here}/folder/large: 101 B is more than a file may have on that filesystem; would be refused",
        f"  {here}/folder/link: there can be no symbolic link on that filesystem; would be refused",
        f"  {here}/folder/x:y: that filesystem takes no ':' in names; would be refused",
    ]


def test_a_dry_run_in_json_has_a_line_for_each_misfit(ferry: Run, here: Path, narrow: None) -> None:
    for number in range(15):
        (here / "folder" / f"{number}:").touch()
    *misfits, summary = objects(ferry("copy", "--dry-run", "--json", "folder", "new").out)
    assert {misfit["event"] for misfit in misfits} == {"misfit"}
    assert all(set(misfit) == {"event", *MISFIT.split()} for misfit in misfits)
    assert (len(misfits), summary["unfit_names"], summary["names"]) == (15, 15, "keep")


def test_a_dry_run_onto_an_ordinary_filesystem_looks_at_no_names(
    ferry: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "Forecast", None)
    assert ferry("copy", "--dry-run", "folder", "new").status == 0


def test_names_are_asked_about_only_where_somebody_can_answer(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "a", "c")
    ferry("copy", "--names", "lookalike", "a", "d")
    assert [request.names for request in engine.requests.values()] == [Names.KEEP, Names.LOOKALIKE]


def test_a_script_leaves_a_job_that_waits_for_names(ferry: Run, engine: FakeEngine) -> None:
    engine.plan = [lambda job: replace(short_of_room("some names do not fit")(job), misfits=1)]
    result = ferry("copy", "--names", "ask", "a", "c")
    assert result.status == 1
    assert "job 1 waits: some names do not fit; `ferry queue show 1` lists them" in result.err
    assert "`ferry queue names 1 HOW`" in result.err
