"""A small file takes the name of what stands there by an exchange: at every moment one of the two has it, whole."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.places.local_driver import copy_tree, rules
from tui.model.job import Conflict, Flush
from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.places.local_driver import Outcome

EXCHANGE = syscalls.exchange


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_text("new")
    return tmp_path / "source"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "file").write_text("the old one")
    return tmp_path / "target"


def replaced(source: Path, target: Path, **more: Any) -> Outcome:
    return copy_tree(source, target, rules(Conflict.OVERWRITE, **more))


def first(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> list[int]:
    """Have something happen right before names are exchanged; count the exchanges."""
    calls = [0]

    def exchange(folder: int, one: bytes, other: bytes) -> bool:
        calls[0] += 1
        if calls[0] == 1:
            happens()
        return EXCHANGE(folder, one, other)

    monkeypatch.setattr(syscalls, "exchange", exchange)
    return calls


@pytest.mark.parametrize("flush", list(Flush))
def test_the_new_file_has_the_name_and_nothing_of_the_old_one_is_left(
    source: Path, target: Path, flush: Flush
) -> None:
    assert replaced(source, target, flush=flush).files == 1
    assert os.listdir(target) == ["file"]
    assert (target / "file").read_text() == "new"


def test_a_folder_that_comes_there_meanwhile_keeps_its_name_and_what_is_in_it(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put_a_folder_there() -> None:
        (target / "file").unlink()
        (target / "file").mkdir()
        (target / "file" / "precious").write_text("precious")

    calls = first(monkeypatch, put_a_folder_there)
    assert replaced(source, target).problems == [(b"file", "IsAFolder")]
    assert calls == [2]  # there, and back
    assert os.listdir(target) == ["file"]
    assert (target / "file" / "precious").read_text() == "precious"


def test_what_goes_meanwhile_is_not_missed(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = first(monkeypatch, (target / "file").unlink)
    assert replaced(source, target).files == 1
    assert calls == [1]
    assert os.listdir(target) == ["file"]
    assert (target / "file").read_text() == "new"


def test_where_names_cannot_be_exchanged_the_new_file_is_renamed_over_the_old_one(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syscalls, "exchange", lambda *_: False)
    assert replaced(source, target).files == 1
    assert os.listdir(target) == ["file"]
    assert (target / "file").read_text() == "new"


def test_an_old_file_that_cannot_be_removed_gets_its_name_back_and_the_next_try_leaves_nothing(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "unlink", fail)
    assert len(replaced(source, target).failures) == 1
    assert (target / "file").read_text() == "the old one"
    monkeypatch.undo()
    assert replaced(source, target).files == 1
    assert os.listdir(target) == ["file"]
    assert (target / "file").read_text() == "new"
