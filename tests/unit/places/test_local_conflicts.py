from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.trees import describe
from tests.unit.places.local_driver import RULES, copy_tree, rules
from tui.model.job import Conflict
from tui.places.local.hops import Brake
from tui.places.local.standing import cut, other_names, same_time

if TYPE_CHECKING:
    from pathlib import Path

OLD_NS, NEW_NS = 1_500_000_000_000_000_001, 1_600_000_000_000_000_001


def put(path: Path, text: str, mtime_ns: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(mtime_ns, mtime_ns))


@pytest.fixture
def clash(source: Path, target: Path) -> None:
    """A newer file in the source, an older and different one of the same name at the target."""
    put(source / "a.txt", "from the source", NEW_NS)
    put(target / "a.txt", "standing", OLD_NS)


@pytest.mark.usefixtures("clash")
@pytest.mark.parametrize("rule", [Conflict.ASK, Conflict.FAIL])
def test_ask_and_fail_report_both_files_and_touch_nothing(source: Path, target: Path, rule: Conflict) -> None:
    before = describe(target)
    (collision,) = copy_tree(source, target, rules(rule)).collisions
    assert collision.name == b"a.txt"
    assert (collision.source.size_bytes, collision.source.mtime_ns) == (15, NEW_NS)
    assert (collision.target.size_bytes, collision.target.mtime_ns) == (8, OLD_NS)
    assert describe(target)[b"a.txt"] == before[b"a.txt"]


@pytest.mark.usefixtures("clash")
def test_skip_leaves_what_stands_and_counts_it(source: Path, target: Path) -> None:
    outcome = copy_tree(source, target, rules(Conflict.SKIP))
    assert (outcome.skipped, outcome.files) == (1, 0)
    assert (target / "a.txt").read_text() == "standing"


@pytest.mark.usefixtures("clash")
def test_overwrite_replaces_in_one_step(source: Path, target: Path) -> None:
    with open(target / "a.txt") as reader:
        assert copy_tree(source, target, rules(Conflict.OVERWRITE)).files == 1
        assert reader.read() == "standing"  # who had it open keeps the old one whole
    assert describe(source) == describe(target)


@pytest.mark.usefixtures("clash")
def test_newer_replaces_only_what_is_older(source: Path, target: Path) -> None:
    put(source / "b.txt", "older source", OLD_NS)
    put(target / "b.txt", "newer target", NEW_NS)
    outcome = copy_tree(source, target, rules(Conflict.NEWER))
    assert (outcome.files, outcome.skipped) == (1, 1)
    assert (target / "a.txt").read_text() == "from the source"
    assert (target / "b.txt").read_text() == "newer target"


@pytest.mark.usefixtures("clash")
def test_rename_keeps_both_and_does_so_once(source: Path, target: Path) -> None:
    put(target / "a (1).txt", "taken too", OLD_NS)
    assert copy_tree(source, target, rules(Conflict.RENAME)).files == 1
    again = copy_tree(source, target, rules(Conflict.RENAME))
    assert (again.files, again.same) == (0, 1)
    assert sorted(os.listdir(target)) == ["a (1).txt", "a (2).txt", "a.txt"]
    assert (target / "a (2).txt").read_text() == "from the source"
    assert (target / "a.txt").read_text() == "standing"


@pytest.mark.usefixtures("clash")
def test_a_decision_about_one_name_goes_before_the_rule(source: Path, target: Path) -> None:
    put(source / "b.txt", "b", NEW_NS)
    put(target / "b.txt", "standing b", OLD_NS)
    outcome = copy_tree(source, target, rules(Conflict.ASK, decided={b"b.txt": Conflict.OVERWRITE}))
    assert [collision.name for collision in outcome.collisions] == [b"a.txt"]
    assert (target / "b.txt").read_text() == "b"


@pytest.mark.parametrize("rule", list(Conflict))
def test_folders_meeting_folders_are_merged_under_every_rule(
    source: Path, target: Path, rule: Conflict
) -> None:
    (source / "d").mkdir()
    (target / "d").mkdir()
    put(source / "d" / "new", "new", NEW_NS)
    put(target / "d" / "there", "there", OLD_NS)
    outcome = copy_tree(source, target, rules(rule))
    assert (outcome.files, outcome.failures, outcome.collisions) == (1, [], [])
    assert sorted(os.listdir(target / "d")) == ["new", "there"]


