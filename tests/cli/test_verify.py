"""`ferry verify`: trees against trees, and files against checksums."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cli_run import Result
from hypothesis import given
from hypothesis import strategies as st

from tests.trees import HOSTILE_NAMES
from tui.cli.events import FINDING, VERIFIED
from tui.cli.sum_log import SumLog
from tui.cli.sums import Line, algorithm_of, can_hold, read_line, write_line
from tui.places.local import summing
from tui.places.local.summing import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from cli_run import Run


@pytest.fixture
def tree(here: Path) -> Path:
    """A folder, and its copy in the folder `out`."""
    folder = here / "tree"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").write_bytes(b"text")
    (folder / "other").write_bytes(b"other text")
    shutil.copytree(folder, here / "out" / "tree")
    return folder


def test_a_copy_is_alike(ferry: Run, tree: Path) -> None:
    assert ferry("verify", "tree", "out") == Result(0, "verified 2 files, 14 B: all alike\n", "")
    assert ferry("verify", "tree/", "out/").status == 0
    assert ferry("verify", "--exact", "tree", "out/tree").status == 0


def test_a_source_that_is_not_in_the_folder_may_be_meant_for_the_folder_itself(
    ferry: Run, tree: Path, here: Path
) -> None:
    result = ferry("verify", "tree", "out/tree")
    assert (result.status, result.out) == (
        1,
        f"missing  {here}/out/tree/tree\nverified 0 files, 0 B: 1 missing\n",
    )
    assert result.err == f"ferry: tree was looked for in {here}/out/tree; --exact compares with that itself\n"
    (tree / "more").touch()
    assert ferry("verify", "tree", "out").err == ""


def test_differences_are_one_line_each_and_status_1(ferry: Run, tree: Path, here: Path) -> None:
    (here / "out" / "tree" / "inner" / "file").write_bytes(b"tezt")
    result = ferry("verify", "tree", "out")
    assert result == Result(
        1,
        f"differs  {here}/out/tree/inner/file (content)\nverified 2 files, 10 B: 1 differs\n",
        "",
    )
    (here / "out" / "tree" / "other").unlink()
    (here / "out" / "tree" / "inner" / "x\x1b[31m\n").touch()
    lines = ferry("verify", "tree", "out").out.splitlines()
    assert f"missing  {here}/out/tree/other" in lines
    assert f"extra    {here}/out/tree/inner/x␛[31m␊" in lines
    assert lines[-1] == "verified 1 file, 0 B: 1 differs, 1 missing, 1 extra"


def test_json_tells_every_finding_and_a_summary(ferry: Run, tree: Path, here: Path) -> None:
    (here / "out" / "tree" / "other").write_bytes(b"short")
    result = ferry("verify", "--json", "tree", "gone", "out")
    told = [json.loads(line) for line in result.out.splitlines()]
    assert [each["event"] for each in told] == ["error", "finding", "summary"]
    assert set(told[1]) == {"event", *FINDING.split()}
    assert set(told[2]) == {"event", *VERIFIED.split()}
    assert (told[1]["verdict"], told[1]["why"]) == ("differs", "size")
    assert told[1]["target_url"] == f"file://{here}/out/tree/other"
    assert (result.status, told[2]["exit"], told[2]["errors"], told[2]["differs"]) == (1, 1, 1, 1)


def test_a_source_that_is_not_there_is_an_error(ferry: Run, tree: Path, here: Path) -> None:
    result = ferry("verify", "gone", "tree", "out")
    assert result.status == 1
    assert f"cannot verify {here}/gone: no such file or folder" in result.err
    assert result.out == "verified 2 files, 14 B: 1 not done, see above\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "needs more than was given. Write it as: ferry verify SRC… DST"),
        (("tree",), "needs more than was given"),
        (("--write", "a", "--check", "b"), "--write and --check exclude each other"),
        (("--check", "a", "tree"), "--check takes no operands"),
        (("--write", "a"), "to be summed. Write it as: ferry verify --write FILE PATH…"),
        (("--exact", "tree", "tree", "out"), "only one of several sources"),
        (("--exact", "--write", "a", "tree"), "--exact is for comparing SRC with DST, not for sums"),
        (("--exact", "--check", "a"), "--exact is for comparing SRC with DST, not for sums"),
        (("--json", "--write", "-", "tree"), "exclude each other"),
        (("--algorithm", "blake3", "tree", "out"), "--algorithm says of --write or --check"),
        (("--algorithm", "md5", "--check", "a"), "--algorithm cannot be 'md5'"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_with_status_2(
    ferry: Run, tree: Path, words: tuple[str, ...], said: str
) -> None:
    result = ferry("verify", *words)
    assert (result.status, result.out) == (2, "")
    assert said in result.err


# Checksum files


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have Ctrl+C come in the middle of the file that is read as number `at`, counted from 0."""
    really, reads = summing._digest, []

    def interrupt(at: int) -> None:
        reads.clear()

        def digest(fd: int, algorithm: Algorithm) -> Generator[int, None, str]:
            reads.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}")))
            if len(reads) == at + 1:
                raise KeyboardInterrupt
            return (yield from really(fd, algorithm))

        monkeypatch.setattr(summing, "_digest", digest)

    interrupt.reads = reads  # type: ignore[attr-defined]
    return interrupt


