"""Names for filesystems with other rules: each fits, each is different, and the same ones are chosen again."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.misfit import Names
from tui.places.local import fitting as fitting_module
from tui.places.local import gathered as gathered_module
from tui.places.local import pages as pages_module
from tui.places.local import seen as seen_module
from tui.places.local.content import Stopped
from tui.places.local.fitting import Fitting, Leaning, clashing, twin_of
from tui.places.local.gathered import Gathered
from tui.places.local.hops import Brake
from tui.places.local.name_rules import ORDINARY, WINDOWS
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOKALIKE = Fitting(WINDOWS, Names.LOOKALIKE)
UNDERSCORE = Fitting(WINDOWS, Names.UNDERSCORE)
CASE = replace(ORDINARY, folds=True)

names = st.one_of(
    st.text("aA:?. \x01é\u0301", min_size=1, max_size=6).map(str.encode),
    st.binary(min_size=1, max_size=255),
    st.sampled_from([b"nul", b"Nul.txt", b"com1", b"x" * 255, b"x" * 251 + b".txt"]),
).filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b".."))


@pytest.mark.parametrize(
    ("name", "lookalike", "underscore"),
    [
        ("a:b", "a：b", "a_b"),
        ('say "hi"?', "say ＂hi＂？", "say _hi__"),
        ("end.", "end．", "end_"),
        ("end ", "end␠", "end_"),
        ("tab\t", "tab␉", "tab_"),
        ("nul", "nul_", "nul_"),
        ("com1.txt", "com1_.txt", "com1_.txt"),
        ("bad\udcff", "bad‛FF", "bad_"),
        ("fine.txt", "fine.txt", "fine.txt"),
    ],
)
def test_what_a_name_becomes(name: str, lookalike: str, underscore: str) -> None:
    assert LOOKALIKE.fit(os.fsencode(name)) == lookalike.encode()
    assert UNDERSCORE.fit(os.fsencode(name)) == underscore.encode()


@given(name=names)
def test_a_name_that_was_fitted_fits_and_stays(name: bytes) -> None:
    for fitting in (LOOKALIKE, UNDERSCORE):
        fit = fitting.fit(name)
        assert WINDOWS.refuses(fit) == ""
        assert fitting.fit(fit) == fit


@given(folder=st.lists(names, unique=True))
def test_no_two_names_of_a_folder_become_one(folder: list[bytes]) -> None:
    for fitting in (LOOKALIKE, UNDERSCORE):
        changed = fitting.changed(Gathered(folder))
        there = [changed.get(name, name) for name in folder]
        assert all(name is not None and not WINDOWS.refuses(name) for name in there)
        assert len({fitting.key(name) for name in there if name is not None}) == len(folder)


@given(folder=st.lists(names, unique=True), seed=st.randoms())
def test_names_do_not_depend_on_the_order_in_which_a_disk_lists_them(
    folder: list[bytes], seed: object
) -> None:
    shuffled = sorted(folder, key=lambda name: hash((name, str(seed))))
    assert LOOKALIKE.changed(Gathered(folder)) == LOOKALIKE.changed(Gathered(shuffled))


def test_what_fits_keeps_its_name_from_what_has_to_change() -> None:
    assert LOOKALIKE.changed(Gathered([b"a:b", "a：b".encode()])) == {b"a:b": "a：b (1)".encode()}


def test_of_names_that_are_one_there_the_first_stays_and_the_rest_is_numbered() -> None:
    fitting = Fitting(CASE, Names.UNDERSCORE)
    folder = [b"readme.txt", b"README.txt", b"Readme.txt", b"readme (1).txt"]
    assert fitting.changed(Gathered(folder)) == {
        b"Readme.txt": b"Readme (2).txt",
        b"readme.txt": b"readme (3).txt",
    }


def test_names_that_differ_only_in_how_they_are_composed_clash() -> None:
    assert clashing(CASE, Gathered(["é".encode(), "e\u0301".encode()])) == {"é".encode(): "e\u0301".encode()}
    assert clashing(ORDINARY, Gathered([b"a", b"A"])) == {}


def test_leaving_out_leaves_out_what_is_refused_and_all_but_the_first_of_a_clash() -> None:
    assert Fitting(WINDOWS, Names.SKIP).changed(Gathered([b"a", b"A", b"b:"])) == {b"a": None, b"b:": None}


def test_a_name_too_long_is_cut_before_its_suffix() -> None:
    fit = Fitting(replace(ORDINARY, most_name_bytes=143), Names.LOOKALIKE).fit("é".encode() * 120 + b".tar")
    assert fit.endswith("é.tar".encode())
    assert len(fit) <= 143


def test_a_name_that_cannot_be_cut_short_enough_stays_as_it_is() -> None:
    short = Fitting(replace(ORDINARY, most_name_bytes=12), Names.LOOKALIKE)
    assert short.fit(b"document.jpeg") == b"document.jpeg"


def test_what_no_number_is_left_for_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting_module, "other_names", lambda name, folder: iter([name + b" (1)"]))
    folder = [b"README", b"Readme", b"readme"]
    assert Fitting(CASE, Names.LOOKALIKE).changed(Gathered(folder)) == {
        b"Readme": b"Readme (1)",
        b"readme": None,
    }


def test_choosing_names_can_be_stopped() -> None:
    brake = Brake()
    brake.on = True
    with pytest.raises(Stopped):
        LOOKALIKE.changed(Gathered([b"a:b"]), brake=brake)
    with pytest.raises(Stopped):
        clashing(CASE, Gathered([b"a"]), brake)


def test_where_an_entry_went_is_found_again_without_following_the_tree(tmp_path: Path) -> None:
    deep = tmp_path / "top" / "sub?" / "x"
    deep.mkdir(parents=True)
    for name in ("a:b", "A:B"):
        (deep / name).touch()
    with Root.open(str(tmp_path)) as root:
        twin = twin_of(LOOKALIKE, root, (b"top", b"kept"), b"top/sub?/x/a:b")
    assert twin.decode() == "kept/sub？/x/a：b (1)"


NEIGHBOURS = (b"a:b", b"a?b", b"a_b", b"A_B", b"a_b (1)", b"a:b (1)", b"a_b (2)", b"b:")


@pytest.mark.parametrize("way", [Names.UNDERSCORE, Names.LOOKALIKE, Names.SKIP])
def test_what_stays_keeps_its_name_where_nothing_goes_that_it_leans_on(way: Names) -> None:
    fitting = Fitting(WINDOWS, way)
    names = fitting.changed(Gathered(NEIGHBOURS))
    for count in range(len(NEIGHBOURS) + 1):
        for stuck in combinations(NEIGHBOURS, count):
            leaning, left, before = Leaning(), set(NEIGHBOURS), -1
            fitting.changed(Gathered(NEIGHBOURS), leaning)
            while len(left) != before:
                before = len(left)
                for name in sorted(left - set(stuck)):
                    if not leaning.needs(name, left.__contains__):
                        left.remove(name)
                    kept = {each: names[each] for each in left if each in names}
                    assert fitting.changed(Gathered(left)) == kept
            assert stuck or not left


@contextmanager
def packed() -> Iterator[None]:
    """Take more than one name for many, and have filters that often err."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gathered_module, "FEW", 1)
        patched.setattr(gathered_module, "_PACK", 2)
        patched.setattr(gathered_module, "BITS", 16)
        patched.setattr(seen_module, "BITS", 16)
        patched.setattr(pages_module, "RUN", 2)
        patched.setattr(pages_module, "PAGE", 2)
        yield


