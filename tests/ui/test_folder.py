"""The model of a folder: order, filter, marks, finding."""

from __future__ import annotations

import asyncio
import random
import threading
import time
import tracemalloc
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.entry import Details, EntryKind, Page
from tui.model.location import Location
from tui.ui.folder import GONE, UNREAD, UP, Folder, View
from tui.ui.marks import SLICE
from tui.ui.matching import matcher
from tui.ui.sorting import in_order, natural_key

FILE, FOLDER, LINK = EntryKind.FILE, EntryKind.FOLDER, EntryKind.LINK
HERE = Location("/here")


def folder_of(
    *names: str,
    sizes: dict[str, int] | None = None,
    times: dict[str, int] | None = None,
    folders: tuple[str, ...] = (),
    marks: set[str] | None = None,
    at: Location = HERE,
) -> Folder:
    kinds = bytearray(FOLDER if name in folders else FILE for name in names)
    folder = Folder(at, marks)
    folder.extend(Page(list(names), kinds))
    folder.set_details(
        range(len(names)),
        Details(
            kinds,
            array("q", [(sizes or {}).get(name, 10) for name in names]),
            array("q", [(times or {}).get(name, 0) for name in names]),
            array("I", [0o644] * len(names)),
        ),
    )
    folder.show(folder.arrange(View()))
    return folder


def shown(folder: Folder, **view: object) -> list[str]:
    folder.show(folder.arrange(View(**view)))  # type: ignore[arg-type]
    return [folder.name(row) for row in range(folder.way_up, folder.rows)]


def test_numbers_in_names_count_as_people_count() -> None:
    names = [
        "file10",
        "File2",
        "file1",
        "file02",
        "a",
        "file",
        "file100000000000",
        "file99999999999",
        "10",
        "9",
    ]
    random.Random(3).shuffle(names)
    assert shown(folder_of(*names)) == [
        *(
            "9",
            "10",
            "a",
            "file",
            "file1",
            "File2",
            "file02",
            "file10",
            "file99999999999",
            "file100000000000",
        ),
    ]


@given(st.integers(0, 10**40), st.integers(0, 10**40))
def test_natural_keys_order_numbers_of_any_length(first: int, second: int) -> None:
    assert (natural_key(f"n{first}") < natural_key(f"n{second}")) == (first < second)


@given(
    st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1), unique=True)
)
def test_no_two_names_have_the_same_key(names: list[str]) -> None:
    assert len({natural_key(name) for name in names}) == len(names)


def test_folders_come_first_and_stay_first_when_the_order_is_turned_round() -> None:
    folder = folder_of("b", "zoo", "a", "art", folders=("zoo", "art"))
    assert shown(folder) == ["art", "zoo", "a", "b"]
    assert shown(folder, reverse=True) == ["zoo", "art", "b", "a"]
    assert shown(folder, folders_first=False) == ["a", "art", "b", "zoo"]


def test_sizes_go_largest_first_and_equal_ones_by_name() -> None:
    folder = folder_of("c", "a2", "a10", "big", "dir", sizes={"big": 99, "dir": 4096}, folders=("dir",))
    assert shown(folder, sort="size") == ["dir", "big", "a2", "a10", "c"]
    assert shown(folder, sort="size", reverse=True) == ["dir", "c", "a10", "a2", "big"]


def test_measured_folders_go_by_what_was_counted() -> None:
    folder = folder_of("x", "y", folders=("x", "y"))
    folder.set_measured("y", 5)
    assert shown(folder, sort="size") == ["y", "x"]


def test_times_go_latest_first() -> None:
    assert shown(folder_of("a", "b", "c", times={"b": 9, "c": 3}), sort="time") == ["b", "c", "a"]


def test_extensions_go_together_and_a_leading_dot_makes_none() -> None:
    folder = folder_of("b.txt", "a.zip", "a.TXT", "none", ".profile")
    assert shown(folder, sort="extension", hidden=True) == [".profile", "none", "a.TXT", "b.txt", "a.zip"]