NEVER = -1


@pytest.fixture
def five(here: Path) -> list[str]:
    """Names of files in a folder."""
    (here / "five").mkdir()
    for number in range(5):
        (here / "five" / f"file {number}").write_text(f"text {number}")
    return [f"file {number}" for number in range(5)]


def lines(folder: Path) -> str:
    return "".join(
        f"{sha256(file.read_bytes()).hexdigest()}  five/{file.name}\n" for file in sorted(folder.iterdir())
    )


def test_interrupted_the_same_command_goes_on_where_it_was(
    ferry: Run, here: Path, five: list[str], interrupted: Any
) -> None:
    for at, read in ((2, five[:3]), (0, five[2:3])):
        interrupted(at)
        result = ferry("verify", "--write", "sums", "five")
        assert (result.status, interrupted.reads) == (130, read)
        assert f"{here}/sums is not written; the same command goes on where this one was" in result.err
        assert not (here / "sums").exists()
    interrupted(NEVER)
    assert ferry("verify", "--write", "sums", "five") == Result(0, "summed 5 files, 30 B\n", "")
    assert interrupted.reads == five[2:]
    assert (here / "sums").read_text() == lines(here / "five")
    assert sorted(os.listdir(here)) == ["five", "sums"]


def test_from_a_file_that_changed_meanwhile_on_all_is_read_again(
    ferry: Run, here: Path, five: list[str], interrupted: Any
) -> None:
    interrupted(4)
    ferry("verify", "--write", "sums", "five")
    (here / "five" / "file 2").write_text("changed")
    (here / "five" / "file 1b").write_text("new")
    (here / "five" / "file 3").unlink()
    interrupted(NEVER)
    assert ferry("verify", "--write", "sums", "five").status == 0
    assert interrupted.reads == ["file 1b", "file 2", "file 4"]
    assert (here / "sums").read_text() == lines(here / "five")


def test_what_an_other_command_summed_is_not_taken(
    ferry: Run, here: Path, five: list[str], interrupted: Any
) -> None:
    interrupted(4)
    ferry("verify", "--write", "sums", "five")
    interrupted(NEVER)
    ferry("verify", "--write", "sums", "--algorithm", "blake3", "five")
    assert interrupted.reads == five
    assert sorted(os.listdir(here)) == ["five", "sums"]


def test_a_file_at_the_end_that_went_is_not_among_the_sums(
    ferry: Run, here: Path, five: list[str], interrupted: Any
) -> None:
    interrupted(4)
    ferry("verify", "--write", "sums", "five")
    for name in five[2:]:
        (here / "five" / name).unlink()
    interrupted(NEVER)
    assert ferry("verify", "--write", "sums", "five").status == 0
    assert (interrupted.reads, (here / "sums").read_text()) == ([], lines(here / "five"))


def test_two_commands_do_not_write_one_file(ferry: Run, here: Path, five: list[str]) -> None:
    folder = os.open(here, os.O_RDONLY)
    try:
        other = SumLog(folder, b"sums", b"header")
        result = ferry("verify", "--write", "sums", "five")
        assert (result.status, "another command is writing it" in result.err) == (1, True)
        assert other.close() is False
    finally:
        os.close(folder)