@pytest.mark.parametrize("rule", [Conflict.OVERWRITE, Conflict.NEWER, Conflict.FAIL])
def test_a_folder_never_replaces_a_file_nor_a_file_a_folder(
    source: Path, target: Path, rule: Conflict
) -> None:
    (source / "x").mkdir()
    put(source / "x" / "in", "in", NEW_NS)
    put(source / "y", "y", NEW_NS)
    put(target / "x", "file", OLD_NS)
    (target / "y").mkdir()
    put(target / "y" / "kept", "kept", OLD_NS)
    outcome = copy_tree(source, target, rules(rule))
    assert sorted(outcome.problems) == [(b"x", "NotAFolder"), (b"y", "IsAFolder")]
    assert (target / "x").read_text() == "file"
    assert (target / "y" / "kept").read_text() == "kept"


def test_kinds_that_do_not_match_are_asked_about_skipped_or_both_kept(source: Path, target: Path) -> None:
    (source / "x").mkdir()
    put(source / "x" / "in", "in", NEW_NS)
    put(source / "y", "y", NEW_NS)
    put(target / "x", "file", OLD_NS)
    (target / "y").mkdir()
    asked = copy_tree(source, target, rules(Conflict.ASK))
    assert sorted(collision.name for collision in asked.collisions) == [b"x", b"y"]
    skipped = copy_tree(source, target, rules(Conflict.SKIP))
    assert (skipped.failures, skipped.files) == ([], 0)
    for _ in range(2):
        assert copy_tree(source, target, rules(Conflict.RENAME)).failures == []
    assert sorted(os.listdir(target)) == ["x", "x (1)", "y", "y (1)"]
    assert (target / "x (1)" / "in").read_text() == "in"
    assert (target / "y (1)").read_text() == "y"


