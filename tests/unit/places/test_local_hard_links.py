from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.trees import describe
from tests.unit.places.local_driver import OWN, RULES, copy_tree, differences_by_rsync, rules
from tui.model.job import Conflict
from tui.places.local.copying import FolderCopy, HardLinks
from tui.places.local.hops import Brake
from tui.places.local.root import Root

if TYPE_CHECKING:
    from pathlib import Path

    from tui.places.local.copy_rules import CopyRules

both = pytest.mark.parametrize("rules_", [RULES, OWN], ids=["standing folder", "own folder"])
large = pytest.mark.parametrize("large_bytes", [1 << 20, 1], ids=["small", "in slices"])


@pytest.fixture
def linked(source: Path) -> Path:
    """Names of two files, over three folders, and a link with two names."""
    for folder in ("a", "b", "c"):
        (source / folder).mkdir()
    (source / "a" / "one").write_text("the first file")
    (source / "b" / "other").write_text("second file")
    for name in ("a/two", "b/three", "c/four", "five"):
        os.link(source / "a" / "one", source / name)
    os.link(source / "b" / "other", source / "c" / "another")
    (source / "a" / "link").symlink_to("one")
    os.link(source / "a" / "link", source / "c" / "link", follow_symlinks=False)
    return source


def assert_alike(source: Path, target: Path) -> None:
    assert describe(source) == describe(target)
    assert differences_by_rsync(source, target) == ""


@large
@both
def test_names_of_one_file_stay_names_of_one_file(
    linked: Path, target: Path, rules_: CopyRules, large_bytes: int
) -> None:
    assert copy_tree(linked, target, replace(rules_, large_bytes=large_bytes)).failures == []
    assert_alike(linked, target)


@large
@both
@pytest.mark.parametrize("missing", ["a/one", "a/two", "b/three", "c/four", "five"])
def test_they_stay_together_when_a_copy_is_resumed(
    linked: Path, target: Path, rules_: CopyRules, large_bytes: int, missing: str
) -> None:
    rules_ = replace(rules_, large_bytes=large_bytes)
    copy_tree(linked, target, rules_)
    (target / missing).unlink()
    assert copy_tree(linked, target, rules_, links=HardLinks()).failures == []
    assert_alike(linked, target)


@both
def test_names_that_were_copied_apart_are_joined_where_their_content_is_the_same(
    linked: Path, target: Path, rules_: CopyRules
) -> None:
    copy_tree(linked, target, rules_)
    info = (target / "five").stat()
    (target / "five").unlink()
    (target / "five").write_text("the first file")
    os.utime(target / "five", ns=(info.st_atime_ns, info.st_mtime_ns))
    copy_tree(linked, target, rules_)
    assert_alike(linked, target)


def test_a_standing_file_that_only_looks_the_same_is_not_made_a_link(linked: Path, target: Path) -> None:
    info = (linked / "five").stat()
    (target / "five").write_text("another text  ")
    os.utime(target / "five", ns=(info.st_atime_ns, info.st_mtime_ns))
    copy_tree(linked, target)
    assert (target / "five").read_text() == "another text  "


@large
def test_replaced_files_become_links_too(linked: Path, target: Path, large_bytes: int) -> None:
    for folder in ("a", "b", "c"):
        (target / folder).mkdir()
    for name in ("a/one", "a/two", "five"):
        (target / name).write_text("old")
    assert copy_tree(linked, target, rules(Conflict.OVERWRITE, large_bytes=large_bytes)).failures == []
    assert_alike(linked, target)


def test_links_hold_across_sources_after_the_first_was_published(linked: Path, target: Path) -> None:
    links = HardLinks()
    (target / "stage").mkdir()
    with Root.open(str(linked)) as from_root, Root.open(str(target)) as to_root:
        copy = FolderCopy(from_root, to_root, b"a", b"stage", OWN, links, Brake())
        assert copy.step().exhausted
        copy.close()
        (target / "stage").rename(target / "a")
        links.moved(b"stage", b"a")
        copy = FolderCopy(from_root, to_root, b"", b"", RULES, links, Brake(), [(b"five", b"five")])
        assert copy.step().files == 1
        copy.close()
    assert (target / "five").samefile(target / "a" / "one")


def test_a_target_file_removed_meanwhile_is_copied_again(linked: Path, target: Path) -> None:
    links = HardLinks()
    copy_tree(linked, target, links=links, names=[(b"five", b"five")])
    (target / "five").unlink()
    assert copy_tree(linked, target, links=links, names=[(b"a", b"a")]).failures == []
    assert (target / "a" / "one").read_text() == "the first file"


def test_where_links_cannot_be_made_copies_are(
    linked: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert copy_tree(linked, target).failures == []
    assert (target / "five").read_text() == "the first file"
    assert (target / "five").stat().st_nlink == 1


def test_two_threads_agree_on_one_file(source: Path, target: Path) -> None:
    for folder in ("a", "b"):
        (source / folder).mkdir()
        (target / folder).mkdir()
    for number in range(200):
        (source / "a" / str(number)).write_text(str(number))
        os.link(source / "a" / str(number), source / "b" / str(number))
    links, start = HardLinks(), threading.Barrier(2)

    def copy(folder: bytes) -> None:
        with Root.open(str(source)) as from_root, Root.open(str(target)) as to_root:
            work = FolderCopy(from_root, to_root, folder, folder, RULES, links, Brake())
            start.wait()
            while not work.step().exhausted:
                pass
            work.close()

    threads = [threading.Thread(target=copy, args=(name,)) for name in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(200):
        assert (target / "a" / str(number)).samefile(target / "b" / str(number))
    assert len(os.listdir(target / "a")) == len(os.listdir(target / "b")) == 200