def test_sums_that_were_written_hold(ferry: Run, tree: Path, here: Path) -> None:
    assert ferry("verify", "--write", "sums", "tree") == Result(0, "summed 2 files, 14 B\n", "")
    assert (here / "sums").read_text() == (
        f"{sha256(b'other text').hexdigest()}  tree/other\n{sha256(b'text').hexdigest()}  tree/inner/file\n"
    )
    assert ferry("verify", "--check", "sums") == Result(0, "checked 2 files, 14 B: all alike\n", "")


def test_sums_may_come_by_standard_input(ferry: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = ferry("verify", "--write", "-", "tree").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sums.encode())))
    assert ferry("verify", "--check", "-") == Result(0, "checked 2 files, 14 B: all alike\n", "")


def test_sums_that_do_not_hold_are_one_line_each(ferry: Run, tree: Path) -> None:
    ferry("verify", "--write", "sums", "tree")
    (tree / "inner" / "file").write_bytes(b"tezt")
    (tree / "other").unlink()
    result = ferry("verify", "--check", "sums")
    assert result.status == 1
    assert sorted(result.out.splitlines()) == [
        "checked 2 files, 4 B: 1 differs, 1 missing",
        "differs  tree/inner/file",
        "missing  tree/other",
    ]


def test_a_file_of_sums_is_never_written_over_another(ferry: Run, tree: Path, here: Path) -> None:
    (here / "sums").write_text("precious")
    result = ferry("verify", "--write", "sums", "tree")
    assert result.status == 1
    assert "already there" in result.err
    assert (here / "sums").read_text() == "precious"
    assert sorted(os.listdir(here)) == ["out", "sums", "tree"]


def test_the_file_of_sums_is_not_among_what_is_summed(ferry: Run, tree: Path, here: Path) -> None:
    ferry("verify", "--write", "tree/sums", "tree")
    assert [line.split("  ")[1] for line in (tree / "sums").read_text().splitlines()] == [
        "tree/other",
        "tree/inner/file",
    ]


def test_lines_that_are_no_sums_are_an_error(ferry: Run, tree: Path, here: Path) -> None:
    ferry("verify", "--write", "sums", "tree")
    with (here / "sums").open("a") as sums:
        sums.write("# a comment\n\nnot a sum\n")
    result = ferry("verify", "--check", "sums")
    assert (result.status, "1 line is no sum" in result.err) == (1, True)
    (here / "empty").touch()
    assert "it holds no sums" in ferry("verify", "--check", "empty").err


def test_a_file_of_sums_that_is_not_there_is_an_error(ferry: Run, here: Path) -> None:
    assert f"cannot read {here}/sums: no such file" in ferry("verify", "--check", "sums").err


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum to compare with")
def test_sha256sum_writes_and_reads_the_same(ferry: Run, here: Path) -> None:
    (here / "tree").mkdir()
    for name in HOSTILE_NAMES:
        with open(os.path.join(b"tree", name), "wb") as file:
            file.write(name)
    ferry("verify", "--write", "ours", "tree")
    files = [os.path.join(b"tree", name) for name in sorted(HOSTILE_NAMES)]
    theirs = subprocess.run(["sha256sum", "--", *files], capture_output=True, check=True).stdout
    assert (here / "ours").read_bytes() == theirs
    subprocess.run(["sha256sum", "--check", "--status", "ours"], check=True)
    (here / "theirs").write_bytes(theirs)
    assert ferry("verify", "--check", "theirs").status == 0
    tagged = subprocess.run(["sha256sum", "--tag", "--", *files], capture_output=True, check=True).stdout
    (here / "tagged").write_bytes(tagged)
    assert ferry("verify", "--check", "tagged").status == 0


ABC = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
"""The BLAKE3 sum of "abc", from the vectors of its authors."""


def test_a_file_named_after_b3sum_gets_blake3_sums_and_is_read_as_such(ferry: Run, here: Path) -> None:
    (here / "back\\slash\nline").write_bytes(b"abc")
    assert ferry("verify", "--write", "B3SUMS", "back\\slash\nline").status == 0
    assert (here / "B3SUMS").read_text() == f"\\{ABC}  back\\\\slash\\nline\n"
    assert ferry("verify", "--check", "B3SUMS") == Result(0, "checked 1 file, 3 B: all alike\n", "")