@pytest.mark.parametrize("count", [10, 8_193, 50_000])
def test_a_sort_in_buckets_gives_what_a_plain_sort_gives(count: int) -> None:
    dice = random.Random(count)
    keys = [dice.randrange(count // 3 + 1) for _ in range(count)]
    positions = list(range(count))
    assert in_order(positions, keys[:]) == sorted(positions, key=keys.__getitem__)


def test_hidden_names_are_shown_when_asked_for() -> None:
    folder = folder_of(".a", "b")
    assert shown(folder) == ["b"]
    assert shown(folder, hidden=True) == [".a", "b"]


def test_partial_files_of_running_jobs_are_hidden_names() -> None:
    assert shown(folder_of(".ferry-7f3a-00c1.part", "done.txt")) == ["done.txt"]


@pytest.mark.parametrize(
    ("text", "name", "fits"),
    [
        ("read", "README", True),
        ("Read", "README", False),
        ("*.TXT", "a.txt", False),
        ("*.txt", "A.TXT", True),
        ("*.txt", "a.txt.bak", False),
        ("a?c", "abc", True),
        ("[ab]x", "bx", True),
        ("[", "a[b", True),
        ("e\u0301t\u00e9", "\u00e9te\u0301", True),
        ("a", "\udcff", False),
    ],
)
def test_text_fits_names_with_smart_case(text: str, name: str, fits: bool) -> None:
    assert matcher(text)(name) is fits


def test_without_wildcards_a_whole_match_is_the_whole_name() -> None:
    assert matcher("abc", whole=True)("ABC")
    assert not matcher("abc", whole=True)("abcd")


def test_the_way_up_is_a_row_everywhere_but_at_the_root() -> None:
    below, root = folder_of("a"), folder_of("a", at=Location("/"))
    assert (below.rows, below.name(0), below.position(0)) == (2, "..", UP)
    assert (root.rows, root.name(0), root.position(0)) == (1, "a", 0)
    assert below.row(0) is None
    assert below.row(5) is None


def test_rows_are_found_by_name() -> None:
    folder = folder_of("b", "a", ".hidden")
    assert folder.row_of("a") == 1
    assert folder.row_of("..") == 0
    assert folder.row_of(".hidden") is None
    assert folder.row_of("none") is None


def test_finding_goes_round_in_both_directions() -> None:
    folder = folder_of("apple", "banana", "avocado", "cherry")  # apple, avocado, banana, cherry
    assert folder.find("a", 2) == 2
    assert folder.find("av", 3) == 2
    assert folder.find("cherry", 1, -1) == 4
    assert folder.find("nothing", 1) is None
    assert Folder(HERE).find("a", 0) is None


def test_finding_from_the_way_up_begins_at_the_entry_next_to_it() -> None:
    folder = folder_of("a1", "a2", "a3")
    assert folder.find("a", 0) == 1
    assert folder.find("a", -1, -1) == 3  # above the way up is the last one


def test_marks_add_up_and_folders_count_once_they_are_measured() -> None:
    folder = folder_of("a", "b", "dir", sizes={"a": 5, "b": 7}, folders=("dir",))
    assert folder.mark_where(None, True) == 3
    assert (folder.marked_bytes, folder.marked_folders) == (12, 1)
    folder.set_measured("dir", 100)
    assert (folder.marked_bytes, folder.marked_folders) == (112, 0)
    folder.invert_marks()
    assert (folder.marks, folder.marked_bytes, folder.marked_folders) == (set(), 0, 0)


def test_marked_entries_without_a_size_are_counted_apart_from_the_bytes() -> None:
    sizes = {"gone": GONE, "unread": UNREAD, "a": 5, "b": 0}
    folder = folder_of(*sizes, "dir", "counted", "not marked", sizes=sizes, folders=("dir", "counted"))
    folder.set_measured("counted", 100)
    folder.mark_only([*sizes, "dir", "counted"])
    assert (folder.marked_bytes, folder.marked_folders, folder.marked_unread) == (105, 1, 2)


def test_the_way_up_cannot_be_marked() -> None:
    folder = folder_of("a")
    folder.mark(0, True)
    assert not folder.marks


def test_marks_of_entries_read_later_are_added_up_when_their_sizes_come() -> None:
    folder = Folder(HERE, {"a", "gone"})
    folder.extend(Page(["a", "b"], bytearray([FILE, FILE])))
    assert (folder.marked_bytes, folder.marked_unread) == (0, 1)
    folder.set_details([0], Details(bytearray([FILE]), array("q", [9]), array("q", [0]), array("I", [0])))
    assert (folder.marked_bytes, folder.marked_unread) == (9, 0)
    folder.settle_marks()
    assert (folder.marks, folder.marked_bytes) == ({"a"}, 9)


@pytest.mark.parametrize("on", [True, False, bytes([0, 1, 1, 0, 0, 1, 0, 1])])
def test_a_long_range_is_marked_by_no_step_an_entry_and_as_a_short_one_is(
    on: bool | bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("a", ".b", "c", "d", "e", "f", "g", "h")
    short, long = (folder_of(*names, folders=("c",), marks={"a", "c", "h"}) for _ in range(2))
    long.set_stages({"g": ("G", "")})
    short.set_stages({"g": ("G", "")})
    short.mark_rows(2, 6, on)
    monkeypatch.setattr("tui.ui.folder.SLICE", 3)
    steps: list[int] = []
    set_one = type(long.marks).set
    monkeypatch.setattr(
        type(long.marks), "set", lambda self, at, on: (steps.append(at), set_one(self, at, on))
    )
    long.mark_rows(2, 6, on)
    assert steps in ([], [names.index("g")])  # the tree being copied, which cannot be marked
    assert set(long.marks) == set(short.marks)
    assert len(long.marks) == len(short.marks)
    assert (long.marked_bytes, long.marked_folders) == (short.marked_bytes, short.marked_folders)


def test_the_folders_to_be_measured_are_the_marked_ones_else_that_of_the_row_else_all_shown() -> None:
    folder = folder_of("b", "a", "f", ".c", "G", folders=("a", "b", ".c", "G"))
    folder.set_stages({"G": ("g", "")})
    folder.show(folder.arrange(View()))
    assert list(folder.subfolders(0)) == ["a", "b"]
    assert list(folder.subfolders(folder.row_of("b") or 0)) == ["b"]
    assert not folder.subfolders(folder.row_of("f") or 0)
    folder.mark_only(["b", "f", ".c"])
    assert list(folder.subfolders(0)) == [".c", "b"]


def test_marked_entries_come_in_the_order_shown_filtered_ones_too() -> None:
    folder = folder_of("c", "a", "b", marks={"c", "a", "b"})
    shown(folder, reverse=True, filter="b")
    assert [folder.names[n] for n in folder.marked_positions()] == ["c", "b", "a"]


def test_only_what_is_shown_is_marked_by_pattern() -> None:
    folder = folder_of("a.txt", "b.txt", ".c.txt")
    folder.mark_where(matcher("*.txt"), True)
    assert folder.marks == {"a.txt", "b.txt"}


def test_details_of_an_entry_that_has_gone_leave_its_kind() -> None:
    folder = Folder(HERE)
    folder.extend(Page(["a"], bytearray([LINK])))
    unknown = bytearray([EntryKind.UNKNOWN])
    assert not folder.set_details([0], Details(unknown, array("q", [GONE]), array("q", [0]), array("I", [0])))
    assert folder.kinds[0] == LINK
    folder_link = bytearray([EntryKind.FOLDER_LINK])
    assert folder.set_details([0], Details(folder_link, array("q", [1]), array("q", [0]), array("I", [0])))
    assert folder.opens_as_folder(0)


def test_unread_entries_are_found_in_chunks() -> None:
    folder = Folder(HERE)
    folder.extend(Page([str(n) for n in range(10)], bytearray(10)))
    folder.set_details(
        range(4), Details(bytearray(4), array("q", [1] * 4), array("q", [0] * 4), array("I", [0] * 4))
    )
    assert folder.unread(0, 3) == range(4, 7)
    assert not folder.unread(10, 3)


def test_an_unchanged_folder_is_not_sorted_again_for_a_filter() -> None:
    folder = folder_of("b", "a")
    before = folder.arrange(View())
    folder.show(before)
    assert folder.arrange(View(filter="a")).ordered is before.ordered


def test_names_may_be_added_while_another_thread_sorts() -> None:
    folder = Folder(HERE)
    page = Page([f"n{n}" for n in range(20_000)], bytearray(20_000))
    folder.extend(page)
    made: list[int] = []
    thread = threading.Thread(target=lambda: made.append(len(folder.arrange(View()).ordered)))
    thread.start()
    while thread.is_alive():
        folder.extend(Page(["more"], bytearray(1)))
        time.sleep(0)
    assert made[0] >= 20_000


def test_a_hundred_thousand_entries_stay_small_and_in_order() -> None:
    count = 100_000
    tracemalloc.start()
    try:
        names = [f"picture {n:06d}.jpg" for n in range(count)]
        random.Random(1).shuffle(names)
        folder = Folder(HERE)
        folder.extend(Page(names, bytearray(count)))
        folder.show(folder.arrange(View()))
        del names
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert [folder.name(1), folder.name(count)] == ["picture 000000.jpg", "picture 099999.jpg"]
    assert used / count < 130


async def test_many_marks_are_taken_over_by_name_when_a_folder_is_read_in_another_order() -> None:
    count = 3 * SLICE
    names = [f"n{n}" for n in range(count)]
    before = folder_of(*names)
    before.mark_where(None, True)
    before.mark(before.row_of("n7") or 0, False)
    after = folder_of(*reversed(names[:-1]), "new")
    revision = await after.marks.take_over(before.marks)
    assert revision == before.marks.revision
    assert after.marks == set(names[:-1]) - {"n7"}


async def test_many_marks_are_there_again_when_their_folder_is_read_again() -> None:
    names = [f"n{n}" for n in range(3 * SLICE)]
    before = folder_of(*names)
    before.mark_where(None, True)
    again = Folder(HERE, before.marks.kept())
    assert len(again.marks) == len(names)
    await again.marks.recall()
    again.extend(Page([*names[1:], "new"], bytearray([FILE] * len(names))))
    again.settle_marks()
    assert again.marks == set(names[1:])


async def test_marks_taken_off_before_they_are_recalled_do_not_come_back() -> None:
    names = [f"n{n}" for n in range(3 * SLICE)]
    before = folder_of(*names)
    before.mark_where(None, True)
    again = Folder(HERE, before.marks.kept())
    recalling = asyncio.create_task(again.marks.recall())
    await asyncio.sleep(0)
    again.clear_marks()
    await recalling
    assert not again.marks


@given(
    st.lists(st.booleans(), min_size=1, max_size=40),
    st.lists(st.sampled_from(["invert", "all", "none", "filter", "plain", "pattern"]), max_size=8),
)
def test_marks_by_position_are_what_sets_of_names_would_be(hidden: list[bool], does: list[str]) -> None:
    names = [f"{'.' if each else ''}n{n}" for n, each in enumerate(hidden)]
    folder, marks = folder_of(*names), set[str]()
    for what in does:
        in_sight = {folder.names[n] for n in folder.order}
        match what:
            case "invert":
                folder.invert_marks()
                marks ^= in_sight
            case "all":
                folder.mark_where(None, True)
                marks |= in_sight
            case "none":
                folder.mark_where(None, False)
                marks -= in_sight
            case "pattern":
                folder.mark_where(matcher("*3*"), True)
                marks |= {name for name in in_sight if "3" in name}
            case _:
                shown(folder, hidden=what == "filter", filter="1" if what == "filter" else "")
        assert folder.marks == marks
        assert folder.marked_bytes == 10 * len(marks)
        assert folder.unseen_marks() == len(marks - {folder.names[n] for n in folder.order})


def test_a_mark_takes_a_byte_whether_one_or_all_are_marked() -> None:
    folder = folder_of(*(f"n{n}" for n in range(50_000)))
    tracemalloc.start()
    try:
        folder.invert_marks()
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(folder.marks) == 50_000
    assert used < 2 * 50_000


def test_what_is_chosen_stays_as_it_was_when_marks_change() -> None:
    folder = folder_of("a", "b", "c", marks={"a", "c"})
    chosen = folder.marked_names()
    folder.clear_marks()
    assert (list(chosen), len(chosen), chosen[1], "b" in chosen) == (["a", "c"], 2, "c", False)
