"""Panes at far places: going there, waiting for hosts, errors, and what is not asked of them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from fake_client import FakeClient
from textual.widgets import Input

from tui.model.ask import Ask, AskKind
from tui.model.entry import EntryKind, Page
from tui.model.error import HostUnreachable, PermissionDenied, UsageError
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.model.reach import Reach
from tui.ui.addresses import parse_address, parse_url, shortened
from tui.ui.completion import complete
from tui.ui.screens.host_question import HostQuestionScreen
from tui.ui.screens.prompt import Prompt
from tui.ui.widgets import pane_fresh
from tui.ui.widgets.pane_base import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BOX = Location("/", "sftp", "ann@box")
SRV = BOX.child("srv")
FAR = {
    "srv": {"data": {"deep": {"x.txt": b"x"}}, "a.txt": b"alpha", "b b.txt": b"beta"},
    "home": {"ann": {"me": 3}},
}
PASSWORD = Ask(AskKind.PASSWORD, "ann@box", "ann@box's password:")


def with_box(client: FakeClient) -> None:
    client.far("sftp://ann@box", FAR, home="/home/ann")


def locked(client: FakeClient) -> None:
    with_box(client)
    client.ask_first("sftp://ann@box", PASSWORD, right="secret")


async def at(s: Any, location: Location) -> None:
    s.main.pane.go(location)
    await s.until(
        lambda: s.main.pane.state is State.READY and s.main.pane.location == location, f"{location} read"
    )


def note(s: Any) -> str:
    """What the pane in use says below its rows."""
    return " ".join(s.main.pane.listing._note)


async def go_to(s: Any, typed: str) -> None:
    await s.press("g", "space")
    prompt = await s.dialog(Prompt)
    prompt.query_one("#typed", Input).value = typed
    await s.pilot.pause()
    await s.press("enter")


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("sftp://box", "sftp://box/~"),
        ("sftp://box/", "sftp://box/"),
        ("sftp://u@box:2222/x y", "sftp://u@box:2222/x%20y"),
        ("sftp://[::1]:22/x", "sftp://[::1]:22/x"),
        ("sftp://box/~/x", "sftp://box/~/x"),
        ("s3://bucket", "s3://bucket/"),
        ("s3://minio@bucket/a b", "s3://minio@bucket/a%20b"),
        ("s3://", "s3:///"),
    ],
)
def test_urls_are_understood_as_they_are_typed(typed: str, url: str) -> None:
    assert parse_url(typed) == Location.from_url(url)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("box", "sftp://box/~"),
        ("u@box", "sftp://u@box/~"),
        ("u@box:2222", "sftp://u@box:2222/~"),
        ("u@box:2222/srv", "sftp://u@box:2222/srv"),
        ("box/srv", "sftp://box/srv"),
        ("box:/srv/x", "sftp://box/srv/x"),
        ("box:x", "sftp://box/~/x"),
        ("box:~/x", "sftp://box/~/x"),
        ("sftp://box/x", "sftp://box/x"),
    ],
)
def test_addresses_are_understood_as_ssh_and_scp_write_them(typed: str, url: str) -> None:
    assert parse_address(typed).url == url


@pytest.mark.parametrize(
    "typed", ["sftp://", "sftp:///x", "ftp://box", "sftp://-oProxyCommand=x/", "sftp://u:pw@box/"]
)
def test_what_is_no_address_or_holds_a_password_is_refused(typed: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_url(typed)
    assert "pw" not in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("sftp://ann@box/srv", 30, "sftp://ann@box/srv"),
        ("sftp://ann@box/srv/pictures/2024/summer", 34, "sftp://ann@box…ictures/2024/summer"),
        ("sftp://ann@box.example.org/srv/pictures/2024", 32, "ann@box.example.org…ictures/2024"),
        ("sftp://ann@box.example.org/srv/pictures/2024", 28, "box.example.org…ictures/2024"),
        ("/a/local/path/that/is/long", 10, "…t/is/long"),
    ],
)
def test_a_far_path_is_shortened_behind_its_host(text: str, width: int, shown: str) -> None:
    assert shortened(text, width) == shown
    assert len(shown) <= width


async def test_a_url_typed_into_the_path_prompt_opens_the_place(shell):
    async with shell(prepare=with_box) as s:
        await go_to(s, "sftp://ann@box/srv")
        await s.until(lambda: s.main.pane.location == SRV and "a.txt" in s.main.pane.folder.names)
        assert "sftp://ann@box/srv" in s.main.pane.path_bar.text


async def test_a_url_of_a_file_shows_its_folder_with_the_cursor_on_it(shell):
    async with shell(prepare=with_box) as s:
        await go_to(s, "sftp://ann@box/srv/b%20b.txt")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "b b.txt")
        assert s.main.pane.location == SRV


async def test_a_password_in_a_url_is_refused_and_kept_nowhere(shell):
    async with shell(prepare=with_box) as s:
        await go_to(s, "sftp://ann:hunter2@box/srv")
        prompt = await s.dialog(Prompt)
        await s.until(lambda: "password" in str(prompt.query_one("#feedback").render()))
        await s.press("escape")
        await s.back()
        assert "hunter2" not in s.app.memory.as_text()


async def test_home_on_a_far_place_is_the_home_there(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.press("g", "h")
        await s.until(lambda: s.main.pane.location.url == "sftp://ann@box/home/ann")
        await s.until(lambda: "me" in s.main.pane.folder.names)
        await go_to(s, "~/")
        await s.until(lambda: s.main.pane.location.url == "sftp://ann@box/home/ann")
        assert all("~" not in place.path for place in s.app.memory.frequent)


async def test_going_up_ends_at_the_far_root(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.press("h")
        await s.until(lambda: s.main.pane.location == BOX and s.main.pane.current)
        assert s.main.pane.current.name == "srv"
        assert s.main.pane.folder.way_up == 0
        await s.press("h")
        await s.until(lambda: any("top of ann@box" in text for text in s.told))
        assert s.main.pane.location == BOX


async def test_the_history_leads_there_and_back(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.press("H")
        await s.until(lambda: s.main.pane.location == Location("/home/ann"))
        await s.press("L")
        await s.until(lambda: s.main.pane.location == SRV and "a.txt" in s.main.pane.folder.names)


async def test_while_a_far_folder_is_read_whatever_has_come_has_its_size(shell, monkeypatch):
    async with shell(prepare=with_box) as s:
        files = {f"file{number:02}": number for number in range(40)}
        s.client.far("sftp://ann@big", {"srv": files})
        ends = asyncio.Event()

        async def slowly(folder: Location) -> AsyncIterator[Page]:
            names = list(files)
            for start in range(0, 40, 8):
                yield Page(names[start : start + 8], bytearray([EntryKind.FILE] * 8))
                await asyncio.sleep(0)
            await ends.wait()

        monkeypatch.setattr(s.client, "list", slowly)
        s.main.pane.go(Location("/srv", "sftp", "ann@big"))
        await s.until(lambda: len(s.main.pane.folder) == 40)
        await s.until(lambda: list(s.main.pane.folder.sizes_bytes) == list(range(40)), "all sizes")
        assert s.main.pane.state is State.READING
        ends.set()


async def test_completion_of_a_far_path_and_none_of_what_does_not_answer(monkeypatch):
    client = FakeClient({})
    with_box(client)
    assert await complete(client, "sftp://ann@box/sr", Location("/")) == ["sftp://ann@box/srv/"]
    assert await complete(client, "da", SRV) == ["data/"]
    assert await complete(client, "~/", SRV) == []
    assert await complete(client, "sftp://ann@b", Location("/")) == []  # half a name is no host yet
    client.far("s3:///", {"photos": {}})
    assert await complete(client, "s3://ph", Location("/")) == ["s3://photos/"]
    client.far("s3://minio@/", {"plans": {}})
    assert await complete(client, "s3://minio@pl", Location("/")) == ["s3://minio@plans/"]
    monkeypatch.setattr("tui.ui.completion._FAR_TIME_S", 0.01)
    client.hang(SRV)
    assert await complete(client, "sftp://ann@box/srv/d", Location("/")) == []


async def test_keys_go_on_while_a_far_completion_waits(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        s.client.hang(SRV)
        await s.press("g", "space")
        field = (await s.dialog(Prompt)).query_one("#typed", Input)
        await s.press("d", "tab", "a", "t")
        await s.until(lambda: field.value == "sftp://ann@box/srv/dat")
        s.client.release(SRV)
        await s.pilot.pause()
        assert field.value == "sftp://ann@box/srv/dat"


async def test_nothing_far_is_asked_for_a_step_of_the_cursor_or_a_key_in_the_path(shell, monkeypatch):
    monkeypatch.setattr("tui.ui.widgets.pane.REST_BEFORE_STAT_S", 0.001)
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.until(lambda: s.called("space")[-1:] == [(SRV,)])
        before = len(s.client.calls)
        await s.press("j", "j", "k", "space", "/", "b", "escape", "f", "a", "escape")
        await s.press("g", "space", "d", "a")
        await s.pilot.pause(0.05)
        assert s.client.calls[before:] == []


async def test_a_far_folder_is_neither_watched_nor_polled(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.pilot.pause()
        assert all(location.is_local for (location,) in s.called("watch"))
        s.client.write("sftp://ann@box/srv/new.txt", b"")
        await s.press("ctrl+r")
        await s.until(lambda: "new.txt" in s.main.pane.folder.names)


async def test_a_far_folder_is_read_again_when_a_job_that_touched_it_ends(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        request = Request(kind=JobKind.COPY, sources=(Location("/home/ann/todo.md"),), target=SRV)
        job = s.client.add_job(request, state=JobState.RUNNING)
        s.client.write("sftp://ann@box/srv/todo.md", b"- sail")
        s.client.set_job(job.id, state=JobState.DONE, ended_at=5.0)
        await s.until(lambda: "todo.md" in s.main.pane.folder.names)


async def test_a_job_too_quick_to_be_seen_running_counts_too_and_one_elsewhere_does_not(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        reads = len(s.called("list"))
        elsewhere = Request(kind=JobKind.DELETE, sources=(Location("/home/ann/todo.md"),))
        s.client.add_job(elsewhere, state=JobState.DONE, ended_at=5.0)
        await s.until(lambda: len(s.main.queue_pane.jobs) == 1)
        assert len(s.called("list")) == reads
        s.client.vanish("sftp://ann@box/srv/a.txt")
        removed = Request(kind=JobKind.DELETE, sources=(SRV.child("a.txt"),))
        s.client.add_job(removed, state=JobState.DONE, ended_at=6.0)
        await s.until(lambda: "a.txt" not in s.main.pane.folder.names)


async def test_while_connecting_the_pane_says_so_and_escape_goes_back(shell):
    async with shell(prepare=with_box) as s:
        s.client.hang(SRV)
        s.main.pane.go(SRV)
        await s.until(lambda: note(s) == "connecting to ann@box … Esc gives up.")
        assert "connecting…" in s.main.pane.path_bar.text
        await s.press("tab", "j", "tab")  # the rest of the screen goes on
        await s.press("escape")
        await s.until(lambda: s.main.pane.location == Location("/home/ann") and s.main.pane.folder.order)
        assert SRV not in s.app.memory.frequent


async def test_a_pane_says_for_how_long_a_host_has_not_answered_and_what_is_tried(shell, monkeypatch):
    monkeypatch.setattr("tui.ui.widgets.pane_reading.SILENT_S", 0.05)
    async with shell(prepare=with_box) as s:
        s.client.hang(SRV)
        s.main.pane.go(SRV)
        await s.until(lambda: s.main.pane.state is State.SILENT)
        s.main.pane._heard_at_s -= 60
        await s.until(lambda: re.fullmatch(r"connecting to ann@box for 6\d s … Esc gives up\.", note(s)))
        await at(s, BOX)
        s.main.pane.go(SRV)
        await s.until(lambda: note(s) == "ann@box is not answering. Esc gives up; it shows when it does.")
        s.client.reached = Reach.CONNECTING_ANEW
        await s.until(lambda: note(s) == "ann@box is not answering: connecting anew … Esc gives up.")
        s.client.reached = Reach.CONNECTED
        s.main.pane._heard_at_s -= 60
        await s.until(lambda: re.match(r"ann@box is not answering for 6\d s\. Esc gives up;", note(s)))
        s.client.release(SRV)
        await at(s, SRV)


async def test_a_host_that_cannot_be_reached_is_told_with_what_to_do_and_tried_again(shell):
    async with shell() as s:
        s.main.pane.go(SRV)
        await s.until(lambda: s.main.pane.state is State.FAILED)
        assert note(s).startswith("cannot reach sftp://ann@box/: nothing answers there.")
        assert note(s).endswith("Ctrl+R tries again, H goes back.")
        assert "by itself" not in note(s)
        with_box(s.client)
        await s.press("ctrl+r")
        await s.until(lambda: "a.txt" in s.main.pane.folder.names)


async def test_a_folder_that_may_not_be_read_says_why(shell):
    async with shell(prepare=with_box) as s:
        s.client.refuse("sftp://ann@box/srv/data", PermissionDenied)
        await at(s, SRV)
        s.main.pane.go(SRV.child("data"))
        await s.until(lambda: "permission denied" in note(s))
        await s.press("h")
        await s.until(lambda: s.main.pane.location == SRV and s.main.pane.folder.order)


async def test_rows_appear_as_their_pages_come(shell):
    def big(client: FakeClient) -> None:
        client.far("sftp://ann@box", {})
        client.fill("sftp://ann@box/many", 600)
        client.hold("sftp://ann@box/many")

    async with shell(prepare=big) as s:
        s.main.pane.go(BOX.child("many"))
        await s.until(lambda: len(s.main.pane.folder.order) == 256)
        assert "256 reading…" in s.main.pane.path_bar.text
        s.client.release("sftp://ann@box/many")
        await s.until(lambda: len(s.main.pane.folder.order) == 600)


async def test_a_folder_that_cannot_be_told_by_names_whole_says_so(shell):
    some = "cannot read all of s3://photos/: 2 keys (such as '/x') cannot be told by names"
    empty = "cannot read all of s3://photos/old: the key 'old//' cannot be told by names"

    def store(client: FakeClient) -> None:
        client.far("s3:///", {"photos": {"a.jpg": 3, "old": {}}})
        client.untold = {Location("/photos", "s3"): some, Location("/photos/old", "s3"): empty}

    async with shell(prepare=store) as s:
        await at(s, Location("/photos", "s3"))
        assert "not all shown" in s.main.pane.path_bar.text
        assert s.told == [f"{some}."]
        await s.press("home")
        await s.until(
            lambda: s.main.pane.footer.text.strip().startswith("cannot read all of s3://photos/: 2")
        )
        await s.press("ctrl+r")
        await s.until(lambda: len(s.called("list")) > 3)
        await at(s, Location("/photos/old", "s3"))
        assert note(s) == empty
        assert s.told == [f"{some}.", f"{empty}."]


async def test_a_host_that_asks_waits_for_an_answer_and_goes_on_with_it(shell):
    async with shell(prepare=locked) as s:
        s.main.pane.go(SRV)
        await s.dialog(HostQuestionScreen)
        await s.press("escape")
        await s.back()
        await s.until(lambda: "ann@box asks for a password. It waits for an answer:" in note(s))
        assert "Ctrl+G answers it, Esc gives up." in note(s)
        assert "has a question" in s.main.pane.path_bar.text
        await s.press("ctrl+g")
        await s.dialog(HostQuestionScreen)
        await s.press(*"secret", "enter")
        await s.back()
        await s.until(lambda: "a.txt" in s.main.pane.folder.names)
        assert "secret" not in s.app.memory.as_text()


async def test_the_right_pane_of_the_next_start_is_never_a_far_one(shell):
    async with shell(prepare=with_box) as s:
        s.main.right.go(SRV)
        await s.until(lambda: s.main.right.state is State.READY and s.main.right.location == SRV)
        s.main.remember()
        assert s.app.memory.across is None


async def test_a_bookmark_leads_to_a_far_folder(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.press("m", "b", "H")
        await s.until(lambda: s.main.pane.location == Location("/home/ann"))
        await s.press("'", "b")
        await s.until(lambda: s.main.pane.location == SRV and "a.txt" in s.main.pane.folder.names)


async def test_a_url_typed_behind_the_folder_proposed_takes_its_place(shell):
    async with shell(prepare=with_box) as s:
        await s.press("g", "space")
        field = (await s.dialog(Prompt)).query_one("#typed", Input)
        await s.press(*"sftp://ann@box/srv")
        await s.until(lambda: field.value == "sftp://ann@box/srv")
        await s.press("enter")
        await s.until(lambda: s.main.pane.location == SRV and "a.txt" in s.main.pane.folder.names)


async def test_an_error_is_shown_whole_however_long_the_path_in_it(shell):
    async with shell() as s:
        long = BOX.child("x" * 90)
        s.main.pane.go(long)
        await s.until(lambda: s.main.pane.state is State.FAILED)
        s.main.pane._failure = f"cannot read {long}: gone."
        s.main.pane._put(s.main.pane.folder)
        assert "x" * 90 in note(s).replace(" ", "")


async def test_a_far_folder_not_read_for_long_is_read_again_when_its_pane_gets_the_focus(shell, monkeypatch):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.press("tab")
        s.client.write("sftp://ann@box/srv/new.txt", b"")
        await s.press("tab", "tab")
        assert "new.txt" not in s.main.left.folder.names
        monkeypatch.setattr("tui.ui.widgets.pane.FAR_AGE_S", 0.0)
        await s.press("tab")
        await s.until(lambda: "new.txt" in s.main.left.folder.names)


async def test_a_refresh_that_takes_long_is_shown_and_escape_ends_it(shell):
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        s.client.hang(SRV)
        await s.press("ctrl+r")
        await s.until(lambda: "reading…" in s.main.pane.path_bar.text)
        await s.press("escape")
        await s.until(lambda: "reading…" not in s.main.pane.path_bar.text)
        assert "a.txt" in s.main.pane.folder.names
        s.client.release(SRV)
        s.client.write("sftp://ann@box/srv/new.txt", b"")
        await s.press("ctrl+r")
        await s.until(lambda: "new.txt" in s.main.pane.folder.names)


async def test_what_was_read_stays_when_its_host_goes_away_and_is_renewed_when_it_is_back(shell, monkeypatch):
    monkeypatch.setattr(pane_fresh, "AWAY_S", 0.05)
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        await s.press("j", "space")
        pane, marked = s.main.pane, set(s.main.pane.folder.marks)
        s.client.refuse(SRV, HostUnreachable)
        await s.press("ctrl+r")
        await s.until(lambda: "not up to date" in pane.path_bar.text)
        assert "a.txt" in pane.folder.names
        assert marked and pane.folder.marks == marked
        s.client.allow(SRV)
        s.client.write("sftp://ann@box/srv/new.txt", b"")
        await s.until(lambda: "new.txt" in pane.folder.names)
        assert pane.state is State.READY
        assert pane.folder.marks == marked
        assert len([note for note in s.app._notifications if "tries again" in note.message]) == 1


async def test_a_refresh_that_is_not_answered_says_so(shell, monkeypatch):
    monkeypatch.setattr(pane_fresh, "SILENT_S", 0.05)
    async with shell(prepare=with_box) as s:
        await at(s, SRV)
        s.client.hang(SRV)
        await s.press("ctrl+r")
        await s.until(lambda: "not answering" in s.main.pane.path_bar.text)
        s.client.release(SRV)
        await s.until(lambda: "not answering" not in s.main.pane.path_bar.text)
        assert "reading…" not in s.main.pane.path_bar.text


async def test_the_preview_of_a_far_file_waits_for_the_cursor_to_rest(shell, monkeypatch):
    monkeypatch.setattr("tui.ui.widgets.preview.FAR_DELAY_S", 3600)
    async with shell(prepare=with_box) as s:
        await s.press("ctrl+x", "q")
        await at(s, SRV)
        before = len(s.client.calls)
        await s.press("j", "j", "k")
        await s.pilot.pause(0.3)
        assert s.client.calls[before:] == []
        monkeypatch.setattr("tui.ui.widgets.preview.FAR_DELAY_S", 0.0)
        await s.press("end")
        await s.until(lambda: s.main.pane.current.name == "b b.txt" and s.called("read"))