def test_the_kind_of_sums_may_be_said(ferry: Run, here: Path) -> None:
    (here / "file").write_bytes(b"abc")
    ferry("verify", "--write", "sums", "--algorithm", "blake3", "file")
    assert (here / "sums").read_text() == f"{ABC}  file\n"
    assert ferry("verify", "--check", "sums", "--algorithm", "blake3").status == 0


def test_where_no_sum_agrees_the_other_kind_is_proposed_unless_it_was_said(ferry: Run, here: Path) -> None:
    for name in ("file", "gone"):
        (here / name).write_bytes(b"abc")
    ferry("verify", "--write", "sums", "--algorithm", "blake3", "file", "gone")
    (here / "gone").unlink()
    hint = "ferry: they were taken for sha256 sums; if they are not, say --algorithm blake3\n"
    assert ferry("verify", "--check", "sums").err == hint
    assert ferry("verify", "--check", "sums", "--algorithm", "sha256").err == ""
    (here / "file").write_bytes(b"abd")
    assert ferry("verify", "--check", "sums", "--algorithm", "blake3").err == ""


def test_lines_that_say_their_kind_are_read_by_it(ferry: Run, here: Path) -> None:
    (here / "file").write_bytes(b"abc")
    lines = f"BLAKE3 (file) = {ABC}\nSHA256 (file) = {sha256(b'abc').hexdigest()}\n"
    for name in ("sums", "B3SUMS"):
        (here / name).write_text(lines)
        assert ferry("verify", "--check", name).status == 0


def test_a_name_b3sum_cannot_take_is_an_error_and_the_others_are_summed(ferry: Run, here: Path) -> None:
    (here / "tree").mkdir()
    for name in (b"tree/bad\xff", b"tree/good"):
        with open(name, "wb") as file:
            file.write(b"abc")
    result = ferry("verify", "--write", "sums.b3", "tree")
    assert (result.status, (here / "sums.b3").read_text()) == (1, f"{ABC}  tree/good\n")
    assert "b3sum takes no name that is not UTF-8. Use --algorithm sha256." in result.err


@pytest.mark.skipif(shutil.which("b3sum") is None, reason="there is no b3sum to compare with")
def test_b3sum_writes_and_reads_the_same(ferry: Run, here: Path) -> None:
    (here / "tree").mkdir()
    names = [name for name in sorted(HOSTILE_NAMES) if can_hold(Algorithm.BLAKE3, name)]
    for name in names:
        with open(os.path.join(b"tree", name), "wb") as file:
            file.write(name)
    ferry("verify", "--write", "ours.b3", "tree")
    files = [os.path.join(b"tree", name) for name in names]
    theirs = subprocess.run(["b3sum", "--", *files], capture_output=True, check=True).stdout
    assert (here / "ours.b3").read_bytes() == theirs
    subprocess.run(["b3sum", "--check", "--quiet", "ours.b3"], check=True)


@pytest.mark.parametrize(
    ("file", "algorithm"),
    [
        ("B3SUMS", Algorithm.BLAKE3),
        ("dir/photos.b3", Algorithm.BLAKE3),
        ("photos-b3sum.txt", Algorithm.BLAKE3),
        ("x.blake3", Algorithm.BLAKE3),
        ("b3/SHA256SUMS", Algorithm.SHA256),
        ("ab3c", Algorithm.SHA256),
        ("-", Algorithm.SHA256),
    ],
)
def test_a_file_of_sums_is_known_by_a_word_of_its_name(file: str, algorithm: Algorithm) -> None:
    assert algorithm_of(file) is algorithm


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_any_name_survives_a_line(name: bytes) -> None:
    line = write_line("ab" * 32, name)
    assert line.count(b"\n") == 1
    assert read_line(line[:-1]) == Line(name, "ab" * 32)


@pytest.mark.parametrize(
    "text",
    [b"", b"text", b"ab" * 32, b"ab" * 32 + b" name", b"ab" * 31 + b"  name", b"\\" + b"ab" * 32 + b"  a\\x"],
)
def test_what_is_no_line_is_none(text: bytes) -> None:
    assert read_line(text) is None


def test_binary_marks_and_capital_letters_are_read() -> None:
    assert read_line(b"AB" * 32 + b" *name") == Line(b"name", "ab" * 32)