@pytest.mark.parametrize(
    "rule", [Conflict.OVERWRITE, Conflict.NEWER, Conflict.ASK, Conflict.SKIP, Conflict.RENAME]
)
def test_a_link_to_a_folder_is_never_followed(
    source: Path, target: Path, tmp_path: Path, rule: Conflict
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (source / "d").mkdir()
    put(source / "d" / "in", "in", NEW_NS)
    (target / "d").symlink_to(elsewhere)
    copy_tree(source, target, rules(rule))
    assert os.listdir(elsewhere) == []
    assert (target / "d").is_symlink()


def test_a_link_at_the_target_is_replaced_itself(source: Path, target: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    put(victim, "precious", OLD_NS)
    put(source / "a", "new", NEW_NS)
    (target / "a").symlink_to(victim)
    assert copy_tree(source, target, rules(Conflict.OVERWRITE)).files == 1
    assert victim.read_text() == "precious"
    assert describe(source) == describe(target)


def test_links_compare_by_where_they_point(source: Path, target: Path) -> None:
    for name, points_to in (("same", "x"), ("other", "x")):
        (source / name).symlink_to(points_to)
    (target / "same").symlink_to("x")
    (target / "other").symlink_to("y")
    outcome = copy_tree(source, target, rules(Conflict.OVERWRITE))
    assert (outcome.same, outcome.files) == (1, 1)
    assert os.readlink(target / "other") == "x"


def test_a_target_that_is_the_source_itself_counts_as_the_same(source: Path, target: Path) -> None:
    put(source / "a", "content", NEW_NS)
    os.link(source / "a", target / "a")
    os.link(source / "a", target / "kept")
    outcome = copy_tree(source, target, rules(Conflict.OVERWRITE, compare=True))
    assert (outcome.same, outcome.files) == (1, 0)
    assert (source / "a").read_text() == "content"
    assert (source / "a").stat().st_nlink == 3


def test_a_folder_is_not_copied_onto_itself(source: Path) -> None:
    put(source / "a", "content", NEW_NS)
    outcome = copy_tree(source, source, rules(Conflict.OVERWRITE))
    assert outcome.problems == [(b"", "SameFile")]


def test_the_target_inside_the_source_is_not_gone_into(source: Path) -> None:
    target = source / "inner"
    target.mkdir()
    put(source / "a", "content", NEW_NS)
    outcome = copy_tree(source, target)
    assert outcome.problems == [(b"inner", "TargetInsideSource")]
    assert os.listdir(target) == ["a"]


def test_equal_looking_files_are_compared_where_that_is_asked_for(source: Path, target: Path) -> None:
    put(source / "a", "aaaa", NEW_NS)
    put(target / "a", "bbbb", NEW_NS)
    put(source / "b", "same", NEW_NS)
    put(target / "b", "same", NEW_NS)
    assert copy_tree(source, target).same == 2
    strict = copy_tree(source, target, replace(RULES, compare=True))
    assert (strict.same, [collision.name for collision in strict.collisions]) == (1, [b"a"])
    assert copy_tree(source, target, rules(Conflict.OVERWRITE, compare=True)).files == 1
    assert (target / "a").read_text() == "aaaa"


def test_comparing_stops_at_the_brake_and_counts_nothing_twice(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(3 << 20)
    for folder in (source, target):
        (folder / "a").write_bytes(data)
        os.utime(folder / "a", ns=(1, NEW_NS))
    brake = Brake()
    real = os.pread

    def braking(*args: int) -> bytes:
        brake.on = True
        return real(*args)

    monkeypatch.setattr(os, "pread", braking)
    outcome = copy_tree(source, target, replace(RULES, compare=True), brake=brake)
    assert (outcome.same, outcome.collisions, outcome.failures) == (0, [], [])


@pytest.mark.parametrize("cut_ns", [1_000_000_000])
def test_a_target_with_whole_seconds_counts_as_the_same(source: Path, target: Path, cut_ns: int) -> None:
    put(source / "a", "aaaa", NEW_NS)
    put(target / "a", "aaaa", NEW_NS // cut_ns * cut_ns)
    assert copy_tree(source, target, rules(Conflict.NEWER)).same == 1


def test_names_given_are_copied_under_the_names_given(source: Path, target: Path) -> None:
    put(source / "a", "a", NEW_NS)
    (source / "d").mkdir()
    put(source / "d" / "in", "in", NEW_NS)
    put(source / "left out", "x", NEW_NS)
    outcome = copy_tree(source, target, names=[(b"a", b"A"), (b"d", b"D")])
    assert outcome.failures == []
    assert sorted(os.listdir(target)) == ["A", "D"]
    assert (target / "D" / "in").read_text() == "in"


def test_a_late_addition_leaves_a_mirrored_folder_with_its_time(source: Path, target: Path) -> None:
    put(source / "a", "a", NEW_NS)
    put(source / "b", "b", NEW_NS)
    os.utime(source, ns=(OLD_NS, OLD_NS))
    copy_tree(source, target)
    (target / "b").unlink()
    os.utime(target, ns=(OLD_NS, OLD_NS))
    copy_tree(source, target, names=[(b"b", b"b")])
    assert describe(source) == describe(target)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (b"a.txt", b"a (1).txt"),
        (b"a.tar.gz", b"a.tar (1).gz"),
        (b".bashrc", b".bashrc (1)"),
        (b"plain", b"plain (1)"),
        (b"x" * 255, b"x" * 251 + b" (1)"),
        ("é".encode() * 127 + b".", "é".encode() * 125 + b" (1)."),
        (b"x" * 251 + b".txt", b"x" * 247 + b" (1).txt"),
        (b"a." + b"x" * 100, b"a." + b"x" * 100 + b" (1)"),
    ],
)
def test_other_names_put_the_number_before_the_suffix_and_stay_short(name: bytes, first: bytes) -> None:
    found = next(other_names(name, folder=False))
    assert found == first
    assert len(found) <= 255


def test_other_names_of_folders_have_no_suffix() -> None:
    names = other_names(b"v1.2", folder=True)
    assert [next(names), next(names)] == [b"v1.2 (1)", b"v1.2 (2)"]


def test_cutting_keeps_characters_whole() -> None:
    assert cut("a🛳b".encode(), 4) == b"a"
    assert cut("a🛳b".encode(), 5) == "a🛳".encode()
    assert cut(b"\xff\xff\xff", 2) == b"\xff\xff"


def test_times_count_as_the_same_only_as_coarsely_as_the_target_keeps_them() -> None:
    second = 10**9
    assert same_time(7 * second + 5, 7 * second, 1)
    assert not same_time(7 * second + 5, 7 * second + 4, 1)
    assert not same_time(7 * second, 7 * second + 5, 1)
    assert not same_time(7 * second, 6 * second, 1)
    assert same_time(7 * second + 5, 6 * second, 2 * second)
    assert not same_time(8 * second, 6 * second, 2 * second)
    assert same_time(7 * second + 199, 7 * second + 100, 100)


@pytest.mark.parametrize("end_s", [-(2**31), 0, 315_532_800])
def test_a_time_before_the_first_a_target_knows_is_that_one_there(end_s: int) -> None:
    end_ns = end_s * 10**9
    assert same_time(end_ns - 10**18, end_ns, 1)
    assert not same_time(end_ns + 10**18, end_ns, 1)
    assert not same_time(end_ns - 10**18, end_ns - 10**9, 1)


@pytest.mark.parametrize("end_s", [2**31 - 1, 2**32 - 1, 4_354_819_198, 15_032_385_535, 16_299_260_424])
def test_a_time_after_the_last_a_target_knows_is_that_one_there(end_s: int) -> None:
    end_ns = end_s * 10**9
    assert same_time(end_ns + 10**18 + 1, end_ns, 1)
    assert not same_time(end_ns - 10**18, end_ns, 1)
    assert not same_time(end_ns + 10**18, end_ns + 2 * 10**9, 1)
