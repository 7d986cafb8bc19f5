"""Very many names of one folder: gone through again and again, and looked at together only where it matters."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tui.model.misfit import Names
from tui.places.local import gathered as gathered_module
from tui.places.local import seen as seen_module
from tui.places.local.content import Stopped
from tui.places.local.fitting import Fitting, clashing
from tui.places.local.gathered import FEW, Gathered, Sifted
from tui.places.local.hops import Brake
from tui.places.local.name_rules import WINDOWS
from tui.places.local.seen import SeenNames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY = 20_000
FEW_BITS = 1 << 19
"""64 KiB, so that a filter is not most of what is held."""


def fine(number: int) -> bytes:
    return b"a file with a longer name, number %07d.jpeg" % number


def colons(number: int) -> bytes:
    return b"a file with a colon: in its name, number %07d.jpeg" % number


@pytest.fixture
def small_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered_module, "BITS", FEW_BITS)
    monkeypatch.setattr(seen_module, "BITS", FEW_BITS)


def test_names_come_out_as_they_came_in_however_many_they_are() -> None:
    names = [b"%d \xff\n" % number for number in range(3 * FEW + 1)]
    gathered = Gathered(iter(names))
    assert (len(gathered), gathered.are_few) == (len(names), False)
    for _ in range(2):
        assert list(gathered) == names
    assert Gathered(names[:FEW]).are_few


def test_what_has_something_in_common_is_found_and_hardly_anything_else() -> None:
    names = [fine(number) for number in range(2 * FEW)] + [fine(3).upper(), b"nobody's"]
    sifted = Sifted(Gathered(names), bytes.lower)
    found = list(sifted.repeated())
    assert {fine(3), fine(3).upper()} <= set(found)
    assert len(found) < 100
    wanted = SeenNames()
    wanted.meet(fine(7))
    assert fine(7) in set(sifted.repeated(wanted))
    assert sifted.may_have(fine(7))


def test_going_through_them_can_be_stopped() -> None:
    brake = Brake()
    gathered = Gathered([b"a", b"b"])
    brake.on = True
    with pytest.raises(Stopped):
        Gathered([b"a"], brake)
    with pytest.raises(Stopped):
        Sifted(gathered, bytes.lower, brake)


@pytest.mark.parametrize("way", [Names.LOOKALIKE, Names.UNDERSCORE, Names.SKIP])
@pytest.mark.parametrize("name", [fine, colons])
def test_hardly_more_is_held_of_names_than_tells_which_depend_on_others(
    small_filters: None, name: Callable[[int], bytes], way: Names
) -> None:
    def names() -> Iterator[bytes]:
        return map(name, range(MANY))

    fitting = Fitting(WINDOWS, way)
    tracemalloc.start()
    try:
        gathered = Gathered(names())
        changed = fitting.changed(gathered)
        clashes = clashing(WINDOWS, gathered)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert clashes == {}
    late = [name(MANY + number) for number in range(200)]
    assert (
        sum(changed.get(each, each) != each for each in late) < 50
    )  # it may be theirs what they would become
    assert changed.get(name(5), name(5)) == fitting.alone(name(5))
    assert peak < 100 * MANY  # a name alone, as an object, takes some 80 bytes


def pairs() -> Iterator[bytes]:
    for number in range(MANY // 2):
        yield b"FILE%07d" % number
        yield b"file%07d" % number


@pytest.mark.parametrize("way", [Names.LOOKALIKE, Names.SKIP])
def test_hardly_more_is_held_of_very_many_names_each_of_which_shares_its_place(
    small_filters: None, way: Names
) -> None:
    fitting, gathered = Fitting(WINDOWS, way), Gathered(pairs())
    tracemalloc.start()
    try:
        changed, clashes = fitting.changed(gathered), clashing(WINDOWS, gathered)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (changed.get(b"FILE0000007", b""), clashes.get(b"FILE0000007")) == (b"", None)
    assert changed.get(b"file0000007", b"") == (b"file0000007 (1)" if way is Names.LOOKALIKE else None)
    assert clashes.get(b"file0000007") == b"FILE0000007"
    assert peak < 100 * MANY  # as a dictionary, what they become takes 700 to 950 for each of them
