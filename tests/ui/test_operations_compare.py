"""Comparing both panes, and the plan to make one like the other."""

from __future__ import annotations

import pytest
from fake_client import NOON_NS, file
from textual.widgets import Input

from tui.model.comparison import Amounts, Change, Compared, Difference
from tui.model.entry import EntryKind, Facts
from tui.model.error import PermissionDenied
from tui.model.exclusion import Exclusion
from tui.model.job import Conflict, JobKind, Request
from tui.model.location import Location
from tui.ui.differences import in_numbers, sides
from tui.ui.screens.comparing import Comparing
from tui.ui.screens.picker import Picker
from tui.ui.screens.sync_plan import SyncPlan, anything_to_do, plan_in_numbers
from tui.ui.widgets.choice import Choice
from tui.ui.widgets.difference_list import MOST_LINES, DifferenceList

HERE, THERE = Location("/a"), Location("/b")
TREE = {
    "a": {
        "same": b"same",
        "only here": b"1",
        "newer here": file(b"after", mtime_ns=NOON_NS + 1),
        "newer there": b"prior",
        "just differs": b"12345",
        "folder": {"same": b"same", "new below": b"2"},
        ".hidden": b"3",
        "looks alike": b"one",
    },
    "b": {
        "same": b"same",
        "only there": b"1",
        "newer here": b"prior",
        "newer there": file(b"after", mtime_ns=NOON_NS + 1),
        "just differs": b"1234567",
        "folder": {"same": b"same"},
        "looks alike": b"two",
    },
}


def panes(shell, **rest):
    return shell(TREE, left="/a", right="/b", **rest)


async def compare(s, *keys):
    """Ask for a comparison, choose by these keys how, and wait for its end."""
    await s.until(lambda: s.main.right.folder.names and s.main.left.folder.names, "both listed")
    await s.press("ctrl+x", "d")
    await s.dialog(Picker)
    await s.press(*keys, "enter")
    await s.back()


async def test_what_is_new_newer_or_different_is_marked_on_its_side(shell):
    async with panes(shell) as s:
        await compare(s)
        await s.until(lambda: s.told, "told")
        assert s.main.left.folder.marks == {"only here", "newer here", "just differs", "folder", ".hidden"}
        assert s.main.right.folder.marks == {"only there", "newer there", "just differs"}
        assert s.told == [
            "3 only left · 1 only right · 3 differ · 3 files the same. 8 entries marked; F5 copies those of a pane."
        ]


async def test_by_content_what_looks_alike_differs_and_other_times_do_not(shell):
    async with panes(shell) as s:
        await compare(s, "down")
        await s.until(lambda: s.told, "told")
        assert s.called("compare") == [(HERE, THERE, True)]
        assert "looks alike" in s.main.left.folder.marks & s.main.right.folder.marks


async def test_marks_of_before_give_way(shell):
    async with panes(shell) as s:
        await s.cursor_on("same")
        await s.press("space")
        assert s.main.left.folder.marks == {"same"}
        await compare(s)
        await s.until(lambda: s.told, "told")
        assert "same" not in s.main.left.folder.marks


async def test_left_and_right_stay_so_from_the_right_pane(shell):
    async with panes(shell) as s:
        await s.press("tab")
        await compare(s)
        assert s.called("compare") == [(HERE, THERE, False)]


async def test_a_comparison_can_be_stopped_and_marks_nothing(shell):
    async with panes(shell) as s:
        await s.until(lambda: s.main.right.folder.names and s.main.left.folder.names, "both listed")
        s.client.hang("/a/folder")
        await s.press("ctrl+x", "d")
        await s.dialog(Picker)
        await s.press("enter")
        await s.dialog(Comparing)
        await s.press("escape")
        await s.back()
        await s.until(lambda: any("stopped" in text for text in s.told), "told")
        assert not s.main.left.folder.marks and not s.main.right.folder.marks


