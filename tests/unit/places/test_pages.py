"""Packed pages: what was put on them is found again, all of it and nothing else, in hardly any memory."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.places.local import pages as pages_module
from tui.places.local.content import Stopped
from tui.places.local.hops import Brake
from tui.places.local.pages import PAGE, RUN, Pages, Taken, in_order

words = st.lists(st.binary(max_size=4).filter(lambda word: not {0, ord("/")} & set(word)))


@given(some=words)
def test_names_come_in_the_order_of_their_bytes_and_each_once(some: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pages_module, "RUN", 3)
        patched.setattr(pages_module, "PAGE", 2)
        assert list(in_order(some)) == sorted(set(some))


def test_very_many_names_come_in_order() -> None:
    names = [b"%07d" % number for number in range(2 * RUN + 1)]
    random.Random(1).shuffle(names)
    ordered = list(in_order(names))
    assert len(ordered) == len(names)
    assert all(one < other for one, other in pairwise(ordered))


def test_putting_names_in_order_can_be_stopped() -> None:
    brake = Brake()
    brake.on = True
    with pytest.raises(Stopped):
        list(in_order([b"a"], brake))


@given(some=words, others=words)
def test_what_belongs_to_a_name_is_found_and_nothing_for_another(
    some: list[bytes], others: list[bytes]
) -> None:
    given_to = {name: name[::-1] for name in some}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pages_module, "PAGE", 2)
        pages = Pages(sorted(given_to.items()))
    assert bool(pages) == bool(given_to)
    assert [pages.get(name) for name in some + others] == [given_to.get(name) for name in some + others]


def test_a_name_is_not_found_where_it_is_only_part_of_one_or_what_belongs_to_one() -> None:
    pages = Pages([(b"b one", b"c"), (b"d", b"b one (1)")])
    for name in (b"b", b"one", b"c", b"b one (1)", b"a", b"z"):
        pages._names.meet(name)  # as a filter may err
        assert pages.get(name) is None


def test_all_of_many_pages_are_found() -> None:
    pages = Pages((b"%05d" % number, b"%d" % number) for number in range(10 * PAGE))
    assert all(pages.get(b"%05d" % number) == b"%d" % number for number in range(10 * PAGE))


@given(some=words)
def test_what_was_taken_is_not_free_again(some: list[bytes]) -> None:
    taken, met = Taken(len(some)), set[bytes]()
    for word in some:
        assert taken.has(word) == (word in met)
        assert taken.take(word) == (word not in met)
        met.add(word)
    assert all(map(taken.has, some))


def test_what_has_the_hash_of_another_is_taken_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "_HASH_BYTES", 1)
    taken = Taken(600)
    assert sum(taken.take(b"%d" % number) for number in range(600)) <= 255
    assert all(taken.has(b"%d" % number) for number in range(600))
