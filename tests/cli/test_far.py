"""Commands on other hosts: what is queued, what is listed, read and made, and what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from cli_engine import FakeEngine, at_the_door
from cli_places import FOLDER, HOME, FakePlaces, far

from tui.model.ask import KnownHost
from tui.model.comparison import Change, Compared, Difference
from tui.model.entry import EntryKind, Facts
from tui.model.exclusion import Exclusion
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path

    from cli_run import Run


@pytest.fixture(autouse=True)
def files(here: Path, engine: FakeEngine) -> None:
    (here / "a").write_bytes(b"one")
    (here / "b").write_bytes(b"two")
    (here / "folder").mkdir()
    engine.host.files |= {
        far("/data"): FOLDER,
        far("/data/.hidden"): b"",
        far("/data/one"): b"1",
        far("/data/sub"): FOLDER,
        far("/data/sub/\x1b[31m\udcff"): b"12345",
        far(f"{HOME}/mine"): b"mine",
    }


def queued(engine: FakeEngine) -> Request:
    (request,) = engine.requests.values()
    return request


# What is queued


def test_a_source_goes_into_a_far_folder_that_stands(ferry: Run, engine: FakeEngine, here: Path) -> None:
    result = ferry("copy", "a", "sftp://box/data")
    assert (result.status, result.err) == (0, "")
    request = queued(engine)
    assert (request.sources, request.target, request.into) == ((Location(f"{here}/a"),), far("/data"), True)


def test_a_far_source_becomes_what_does_not_stand(ferry: Run, engine: FakeEngine, here: Path) -> None:
    assert ferry("move", "sftp://box/data/one", "c").status == 0
    request = queued(engine)
    assert (request.kind, request.sources) == (JobKind.MOVE, (far("/data/one"),))
    assert (request.target, request.into) == (Location(f"{here}/c"), False)


def test_a_slash_at_the_end_has_a_far_folder_made(ferry: Run, engine: FakeEngine) -> None:
    assert ferry("copy", "a", "b", "sftp://box/new/").status == 0
    assert engine.host.files[far("/new")] is FOLDER
    assert (queued(engine).target, queued(engine).into) == (far("/new"), True)


def test_the_home_folder_is_told_by_the_host(ferry: Run, engine: FakeEngine) -> None:
    assert ferry("copy", "sftp://box/~/mine", "sftp://box").status == 1  # the same file
    assert ferry("copy", "a", "sftp://box").status == 0
    assert (queued(engine).target, queued(engine).into) == (far(HOME), True)


def test_a_link_to_a_far_folder_is_one_to_copy_into(ferry: Run, engine: FakeEngine) -> None:
    engine.host.links[far("/link")] = far("/data")
    assert ferry("copy", "a", "sftp://box/link").status == 0
    assert queued(engine).into is True


def test_from_host_to_host(ferry: Run, engine: FakeEngine) -> None:
    engine.host.files[far("/in", "other")] = FOLDER
    assert ferry("copy", "sftp://box/data", "sftp://other/in").status == 0
    assert (queued(engine).sources, queued(engine).target) == ((far("/data"),), far("/in", "other"))


def test_delete_takes_urls(ferry: Run, engine: FakeEngine, here: Path) -> None:
    assert ferry("delete", "sftp://box/data/one", "a").status == 0
    assert queued(engine).sources == (far("/data/one"), Location(f"{here}/a"))
    assert queued(engine).target is None


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("copy", "sftp://box/gone", "."), 1, "cannot copy sftp://box/gone: no such file or folder"),
        (("copy", "sftp://box/data/one/", "."), 1, "cannot copy sftp://box/data/one/: it is not a folder"),
        (("copy", "a", "sftp://box/data/one/"), 2, "sftp://box/data/one is not a folder"),
        (("copy", "a", "b", "sftp://box/nowhere"), 2, "several sources need a folder to go into"),
        (("copy", "sftp://box/data", "sftp://box/data/sub"), 1, "cannot copy sftp://box/data into itself"),
        (("copy", "sftp://box/data/one", "sftp://box/data"), 1, "source and target are the same file"),
        (("copy", "a", "sftp://box/data/sub/../one", "folder"), 0, ""),
        (("copy", "sftp://box/data/one", "sftp://other/data/one", "."), 1, "no such file"),
        (("delete", "sftp://box/"), 2, "cannot delete all of sftp://box/"),
        (("delete", "--trash", "sftp://box/data"), 2, "there is no trash on other hosts"),
        (("copy", "a", "sftp://me:hunter2@box/"), 2, "a password does not belong in a URL"),
        (("copy", "a", "gopher://box/"), 2, "Ferry knows no places of the kind gopher://"),
        (("copy", "box:data", "."), 1, "What is on another host is written sftp://host/path"),
        (("copy", "a", "box:data/x"), 1, "What is on another host is written sftp://host/path"),
        (("copy", "a", "box:data"), 0, "box:data is taken for a file here. What is on another host"),
    ],
)
def test_what_cannot_be_is_said(ferry: Run, words: tuple[str, ...], status: int, said: str) -> None:
    result = ferry(*words)
    assert (result.status, said in result.err) == (status, True), result
    assert "hunter2" not in result.err


def test_a_dry_run_counts_what_is_far(ferry: Run, engine: FakeEngine, here: Path) -> None:
    result = ferry("copy", "--dry-run", "sftp://box/data", "folder")
    assert (result.status, result.err) == (0, "")
    assert result.out == f"would copy 3 files and 2 folders, 6 B into {here}/folder\n"
    assert not engine.requests


def test_folders_on_a_host_are_known_as_such_where_they_are_left_out(ferry: Run, engine: FakeEngine) -> None:
    words = "copy sftp://box/data/sub sftp://box/data/one folder --exclude sub/ --exclude one/".split()
    assert ferry(*words).status == 0
    (request,) = engine.requests.values()
    assert [source.name for source in request.sources] == ["one"]


def test_a_sync_with_a_host_leaves_out_what_standard_input_says(
    ferry: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"*.tmp\n")))
    ferry("sync", "--delete", "--yes", "sftp://box/data", "folder", "--exclude-from", "-")
    (request,) = engine.requests.values()
    assert request.exclude == Exclusion(("*.tmp",))


def test_a_dry_run_names_conflicts_on_a_host(ferry: Run, engine: FakeEngine, here: Path) -> None:
    (here / "one").write_bytes(b"another")
    result = ferry("copy", "--dry-run", "--on-conflict", "skip", "--json", "one", "sftp://box/data")
    _, told = map(json.loads, result.out.splitlines())
    assert (told["conflicts"], told["conflict_urls"]) == (1, ["sftp://box/data/one"])
    assert ferry("copy", "--dry-run", "one", "sftp://box/data").status == 3


# ls, cat, du, mkdir, hosts


def test_ls_lists_by_name(ferry: Run) -> None:
    assert ferry("ls", "sftp://box/data").out == "one\nsub/\n"
    assert ferry("ls", "--all", "sftp://box/data").out == ".hidden\none\nsub/\n"
    assert ferry("ls", "sftp://box/data/one").out == "one\n"
    assert ferry("ls").out == "a\nb\nfolder/\n"


def test_ls_long_has_permissions_size_and_time(ferry: Run) -> None:
    assert ferry("ls", "-l", "sftp://box/data").out == (
        "-rw-r-----         1 B  2023-11-14 22:13:20  one\n"
        "drwxr-xr-x           -  2023-11-14 22:13:20  sub/\n"
    )


def test_letters_may_stand_in_one_word(ferry: Run) -> None:
    apart = ferry("ls", "-l", "-a", "sftp://box/data")
    assert (apart.status, ferry("ls", "-la", "sftp://box/data")) == (0, apart)


def test_ls_writes_names_into_a_pipe_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    from tui.__main__ import main

    assert main(["ls", "sftp://box/data/sub"]) == 0
    assert capfdbinary.readouterr().out == b"\x1b[31m\xff\n"


def test_ls_json_is_one_entry_a_line(ferry: Run) -> None:
    (entry,) = map(json.loads, ferry("ls", "--json", "sftp://box/data/sub").out.splitlines())
    assert entry == {
        "name": "\x1b[31m\ufffd",
        "kind": "file",
        "size_bytes": 5,
        "mtime_ns": 1_700_000_000_000_000_000,
        "mode": 0o640,
        "path": "sftp://box/data/sub/\x1b[31m\ufffd",
        "url": "sftp://box/data/sub/%1B%5B31m%FF",
    }


def test_one_operand_that_fails_does_not_hold_up_the_others(ferry: Run) -> None:
    result = ferry("ls", "sftp://box/gone", "sftp://box/data")
    assert (result.status, result.out) == (1, "one\nsub/\n")
    assert "cannot look at sftp://box/gone: no such file or folder" in result.err


def test_cat_writes_every_byte(
    engine: FakeEngine, here: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    from tui.__main__ import main

    data = bytes(range(256)) * 9000
    engine.host.files[far("/data/big")] = data
    assert main(["cat", "sftp://box/data/big", "a"]) == 0
    assert capfdbinary.readouterr().out == data + b"one"
    assert main(["cat", "sftp://box/data"]) == 1


def test_du_counts(ferry: Run, here: Path) -> None:
    assert ferry("du", "sftp://box/data").out == "       6 B  3 files, 2 folders  sftp://box/data\n"
    told = json.loads(ferry("du", "--json", "sftp://box/data").out)
    assert (told["files"], told["folders"], told["size_bytes"], told["url"]) == (3, 2, 6, "sftp://box/data")
    assert "2 files, 2 folders" in ferry("du", str(here)).out


def test_mkdir_makes_folders_here_and_there(ferry: Run, engine: FakeEngine, here: Path) -> None:
    assert ferry("mkdir", "sftp://box/new", "deep/er").status == 0
    assert engine.host.files[far("/new")] is FOLDER
    assert (here / "deep" / "er").is_dir()
    result = ferry("mkdir", "a")
    assert result.status == 1
    assert "a" in result.err


def test_hosts_are_listed_with_what_opens_them(ferry: Run, engine: FakeEngine) -> None:
    engine.hosts = (
        KnownHost(Location("/~", "sftp", "box"), "box", "me@192.0.2.1"),
        KnownHost(Location("/~", "sftp", "evil\x1b"), "evil\x1b"),
    )
    assert ferry("hosts").out == "box    sftp://box/~    me@192.0.2.1\nevil␛  sftp://evil␛/~\n"
    told = [json.loads(line) for line in ferry("hosts", "--json").out.splitlines()]
    assert told[0] == {"title": "box", "detail": "me@192.0.2.1", "url": "sftp://box/~"}


# Hosts that ask, and nobody is there


@pytest.mark.parametrize(
    "words",
    [
        ("ls", "sftp://box/data"),
        ("cat", "sftp://box/data/one"),
        ("du", "sftp://box/data"),
        ("copy", "a", "sftp://box/data"),
        ("copy", "--dry-run", "a", "sftp://box/data/"),
        ("copy", "--foreground", "a", "sftp://box/data/"),
    ],
)
def test_without_a_terminal_a_command_says_that_a_host_asks(
    ferry: Run, engine: FakeEngine, words: tuple[str, ...]
) -> None:
    engine.host.password = "sesame"
    result = ferry(*words)
    assert (result.status, result.out) == (1, "")
    assert "sftp://box asks for a password, and there is no terminal to ask on" in result.err
    assert not engine.requests


def test_without_a_terminal_an_unknown_key_is_told_with_what_helps(ferry: Run, engine: FakeEngine) -> None:
    engine.host.known = False
    result = ferry("ls", "sftp://box/")
    assert (result.status, result.out) == (1, "")
    assert "sftp://box asks for its key to be looked at" in result.err
    assert "connect once with ssh" in result.err
    assert "agent" not in result.err


def test_a_job_shows_that_what_goes_to_a_host_appears_file_by_file(ferry: Run, engine: FakeEngine) -> None:
    ferry("copy", "--detach", "folder", "sftp://box/data/")
    assert "stage      file\n" in ferry("queue", "show", "1").out


def test_a_job_is_queued_and_waits_until_somebody_answers(ferry: Run, engine: FakeEngine) -> None:
    engine.host.password, engine.plan = "sesame", [at_the_door(engine)]
    result = ferry("copy", "a", "sftp://box/data/")
    assert result.status == 1
    assert result.err.splitlines() == [
        "ferry: job 1 waits until somebody answers what me@box asks; `ferry queue answer-host 1` does",
    ]
    assert (queued(engine).target, queued(engine).into) == (far("/data"), True)
    assert engine.jobs[1].state is JobState.WAITING
    assert "cancel" not in {call[0] for call in engine.calls}


def test_the_queue_tells_what_hosts_ask_and_no_secret(ferry: Run, engine: FakeEngine) -> None:
    engine.add(JobState.WAITING, wants_host=True)
    engine.host.password = "sesame"
    engine.host.ask((1,))
    assert ferry("queue").err == (
        "ferry: sftp://box asks for a password, and job 1 waits for it: `ferry queue answer-host 1`\n"
    )
    job = json.loads(ferry("queue", "--json").out)
    assert job["wants_host"] is True
    assert job["host_questions"] == [
        {
            "question": 1,
            "ask": "password",
            "host": "me@box",
            "text": "Password for me@box",
            "secret": True,
            "retry": False,
            "place_url": "sftp://box/",
        }
    ]


class Typed:
    """Standard input that holds an answer."""

    def __init__(self, data: bytes) -> None:
        import io

        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize(("data", "answer"), [(b"sesame\n", "sesame"), (b"", None), (b"x y\r\nz", "x y")])
def test_an_answer_is_read_from_standard_input(
    ferry: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, data: bytes, answer: str | None
) -> None:
    engine.add(JobState.WAITING, wants_host=True)
    engine.host.password = "sesame"
    engine.host.ask((1,))
    monkeypatch.setattr("sys.stdin", Typed(data))
    assert ferry("queue", "answer-host", "1").status == 0
    assert engine.host.answers == [answer]


def test_an_answer_can_be_refused_and_needs_a_question(
    ferry: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.add(JobState.WAITING, wants_host=True)
    engine.host.password = "sesame"
    engine.host.ask((1,))
    monkeypatch.setattr("sys.stdin", Typed(b""))
    assert ferry("queue", "answer-host", "--refuse", "1").status == 0
    assert engine.host.answers == [None]
    result = ferry("queue", "answer-host", "1")
    assert (result.status, result.out) == (1, "")
    assert "no host asks anything for job 1" in result.err
    assert ferry("queue", "answer-host", "1", "hunter2").status == 2


# sync


def test_a_folder_is_synced_with_one_on_a_host(ferry: Run, engine: FakeEngine, here: Path) -> None:
    assert ferry("sync", "--delete", "folder", "sftp://box/data/sub").status == 0
    request = queued(engine)
    assert (request.kind, request.sources, request.into) == (
        JobKind.SYNC,
        (Location(f"{here}/folder"),),
        False,
    )
    assert (request.target, request.delete_extra) == (far("/data/sub"), True)


def test_a_sync_with_a_host_can_be_rehearsed(ferry: Run, engine: FakeEngine) -> None:
    new = Difference("x\x1b", Change.NEW, Facts(EntryKind.FILE, 3, 0), None)
    gone = Difference("old", Change.EXTRA, None, Facts(EntryKind.FILE, 4, 0))
    engine.compared = [Compared([new]), Compared([gone], files_same=2)]
    result = ferry("sync", "--dry-run", "sftp://box/data", "folder")
    assert result.status == 0
    assert result.out.splitlines()[:2] == ["+ x␛", "- old"]
    assert "would leave 1 file, 4 B, without --delete" in result.out
    assert not engine.requests


def test_a_sync_with_a_host_removes_no_more_than_it_may(ferry: Run, engine: FakeEngine) -> None:
    gone = [Difference(name, Change.EXTRA, None, Facts(EntryKind.FILE, 4, 0)) for name in ("old", "older")]
    engine.compared = [Compared(gone)]
    for words in (("--yes",), ("--dry-run",)):
        result = ferry("sync", "--delete", *words, "--max-delete", "1", "sftp://box/data", "folder")
        assert (result.status, "2 entries would be removed" in result.err) == (1, True)
    assert not engine.requests
    assert ferry("sync", "--delete", "--max-delete", "2", "sftp://box/data", "folder").status == 0


def test_a_rehearsal_lists_no_home_of_a_host_among_what_would_go(ferry: Run, engine: FakeEngine) -> None:
    paths = {"me": EntryKind.FOLDER, "me/dear": EntryKind.FILE, "other": EntryKind.FOLDER}
    extra = [Difference(path, Change.EXTRA, None, Facts(kind, 0, 0)) for path, kind in paths.items()]
    engine.compared = [Compared(extra)]
    result = ferry("sync", "--dry-run", "--delete", "folder", "sftp://box/home")
    assert result.status == 1
    assert "cannot remove sftp://box/home/me: it is your home folder" in result.err
    assert result.out.splitlines() == ["- other/", "would remove 1 folder"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sftp://box/data", "sftp://box/data/sub"), "sftp://box/data/sub is in sftp://box/data"),
        (("sftp://box/data", "sftp://box/data/"), "cannot sync sftp://box/data with itself"),
        (("sftp://box/data/one", "folder"), "cannot sync sftp://box/data/one: it is not a folder"),
        (("sftp://box/gone", "folder"), "cannot sync sftp://box/gone: no such file or folder"),
    ],
)
def test_a_sync_that_cannot_be_is_refused(
    ferry: Run, engine: FakeEngine, words: tuple[str, ...], said: str
) -> None:
    result = ferry("sync", *words)
    assert result.status == 1
    assert said in result.err
    assert not engine.requests


# verify


def test_verify_finds_what_differs_on_a_host(ferry: Run, engine: FakeEngine, here: Path) -> None:
    data = here / "data"
    (data / "sub").mkdir(parents=True)
    (data / "one").write_bytes(b"1")
    (data / ".hidden").write_bytes(b"x")
    (data / "more").write_bytes(b"")
    (data / "sub" / "kind").mkdir()
    engine.host.files[far("/data/sub/kind")] = b""
    result = ferry("verify", "data", "sftp://box/")
    assert (result.status, result.err) == (1, "")
    assert sorted(result.out.splitlines()) == [
        "differs  sftp://box/data/.hidden (size)",
        "differs  sftp://box/data/sub/kind (another kind)",
        "extra    sftp://box/data/sub/␛[31m⣿",
        "missing  sftp://box/data/more",
        "verified 3 files, 1 B: 2 differ, 1 missing, 1 extra",
    ]


def test_verify_reads_contents_on_both_sides(ferry: Run, engine: FakeEngine, here: Path) -> None:
    data = bytes(3 << 20)
    engine.host.files[far("/data/a")] = data
    (here / "a").write_bytes(data)
    assert ferry("verify", "a", "sftp://box/data").out == "verified 1 file, 3.0 MiB: all alike\n"
    engine.host.files[far("/data/a")] = data[:-1] + b"x"
    result = ferry("verify", "a", "sftp://box/data")
    assert result.out.splitlines()[0] == "differs  sftp://box/data/a (content)"
    assert result.status == 1


def test_over_a_long_way_many_small_files_are_verified_at_once(
    ferry: Run, engine: FakeEngine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "data").mkdir()
    for number in range(60):
        (here / "data" / f"{number}").write_bytes(b"text")
        engine.host.files[far(f"/data/{number}")] = b"text"
    many, under_way = asyncio.Event(), 0
    read = FakePlaces.read

    async def held(self: FakePlaces, location: Location, offset: int, size_bytes: int) -> bytes:
        nonlocal under_way
        under_way += not location.is_local
        if under_way == 40:
            many.set()
        await many.wait()
        return await read(self, location, offset, size_bytes)

    monkeypatch.setattr(FakePlaces, "read", held)
    assert ferry("verify", "data", "sftp://box/").out.endswith("verified 60 files, 240 B: 3 extra\n")


def test_sums_are_of_files_here(ferry: Run, here: Path) -> None:
    result = ferry("verify", "--write", "sums", "sftp://box/data")
    assert result.status == 2
    assert not (here / "sums").exists()