async def test_a_folder_that_cannot_be_compared_says_why(shell):
    async with panes(shell) as s:
        await s.until(lambda: s.main.right.folder.names and s.main.left.folder.names, "both listed")
        s.client.refuse("/a", PermissionDenied)
        await s.press("ctrl+x", "d")
        await s.dialog(Picker)
        await s.press("enter")
        dialog = await s.dialog(Comparing)
        await s.until(lambda: "permission denied" in str(dialog.query_one("#feedback").render()), "said")


@pytest.mark.parametrize(("right", "said"), [("/a", "the same folder"), ("/a/folder", "in the other")])
async def test_two_folders_apart_are_needed(shell, right, said):
    async with shell(TREE, left="/a", right=right) as s:
        for keys in (("ctrl+x", "d"), ("ctrl+x", "y")):
            before = len(s.told)
            await s.press(*keys)
            await s.until(lambda before=before: said in " ".join(s.told[before:]), "told")
        assert not s.called("compare")


async def test_the_plan_lists_counts_and_queues_a_sync(shell):
    async with panes(shell) as s:
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        text = plan.query_one("#feedback")
        await s.until(lambda: "replace 3, 15 B" in str(text.render()), "all compared")
        assert "copy 3 entries, 3 B" in str(text.render())
        assert "leave 1 only there" in str(text.render())
        assert plan.query_one(DifferenceList).lines == 7
        await s.press("enter")
        await s.back()
        expected = Request(
            kind=JobKind.SYNC, sources=(HERE,), target=THERE, into=False, conflict=Conflict.OVERWRITE
        )
        await s.until(lambda: s.requests == [expected], "queued")