crowds = st.lists(
    st.one_of(
        names, st.sampled_from([b"a", b"A", b"a (1)", b"A (1)", b"a (2)", b"a:", b"a_", b"a_ (1)", b"a?"])
    ),
    unique=True,
)


@pytest.mark.parametrize("way", [Names.UNDERSCORE, Names.LOOKALIKE, Names.SKIP])
@given(folder=crowds)
def test_very_many_names_become_what_they_would_become_all_at_once(way: Names, folder: list[bytes]) -> None:
    fitting = Fitting(WINDOWS, way)
    leaning, packed_leaning = Leaning(), Leaning()
    changed = fitting.chosen(folder, leaning)
    with packed():
        gathered = Gathered(folder)
        many = fitting.changed(gathered, packed_leaning)
        assert gathered.are_few == (len(folder) < 2)
        assert {name: new for name in folder if (new := many.get(name, name)) != name} == changed
        assert [name for name in folder if name in many] == [name for name in folder if name in changed]
    for name in folder:
        assert packed_leaning.may_need(name) == leaning.may_need(name)


@given(folder=crowds)
def test_of_very_many_names_those_that_clash_are_found_as_of_few(folder: list[bytes]) -> None:
    few, few_came = (clashing(CASE, Gathered(folder), as_they_came=came) for came in (False, True))
    with packed():
        many, many_came = (clashing(CASE, Gathered(folder), as_they_came=came) for came in (False, True))
        assert [many.get(name) for name in folder] == [few.get(name) for name in folder]
        assert [many_came.get(name) for name in folder] == [few_came.get(name) for name in folder]
