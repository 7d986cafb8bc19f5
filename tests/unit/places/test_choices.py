"""What very many names of a folder become is found out by one at a time, and once for all who go by it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from tui.model.misfit import Names
from tui.places.local import gathered as gathered_module
from tui.places.local import new_names as new_names_module
from tui.places.local.content import Stopped
from tui.places.local.fitting import Fitting
from tui.places.local.hops import Brake
from tui.places.local.name_rules import WINDOWS
from tui.places.local.new_names import Choices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui.places.local.new_names import NewNames

LONG_AGO = 1_700_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A folder of more names than are looked at all at once; last changed long ago."""
    monkeypatch.setattr(gathered_module, "FEW", 8)
    monkeypatch.setattr(gathered_module, "_PACK", 4)
    for number in range(20):
        (tmp_path / f"FILE{number}").touch()
        (tmp_path / f"file{number}").touch()
    os.utime(tmp_path, (LONG_AGO, LONG_AGO))
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def fitting(way: Names = Names.UNDERSCORE) -> Fitting:
    return Fitting(WINDOWS, way)


def become(names: NewNames) -> set[bytes | None]:
    return {names.get(b"%s%d" % (word, number), b"") for word in (b"FILE", b"file") for number in range(20)}


def test_a_copy_and_a_count_go_by_the_same(folder: int) -> None:
    chosen = fitting().of(folder, b"top")
    assert fitting().of(folder, b"top") is chosen
    assert chosen.get(b"file7", b"file7") == b"file7 (1)"


def test_what_is_chosen_otherwise_is_another(folder: int) -> None:
    chosen = fitting().of(folder, b"top")
    assert become(fitting(Names.SKIP).of(folder, b"top")) != become(chosen)
    assert fitting().of(folder, b"other") is not chosen  # what is left out may be others there


def test_a_folder_that_has_changed_is_looked_at_anew(folder: int, tmp_path: Path) -> None:
    chosen = fitting().of(folder, b"top")
    (tmp_path / "file7").unlink()
    os.utime(tmp_path, (LONG_AGO, LONG_AGO + 1))
    anew = fitting().of(folder, b"top")
    assert anew is not chosen
    assert anew.get(b"file7", b"file7") == b"file7"


def test_one_that_was_changed_just_now_is_looked_at_anew(folder: int, tmp_path: Path) -> None:
    os.utime(tmp_path)
    assert fitting().of(folder, b"top") is not fitting().of(folder, b"top")


def test_nothing_is_kept_that_nobody_goes_by(folder: int, monkeypatch: pytest.MonkeyPatch) -> None:
    times = []
    real = new_names_module.in_order
    monkeypatch.setattr(new_names_module, "in_order", lambda *words: times.append(1) or real(*words))
    for _ in range(2):
        fitting().of(folder, b"top")
    assert len(times) == 2


def test_whoever_waits_for_another_choice_can_be_stopped(folder: int) -> None:
    choices, begun, go_on = Choices(), threading.Event(), threading.Event()

    def choose() -> NewNames:
        begun.set()
        go_on.wait()
        return {}

    other = threading.Thread(target=choices.of, args=(folder, "one", choose, None))
    other.start()
    begun.wait()
    brake = Brake()
    brake.on = True
    try:
        with pytest.raises(Stopped):
            choices.of(folder, "two", dict, brake)
    finally:
        go_on.set()
        other.join()
    brake.on = False
    assert choices.of(folder, "two", dict, brake) == {}