async def test_a_plan_with_removal_by_content_asks_for_both(shell):
    async with panes(shell) as s:
        await s.press("tab", "ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        plan.query_one("#extra", Choice).index = 1
        plan.query_one("#by-content", Choice).index = 1
        text = plan.query_one("#feedback")
        await s.until(lambda: len(s.called("compare")) == 2, "compared again")
        await s.until(lambda: "remove 3 only there" in str(text.render()), "in numbers")
        await s.until(lambda: "…" not in str(text.render()), "to the end")
        await s.press("enter")
        await s.back()
        await s.until(lambda: s.requests, "queued")
        request = s.requests[0]
        assert (request.sources, request.target) == ((THERE,), HERE)
        assert (request.delete_extra, request.by_content) == (True, True)


async def test_a_plan_of_other_kind_is_not_whole_from_the_moment_it_is_asked_for(shell):
    async with panes(shell) as s:
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        text = plan.query_one("#feedback")
        await s.until(lambda: "…" not in str(text.render()) and "replace 3" in str(text.render()), "compared")
        plan._compared_otherwise()
        plan.action_go()
        assert "still comparing" in str(text.render())
        assert s.app.screen is plan


async def test_a_plan_is_not_carried_out_before_it_is_whole_or_with_nothing_in_it(shell):
    async with panes(shell) as s:
        s.client.hang("/a/folder")
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        await s.until(lambda: plan.query_one(DifferenceList).lines, "something listed")
        await s.press("enter")
        await s.until(lambda: "still comparing" in str(plan.query_one("#feedback").render()), "said")
        await s.press("escape")
        await s.back()
        assert not s.requests
    async with shell({"a": {"x": b""}, "b": {"x": b""}}, left="/a", right="/b") as s:
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        await s.until(lambda: "nothing to do" in str(plan.query_one("#feedback").render()), "said")
        await s.press("enter")
        await s.back()
        assert not s.requests


async def test_a_list_too_long_to_read_ends_with_how_many_more_there_are(shell):
    async with panes(shell) as s:
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        listing = plan.query_one(DifferenceList)
        await s.until(lambda: listing.lines == 7, "compared")
        listing.add([difference(Change.NEW)] * MOST_LINES)
        assert listing.lines == MOST_LINES + 1
        await s.press("end")
        await s.until(lambda: 0 < listing.max_scroll_y == listing.scroll_offset.y, "at the end")
        last = listing.render_line(listing.size.height - 1).text
        assert "… and 7 more" in last


def difference(change: Change, left_ns: int = 1, right_ns: int = 1) -> Difference:
    left = None if change is Change.EXTRA else Facts(EntryKind.FILE, 5, left_ns)
    right = None if change is Change.NEW else Facts(EntryKind.FILE, 7, right_ns)
    return Difference("name", change, left, right)


@pytest.mark.parametrize(
    ("change", "left_ns", "right_ns", "marked"),
    [
        (Change.NEW, 1, 1, (True, False)),
        (Change.EXTRA, 1, 1, (False, True)),
        (Change.CHANGED, 2, 1, (True, False)),
        (Change.CHANGED, 1, 2, (False, True)),
        (Change.CHANGED, 1, 1, (True, True)),
        (Change.CLASH, 2, 1, (True, True)),
        (Change.ATTRIBUTES, 2, 1, (False, False)),
    ],
)
def test_a_difference_is_marked_where_it_is_new_or_newer(change, left_ns, right_ns, marked):
    assert sides(difference(change, left_ns, right_ns)) == marked


def test_numbers_read_as_what_would_be_done():
    amounts = Amounts()
    amounts.add(Compared([difference(change) for change in Change], files_same=9))
    assert in_numbers(amounts) == (
        "1 only left · 1 only right · 2 differ · 1 with other attributes · 9 files the same"
    )
    assert plan_in_numbers(amounts, removes=True) == (
        "copy 1 entry, 5 B · replace 1, 5 B · set attributes of 1 · remove 1 only there · "
        "1 in the way: replaced · 9 files the same"
    )
    extra = Amounts()
    extra.add(Compared([difference(Change.EXTRA)]))
    assert (anything_to_do(extra, removes=False), anything_to_do(extra, removes=True)) == (False, True)


async def test_a_comparison_that_breaks_off_says_so(shell, monkeypatch):
    async def broken(*_: object, **__: object):
        raise KeyError("compare")
        yield

    async with shell() as s:
        monkeypatch.setattr(s.client, "compare", broken)
        await s.press("ctrl+x", "d", "enter")
        dialog = await s.dialog(Comparing)
        await s.until(lambda: "before its time" in str(dialog.query_one("#feedback").render()))
        await s.press("escape")
        await s.back()
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        await s.until(lambda: "before its time" in str(plan.query_one("#feedback").render()))


async def test_a_home_folder_is_not_among_what_a_plan_would_remove(shell):
    def with_box(client):
        client.far("sftp://ann@box", {"home": {"ann": {"me": 3}, "bob": {}, "x": b"1"}}, home="/home/ann")

    async with panes(shell, prepare=with_box) as s:
        s.main.right.go(Location("/home", "sftp", "ann@box"))
        await s.until(lambda: s.main.right.folder.names == ["ann", "bob", "x"], "the host's folder listed")
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        text = plan.query_one("#feedback")
        await s.until(lambda: "…" not in str(text.render()), "compared")
        plan.query_one("#extra", Choice).index = 1
        await s.until(lambda: "remove 2 only there" in str(text.render()), "the rest")
        assert "a home folder stays" in str(text.render())
        assert "cannot be read" not in str(text.render())


async def test_the_plan_is_made_anew_without_what_is_left_out(shell):
    async with panes(shell) as s:
        await s.until(lambda: s.main.right.folder.names and s.main.left.folder.names, "both listed")
        await s.press("ctrl+x", "y")
        plan = await s.dialog(SyncPlan)
        await s.until(lambda: plan._complete, "compared")
        plan.query_one("#exclude", Input).value = "newer* folder/"
        await s.pilot.pause()
        assert not plan._complete
        await s.until(lambda: plan._complete, "compared anew")
        text = str(plan.query_one("#feedback").render())
        assert text.startswith("copy 2 entries, 2 B · replace 1, 5 B · leave 1 only there")
        await s.press("enter")
        await s.until(lambda: s.requests, "submitted")
        assert s.requests[0].exclude == Exclusion(("newer*", "folder/"))
