from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui.model.error import NotEmpty, NotFound, SourceReplaced
from tui.model.location import Location
from tui.places.local import single
from tui.places.local.reversing import identity_of, remove_made, why_not_gone

if TYPE_CHECKING:
    from pathlib import Path


def at(path: Path) -> Location:
    return Location.local(path)


def test_folders_made_go_with_those_made_on_the_way(source: Path) -> None:
    (source / "there").mkdir()
    made = at(source / "there" / "a" / "b" / "c")
    top = single.make_folder(made)
    assert top == at(source / "there" / "a")
    remove_made(made, top, identity_of(made))
    assert list((source / "there").iterdir()) == []


def test_a_folder_made_on_the_way_stays_if_something_else_is_in_it(source: Path) -> None:
    made = at(source / "a" / "b")
    top = single.make_folder(made)
    (source / "a" / "other").touch()
    remove_made(made, top, identity_of(made))
    assert [path.name for path in (source / "a").iterdir()] == ["other"]


def test_a_file_and_a_link_that_were_made_go_again(source: Path) -> None:
    single.create_file(at(source / "file"))
    single.make_symlink(at(source / "link"), "file")
    single.make_hardlink(at(source / "name"), at(source / "file"))
    for name in ("name", "link", "file"):
        made = at(source / name)
        identity = identity_of(made)
        assert why_not_gone(made, identity) is None
        remove_made(made, made, identity)
    assert list(source.iterdir()) == []


def test_a_file_that_was_written_to_stays(source: Path) -> None:
    made = at(source / "file")
    single.create_file(made)
    identity = identity_of(made)
    (source / "file").write_text("something")
    with pytest.raises(SourceReplaced, match="was changed since"):
        remove_made(made, made, identity)
    assert (source / "file").read_text() == "something"


def test_what_has_gone_is_told_but_not_where_that_was_begun_before(source: Path) -> None:
    made = at(source / "a" / "b")
    top = single.make_folder(made)
    identity = identity_of(made)
    (source / "a" / "b").rmdir()
    with pytest.raises(NotFound):
        remove_made(made, top, identity)
    assert (source / "a").is_dir()
    remove_made(made, top, identity, again=True)
    assert not (source / "a").exists()


def test_an_empty_folder_that_a_link_on_the_way_leads_to_stays(source: Path, target: Path) -> None:
    made = at(source / "a" / "b" / "c")
    top = single.make_folder(made)
    identity = identity_of(made)
    (source / "a").rename(source / "aside")
    (source / "a").symlink_to(target)
    (target / "b").mkdir()
    remove_made(made, top, identity, again=True)
    assert (target / "b").is_dir()


def test_a_folder_that_something_was_put_into_stays(source: Path) -> None:
    made = at(source / "a")
    top = single.make_folder(made)
    identity = identity_of(made)
    (source / "a" / "file").touch()
    assert why_not_gone(made, identity) == f"something is in {made}"
    with pytest.raises(NotEmpty, match="something is in it"):
        remove_made(made, top, identity)
    assert (source / "a" / "file").exists()


def test_a_folder_made_anew_is_not_the_one_that_was_made(source: Path) -> None:
    made = at(source / "a")
    top = single.make_folder(made)
    identity = identity_of(made)
    (source / "a").rmdir()
    (source / "a").mkdir()
    with pytest.raises(SourceReplaced, match="another one"):
        remove_made(made, top, identity)
    assert (source / "a").is_dir()
