"""Trees being copied: one row each under the final name, to be entered but not to be worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_client import FakeClient
from pane_app import panes

from tui.model.error import UsageError
from tui.model.job import JobKind, JobState, Progress, Request, Stage
from tui.model.location import Location
from tui.ui.stages import Stages

if TYPE_CHECKING:
    from pane_app import Panes

    from tui.model.job import Job
    from tui.ui.widgets.pane import FilePane

PARTIAL = ".ferry-t1-0a.part"
TREE: dict[str, Any] = {
    "d": {
        "alpha": {},
        PARTIAL: {"one": 1, "two": 2, "deep": {"three": 3}},
        "zeta": {},
        ".ferry-t1-file": 77,
        "plain.txt": 5,
    }
}
HERE = Location("/d")


def job(
    percent: int = 25, *, name: str = "music", partial: str = PARTIAL, sources: int = 1, bytes_done: int = 0
) -> Job:
    """Return a job that builds /d/<name>."""
    names = tuple(Location(f"/src/{name}{n or ''}") for n in range(sources))
    return FakeClient().add_job(
        Request(kind=JobKind.COPY, sources=names, target=HERE),
        state=JobState.RUNNING,
        progress=Progress(bytes_done=percent, bytes_total=100, files_total=3),
        stage=Stage(HERE.child(partial), HERE.child(name), bytes_done),
    )


def line(p: Panes, name: str) -> str:
    """Return the row that shows a name, without doubled blanks; "" where there is none."""
    return next((" ".join(text.split()) for text in p.lines() if name in text), "")


def publish(client: FakeClient) -> None:
    """Give the tree its final name, as the engine does."""
    node = client.node(f"/d/{PARTIAL}")
    client.node("/d").children.pop(PARTIAL)
    client.write("/d/music", node)
    client.changed(f"/d/{PARTIAL}")
    client.changed(f"/d/{PARTIAL}/deep")


async def test_a_tree_being_copied_has_one_row_under_its_final_name() -> None:
    async with panes(TREE, at="/d") as p:
        assert p.names == ["..", "alpha", "zeta", "plain.txt"]
        p.pane.show_stages(Stages([job(25)]))
        await p.until(lambda: p.names == ["..", "alpha", "music", "zeta", "plain.txt"])
        assert line(p, "music") == "»music 25%"
        style = next(iter(p.pane.listing.render_line(2))).style
        assert style and style != next(iter(p.pane.listing.render_line(1))).style
        assert ".ferry" not in "".join(p.lines())


async def test_a_tree_known_before_it_is_read_is_shown_at_once_and_sorted_by_its_final_name() -> None:
    client = FakeClient({"d": {"b": {}, "x": {}}})
    async with panes(at="/d", client=client) as p:
        p.pane.show_stages(Stages([job()]))
        client.make(f"/d/{PARTIAL}")
        await p.until(lambda: p.names == ["..", "b", "music", "x"])
        await p.press("f")
        await p.type("mus")
        await p.until(lambda: p.names == ["..", "music"])


async def test_only_the_row_whose_number_changed_is_drawn_again() -> None:
    async with panes(TREE, at="/d") as p:
        p.pane.show_stages(Stages([job(25)]))
        await p.until(lambda: "music" in p.names)
        drawn: list[int] = []
        p.pane.listing.refresh_line = drawn.append  # type: ignore[method-assign]
        revision = p.pane.listing._revision
        p.pane.show_stages(Stages([job(26)]))
        assert line(p, "music") == "»music 26%"
        p.pane.show_stages(Stages([job(26)]))
        assert (drawn, p.pane.listing._revision) == ([2], revision)


async def test_of_a_job_with_several_sources_the_bytes_of_the_tree_are_shown() -> None:
    async with panes(TREE, at="/d") as p:
        p.pane.show_stages(Stages([job(25, sources=3, bytes_done=3 << 20)]))
        await p.until(lambda: line(p, "music") == "»music 3.0 MiB")
        p.pane.show_stages(Stages([job(25, sources=3)]))
        assert line(p, "music") == "»music …"


async def test_two_jobs_have_two_rows() -> None:
    tree = {"d": {PARTIAL: {}, ".ferry-t2-1b.part": {}}}
    async with panes(tree, at="/d") as p:
        other = job(7, name="books", partial=".ferry-t2-1b.part")
        p.pane.show_stages(Stages([job(), other]))
        await p.until(lambda: p.names == ["..", "books", "music"])
        assert (line(p, "books"), line(p, "music")) == ("»books 7%", "»music 25%")


async def test_with_hidden_files_shown_the_tree_still_has_one_row() -> None:
    async with panes(TREE, at="/d", show_hidden=True) as p:
        p.pane.show_stages(Stages([job()]))
        await p.until(lambda: p.names == ["..", "alpha", "music", "zeta", ".ferry-t1-file", "plain.txt"])


async def test_entering_shows_what_is_there_under_the_final_path() -> None:
    async with panes(TREE, at="/d") as p:
        p.pane.show_stages(Stages([job()]))
        await p.until(lambda: "music" in p.names)
        await p.on("music")
        await p.press("enter")
        await p.settled(f"/d/{PARTIAL}")
        assert p.names == ["..", "deep", "one", "two"]
        assert p.pane.path_bar.text.startswith(" /d/music ")
        assert "being copied" in p.pane.path_bar.text
        await p.press("backspace")
        await p.settled("/d")
        assert p.cursor == "music"
        assert "being copied" not in p.pane.path_bar.text


@pytest.mark.parametrize("told_first", [True, False])
@pytest.mark.parametrize("below", ["", "/deep"])
async def test_the_pane_follows_a_tree_to_its_name(below: str, told_first: bool) -> None:
    async with panes(TREE, at="/d") as p:
        p.pane.show_stages(Stages([job()]))
        await p.until(lambda: "music" in p.names)
        p.pane.go(Location(f"/d/{PARTIAL}{below}"))
        await p.settled(f"/d/{PARTIAL}{below}")
        await p.on("three" if below else "two")
        await p.press("space")
        paths: set[str] = set()
        show = p.pane.path_bar.show
        p.pane.path_bar.show = lambda path, **rest: (paths.add(path), show(path, **rest))[1]  # type: ignore
        publish(p.client)
        if told_first:
            p.pane.show_stages(Stages())
        await p.settled(f"/d/music{below}")
        p.pane.show_stages(Stages())
        await p.until(lambda: "being copied" not in p.pane.path_bar.text)
        assert paths == {f"/d/music{below}"}
        assert p.cursor == ("three" if below else "two")
        assert [each.path for each in p.pane.chosen] == [f"/d/music{below}/{p.cursor}"]
        assert p.told == []
        p.client.write(f"/d/music{below}/four", b"")
        await p.until(lambda: "four" in p.names)
        await p.press("backspace")
        await p.press("alt+left")
        await p.settled(f"/d/music{below}")


async def test_a_row_stays_under_the_cursor_when_its_tree_is_published() -> None:
    async with panes(TREE, at="/d") as p:
        p.pane.show_stages(Stages([job()]))
        await p.until(lambda: "music" in p.names)
        await p.on("music")
        seen: list[list[str]] = []
        put = p.pane.listing.show
        p.pane.listing.show = lambda *args: (put(*args), seen.append(p.names))[0]  # type: ignore[method-assign]
        p.pane.show_stages(Stages())
        publish(p.client)
        await p.until(lambda: line(p, "music").startswith("/music"))
        assert p.cursor == "music"
        assert all("music" in names for names in seen)


async def test_a_tree_taken_back_leaves_the_pane_in_the_folder_above() -> None:
    async with panes(TREE, at="/d") as p:
        p.pane.show_stages(Stages([job()]))
        p.pane.go(Location(f"/d/{PARTIAL}"))
        await p.settled(f"/d/{PARTIAL}")
        p.client.vanish(f"/d/{PARTIAL}")
        p.pane.show_stages(Stages())
        await p.settled("/d")
        await p.until(lambda: p.told)
        assert p.told[0].startswith("/d/music has gone")


async def test_a_tree_being_copied_cannot_be_marked() -> None:
    async with panes(TREE, at="/d", show_hidden=True) as p:
        await p.on(PARTIAL)
        await p.press("space")
        assert p.pane.folder.marks == {PARTIAL}
        p.pane.show_stages(Stages([job()]))
        await p.until(lambda: "music" in p.names)
        assert not p.pane.folder.marks
        await p.on("music")
        await p.press("space")
        await p.until(lambda: "music is still being copied." in p.told)
        p.pane.action_mark_all()
        p.pane.listing.cursor = 1
        assert p.pane.folder.marks == {"alpha", "zeta", ".ferry-t1-file", "plain.txt"}
        p.pane.action_invert_marks()
        assert not p.pane.folder.marks
        p.pane.action_range_mark()
        await p.press("G")
        await p.until(lambda: len(p.pane.folder.marks) == 4)
        assert PARTIAL not in p.pane.folder.marks


def asked(pane: FilePane, about: str) -> object:
    """Return what an operation would be about."""
    return pane.target if about == "as a target" else pane.chosen


@pytest.mark.parametrize("about", ["its row", "what is in it", "as a target"])
async def test_operations_are_refused_with_one_sentence(about: str) -> None:
    async with panes(TREE, at="/d") as p:
        p.pane.show_stages(Stages([job()]))
        await p.until(lambda: "music" in p.names)
        await p.on("music")
        if about != "its row":
            p.pane.go(Location(f"/d/{PARTIAL}/deep"))
            await p.settled(f"/d/{PARTIAL}/deep")
            await p.on("three")
        with pytest.raises(UsageError, match="music is still being copied"):
            asked(p.pane, about)
        p.pane.show_stages(Stages())
        assert asked(p.pane, about)
