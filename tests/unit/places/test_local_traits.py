"""What is not to travel stays behind, and what tells a complete copy without its source's time."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.places.local_driver import OWN, RULES, copy_tree, rules, run
from tui.model.fidelity import ALL_TRAITS, Loss, Trait
from tui.model.job import Conflict
from tui.places.local.copying import HardLinks
from tui.places.local.hops import Brake
from tui.places.local.landing import Landing
from tui.places.local.moved_removal import MovedRemoval
from tui.places.local.root import Root

if TYPE_CHECKING:
    from pathlib import Path

    from tui.places.local.copy_rules import CopyRules

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
ways = pytest.mark.parametrize(
    "base",
    [RULES, OWN, replace(RULES, large_bytes=0)],
    ids=["standing folder", "own folder", "in slices"],
)
OLD_NS = 1_600_000_000_123_456_789


def without(base: CopyRules, *traits: Trait) -> CopyRules:
    return replace(base, keep=ALL_TRAITS - set(traits))


def write(path: Path, content: bytes = b"content") -> Path:
    path.write_bytes(content)
    os.utime(path, ns=(OLD_NS, OLD_NS))
    return path


@needs_root
@ways
def test_without_owner_all_belongs_to_who_copies_and_no_program_runs_as_another(
    source: Path, target: Path, base: CopyRules
) -> None:
    for name in ("file", "folder", "link"):
        if name == "file":
            write(source / name)
        elif name == "folder":
            (source / name).mkdir()
        else:
            (source / name).symlink_to("file")
        os.chown(source / name, 1234, 1234, follow_symlinks=False)
    (source / "file").chmod(0o4755)
    outcome = copy_tree(source, target, without(base, Trait.OWNER))
    assert outcome.failures == []
    assert {(target / name).lstat().st_uid for name in ("file", "folder", "link")} == {0}
    assert stat.S_IMODE((target / "file").stat().st_mode) == 0o755
    assert {str(loss) for loss, _ in outcome.losses} == {"mode"}


@ways
def test_without_attributes_they_stay_behind(source: Path, target: Path, base: CopyRules) -> None:
    try:
        os.setxattr(write(source / "file"), "user.colour", b"blue")
    except OSError:
        pytest.skip("this filesystem has no attributes")
    outcome = copy_tree(source, target, without(base, Trait.XATTR))
    assert os.listxattr(target / "file") == []
    assert outcome.losses == []


@ways
def test_without_hard_links_each_name_is_a_file(source: Path, target: Path, base: CopyRules) -> None:
    os.link(write(source / "one"), source / "two")
    outcome = copy_tree(source, target, without(base, Trait.HARDLINKS))
    assert (target / "one").stat().st_ino != (target / "two").stat().st_ino
    assert outcome.losses == []


def test_a_new_name_of_a_file_that_stood_there_tells_that_it_has_the_mode_of_that(
    source: Path, target: Path
) -> None:
    os.link(write(source / "one"), source / "two")
    (source / "one").chmod(0o600)
    write(target / "one").chmod(0o644)
    outcome = copy_tree(source, target, RULES, names=[(b"one", b"one"), (b"two", b"two")])
    assert (target / "one").samefile(target / "two")
    assert outcome.losses == [(Loss.MODE, b"two")]


@ways
def test_without_holes_the_disk_holds_every_byte(source: Path, target: Path, base: CopyRules) -> None:
    with (source / "holes").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"data")
        file.truncate(3 << 20)
    content = (source / "holes").read_bytes()
    outcome = copy_tree(source, target, without(base, Trait.SPARSE))
    assert (target / "holes").read_bytes() == content
    assert (target / "holes").stat().st_blocks * 512 >= 3 << 20
    assert outcome.losses == []


@ways
def test_without_times_files_folders_and_links_have_the_time_of_their_copy(
    source: Path, target: Path, base: CopyRules
) -> None:
    write(source / "file")
    (source / "link").symlink_to("file")
    (source / "folder").mkdir()
    for name in ("link", "folder"):
        os.utime(source / name, ns=(OLD_NS, OLD_NS), follow_symlinks=False)
    copy_tree(source, target, without(base, Trait.TIMES))
    for name in ("file", "link", "folder"):
        assert (target / name).lstat().st_mtime_ns > OLD_NS


@ways
def test_without_times_a_second_copy_finds_all_complete_by_content(
    source: Path, target: Path, base: CopyRules
) -> None:
    write(source / "file")
    os.link(source / "file", source / "twin")
    (source / "link").symlink_to("file")
    timeless = without(replace(base, conflict=Conflict.FAIL), Trait.TIMES)
    copy_tree(source, target, timeless)
    assert (target / "file").stat().st_ino == (target / "twin").stat().st_ino
    again = copy_tree(source, target, timeless)
    assert (again.same, again.files, again.large, again.collisions) == (3, 0, 0, [])


def test_without_times_other_content_of_the_same_size_is_a_conflict(source: Path, target: Path) -> None:
    write(source / "file", b"one")
    (target / "file").write_bytes(b"two")
    outcome = copy_tree(source, target, rules(Conflict.FAIL, keep=ALL_TRAITS - {Trait.TIMES}))
    assert [collision.name for collision in outcome.collisions] == [b"file"]


def test_without_times_a_half_file_of_full_size_is_not_taken_for_whole(source: Path, target: Path) -> None:
    """In the job's own folder, where a leftover is replaced without asking."""
    write(source / "file", b"whole")
    (target / "file").write_bytes(b"wh\0\0\0")
    os.utime(target / "file", ns=(OLD_NS, OLD_NS))
    outcome = copy_tree(source, target, without(OWN, Trait.TIMES))
    assert (outcome.files, (target / "file").read_bytes()) == (1, b"whole")


def test_without_times_no_file_gets_its_name_before_it_has_its_attributes(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "file")
    seen: list[str] = []
    give = Landing.give

    def look(landing: Landing, *rest: object) -> None:
        give(landing, *rest)  # type: ignore[arg-type]
        seen.extend(os.listdir(target))

    monkeypatch.setattr(Landing, "give", look)
    copy_tree(source, target, without(OWN, Trait.TIMES))
    assert "file" not in seen
    assert os.listdir(target) == ["file"]


def test_without_times_a_link_is_made_only_to_what_this_job_put_there(source: Path, target: Path) -> None:
    """Somebody puts another file of that size under the first name before the second is come by."""
    os.link(write(source / "one"), source / "two")
    links, timeless = HardLinks(), without(RULES, Trait.TIMES)
    copy_tree(source, target, timeless, names=[(b"one", b"one")], links=links)
    (target / "other").write_bytes(b"CONTENT")
    (target / "other").replace(target / "one")
    copy_tree(source, target, timeless, names=[(b"two", b"two")], links=links)
    assert (target / "two").read_bytes() == b"content"
    assert (target / "one").read_bytes() == b"CONTENT"


def test_without_times_an_original_goes_only_where_its_content_stands(source: Path, target: Path) -> None:
    for name in ("same", "other"):
        write(source / name)
    (target / "same").write_bytes(b"content")
    (target / "other").write_bytes(b"CONTENT")
    timeless = without(RULES, Trait.TIMES)
    with Root.open(str(source)) as here, Root.open(str(target)) as there:
        for name in (b"same", b"other"):
            run(MovedRemoval(here, there, name, name, Brake(), timeless))
    assert [path.name for path in source.iterdir()] == ["other"]
