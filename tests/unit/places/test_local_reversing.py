from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui.model.error import AlreadyExists, NotEmpty, NotFound, SourceReplaced
from tui.model.location import Location
from tui.places.local import single
from tui.places.local.reversing import identity_of, remove_made, rename_back

if TYPE_CHECKING:
    from pathlib import Path


def at(path: Path) -> Location:
    return Location.local(path)


def renamed(source: Path) -> str:
    """Rename a file from a to b; return what it is known by."""
    (source / "a").write_text("mine")
    single.rename(at(source / "a"), at(source / "b"))
    return identity_of(at(source / "b"))


def test_a_name_is_given_back(source: Path) -> None:
    rename_back(at(source / "b"), at(source / "a"), renamed(source))
    assert [path.name for path in source.iterdir()] == ["a"]


def test_a_name_that_was_taken_meanwhile_is_left_to_its_owner(source: Path) -> None:
    identity = renamed(source)
    (source / "a").write_text("another")
    with pytest.raises(AlreadyExists):
        rename_back(at(source / "b"), at(source / "a"), identity)
    assert ((source / "a").read_text(), (source / "b").read_text()) == ("another", "mine")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda path: path.unlink(), "is not there any more"),
        (lambda path: path.write_text("changed"), "was changed since"),
        (lambda path: (path.unlink(), path.mkdir()), "is another one now"),
    ],
)
def test_what_is_not_what_was_renamed_keeps_its_name(source: Path, change: object, why: str) -> None:
    identity = renamed(source)
    change(source / "b")  # type: ignore[operator]
    with pytest.raises(SourceReplaced, match=why):
        rename_back(at(source / "b"), at(source / "a"), identity)
    assert not (source / "a").exists()


def test_an_old_folder_that_has_gone_is_told(source: Path) -> None:
    identity = renamed(source)
    with pytest.raises(NotFound):
        rename_back(at(source / "b"), at(source / "gone" / "a"), identity)


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


def test_a_folder_that_something_was_put_into_stays(source: Path) -> None:
    made = at(source / "a")
    top = single.make_folder(made)
    identity = identity_of(made)
    (source / "a" / "file").touch()
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
