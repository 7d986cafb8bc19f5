"""Operations on far files: through the queue or at once, without what means nothing there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from fake_client import FakeClient, file, folder
from textual.widgets import Input, Static

from tui.model.error import Unsupported
from tui.model.fidelity import Trait
from tui.model.job import Conflict, JobKind, JobState
from tui.model.location import Location
from tui.ui import far_edit
from tui.ui.screens.confirm import Confirm
from tui.ui.screens.copy_dialog import CopyDialog
from tui.ui.screens.information import Information
from tui.ui.screens.prompt import Prompt
from tui.ui.screens.viewer import Viewer
from tui.ui.widgets.pane_base import State
from tui.ui.widgets.toggles import Toggles

SRV = Location("/srv", "sftp", "ann@box")
NAS = Location("/data", "sftp", "nas")


def far(client: FakeClient) -> None:
    client.far("sftp://ann@box", {"srv": {"docs": {}, "a.txt": b"alpha\n", "b.txt": b"beta\n"}}, home="/srv")
    client.far("sftp://nas", {"data": {}})


async def at(s: Any, location: Location, name: str = "", pane: Any = None) -> None:
    """Show a folder, with the cursor on a name."""
    pane = pane or s.main.pane
    pane.go(location, cursor_on=name or None)
    await s.until(lambda: pane.state is State.READY and pane.location == location and pane._shows_folder)
    await s.until(lambda: not name or (pane.current and pane.current.name == name), name)


async def fill_in(s: Any, text: str) -> None:
    prompt = await s.dialog(Prompt)
    prompt.query_one("#typed", Input).value = text
    await s.pilot.pause()
    await s.press("enter")
    await s.back()


@pytest.mark.parametrize(("key", "kind"), [("f5", JobKind.COPY), ("f6", JobKind.MOVE)])
async def test_copy_and_move_from_a_far_pane_to_a_local_one(shell, key, kind):
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press(key)
        dialog = await s.dialog(CopyDialog)
        assert dialog.query_one("#target", Input).value == "/mnt/backup/"
        await s.until(lambda: "into this folder · " in str(dialog.query_one("#feedback", Static).render()))
        await s.press("enter")
        await s.back()
        request = s.requests[0]
        assert (request.kind, request.sources) == (kind, (SRV.child("a.txt"),))
        assert (request.target, request.into) == (Location("/mnt/backup"), True)


async def test_copy_from_a_local_pane_to_a_far_one_keeps_what_can_be_kept_there(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV, pane=s.main.right)
        await s.cursor_on("todo.md")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        assert dialog.query_one("#target", Input).value == "sftp://ann@box/srv/"
        assert dialog.query_one("#preserve", Toggles).values == {Trait.TIMES}
        await s.press("enter")
        await s.back()
        assert (s.requests[0].target, s.requests[0].preserve) == (SRV, {Trait.TIMES})


async def test_copy_between_two_hosts(shell):
    async with shell(prepare=far) as s:
        await at(s, NAS, pane=s.main.right)
        await at(s, SRV, "a.txt")
        await s.press("f5")
        await s.dialog(CopyDialog)
        await s.press("enter")
        await s.back()
        assert (s.requests[0].sources, s.requests[0].target) == ((SRV.child("a.txt"),), NAS)


async def test_a_far_target_is_not_looked_at_for_each_key_nor_half_a_host_name_at_all(shell, monkeypatch):
    monkeypatch.setattr("tui.ui.screens.copy_dialog.REST_S", 0.001)
    async with shell(prepare=far) as s:
        await at(s, SRV, pane=s.main.right)
        await s.cursor_on("todo.md")
        await s.press("f5")
        dialog = await s.dialog(CopyDialog)
        await s.until(lambda: "into this folder" in str(dialog.query_one("#feedback", Static).render()))
        calls = len(s.client.calls)
        dialog.query_one("#target", Input).value = "sftp://nowhere/x/"
        await s.until(lambda: "another host" in str(dialog.query_one("#feedback", Static).render()))
        asked = [part for call in s.client.calls[calls:] for part in call if isinstance(part, Location)]
        assert [where for where in asked if not where.is_local] == []


async def test_yank_there_and_paste_here(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("y", "tab", "p")
        await s.until(lambda: s.requests)
        assert (s.requests[0].sources, s.requests[0].target) == (
            (SRV.child("a.txt"),),
            Location("/mnt/backup"),
        )


async def test_a_folder_and_a_file_are_made_there_and_shown_in_both_panes(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV, pane=s.main.right)
        await at(s, SRV)
        await s.press("f7")
        await fill_in(s, "new")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "new")
        await s.until(lambda: "new" in s.main.right.folder.names)
        await s.press("a")
        await fill_in(s, "new.txt")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "new.txt")
        await s.until(lambda: "new.txt" in s.main.right.folder.names)
        made = SRV.child("new"), SRV.child("new.txt")
        noted = [((), JobKind.MAKE, each, each) for each in made]
        await s.until(lambda: s.called("note_step") == noted, "noted")


async def test_the_cursor_goes_to_what_was_made_though_the_folder_is_read_again_meanwhile(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV)
        pane = s.main.pane
        pane.go(SRV, cursor_on="a.txt")
        pane._read_changed()  # news from before come in
        await s.until(lambda: pane.current and pane.current.name == "a.txt")


async def test_rename_there_is_done_at_once(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("f2")
        await fill_in(s, "c.txt")
        await s.until(lambda: s.main.pane.current and s.main.pane.current.name == "c.txt")
        assert s.requests == []
        step = ((), JobKind.RENAME, SRV.child("c.txt"), SRV.child("a.txt"))
        await s.until(lambda: s.called("note_step") == [step], "noted")


async def test_where_names_cannot_be_changed_in_one_step_a_rename_is_a_move(shell, monkeypatch):
    async def refused(self: FakeClient, location: Location, new: Location) -> None:
        raise Unsupported(
            f"cannot rename {location}: names cannot be changed in one step there", location=location
        )

    monkeypatch.setattr(FakeClient, "rename", refused)
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("f2")
        await fill_in(s, "c.txt")
        await s.until(lambda: s.requests)
        request = s.requests[0]
        assert (request.kind, request.target, request.into) == (JobKind.MOVE, SRV.child("c.txt"), False)


@pytest.mark.parametrize("key", ["f8", "delete"])
async def test_there_is_no_trash_far_away_so_removing_asks_for_good(shell, key):
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press(key)
        dialog = await s.dialog(Confirm)
        assert "cannot be undone" in str(dialog.query_one("#text", Static).render())
        assert s.app.focused.id == "no"
        await s.press("y")
        await s.back()
        await s.until(lambda: s.requests)
        assert (s.requests[0].kind, s.requests[0].sources) == (JobKind.DELETE, (SRV.child("a.txt"),))


async def test_links_do_not_lead_from_place_to_place(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("ctrl+x", "s")
        await s.until(lambda: any("from one place to another" in text for text in s.told))
        await at(s, SRV, pane=s.main.right)
        await s.press("ctrl+x", "l")
        await s.until(lambda: any("hard links" in text for text in s.told))
        await s.press("ctrl+x", "s")
        await fill_in(s, "link")
        await s.until(lambda: "link" in s.main.right.folder.names)


async def test_a_shell_is_for_local_folders(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV)
        await s.press("!")
        await s.until(lambda: any("Use ssh to reach ann@box" in text for text in s.told))


@pytest.mark.parametrize("key", ["f3", "enter"])
async def test_the_viewer_opens_before_a_host_has_answered(shell, key):
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        s.client.hang(SRV)
        await s.press(key)
        viewer = await s.dialog(Viewer)
        assert "reading" in str(viewer.query_one("#title", Static).render())
        await s.press("escape")
        await s.back()
        s.client.release(SRV)


async def test_a_far_file_is_viewed(shell):
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("f3")
        viewer = await s.dialog(Viewer)
        await s.until(lambda: viewer.view and "alpha" in viewer.view.render_line(0).text)
        await s.press("e")
        await s.until(lambda: any("edited from its pane" in text for text in s.told))


def content(path: str) -> bytes:
    return Path(path).read_bytes()


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Return a function that has $EDITOR run some lines of shell on its file "$1"."""

    def use(script: str) -> None:
        program = tmp_path / "editor"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(program))

    return use


async def test_an_edited_far_file_is_put_back_over_the_old_one_by_a_job(shell, paths, editor):
    editor('stat -c %a "$(dirname "$1")" > "$0.mode"; echo more >> "$1"')
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("f4")
        await s.until(lambda: s.requests)
        request = s.requests[0]
        assert (request.kind, request.target, request.into) == (JobKind.COPY, SRV.child("a.txt"), False)
        assert request.conflict is Conflict.OVERWRITE
        assert request.by_content
        assert request.expects is not None
        assert request.expects.size_bytes == len(b"alpha\n")
        copy = request.sources[0].path
        assert content(copy) == b"alpha\nmore\n"
        assert copy.startswith(str(paths.state))
        assert content(os.environ["EDITOR"] + ".mode") == b"700\n"
        s.client.set_job(1, state=JobState.DONE, ended_at=5.0)
        await s.until(lambda: not os.path.exists(os.path.dirname(copy)), "the copy is removed")


async def test_a_far_file_that_was_only_looked_at_is_not_put_back(shell, paths, editor):
    editor("true")
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("e")
        await s.until(lambda: "Nothing was changed." in s.told)
        assert s.requests == []
        assert os.listdir(paths.state / "edits") == []


async def test_a_far_file_that_changed_there_meanwhile_is_not_overwritten(shell, paths, editor, monkeypatch):
    editor('echo more >> "$1"')
    changed = far_edit.has_changed

    async def somebody_writes(fetched: far_edit.Fetched) -> bool:
        s.client.write("sftp://ann@box/srv/a.txt", b"something else")
        return await changed(fetched)

    monkeypatch.setattr(far_edit, "has_changed", somebody_writes)
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        await s.press("e")
        await s.until(lambda: any("it changed there meanwhile" in text for text in s.told))
        assert s.requests == []
        assert any(f"Your version is kept as {paths.state}" in text for text in s.told)


async def test_what_is_no_file_or_too_big_is_not_edited(shell, editor, monkeypatch):
    editor("true")
    monkeypatch.setattr(far_edit, "MOST_BYTES", 3)
    async with shell(prepare=far) as s:
        await at(s, SRV, "docs")
        await s.press("e")
        await s.until(lambda: any("docs is not a file" in text for text in s.told))
        await at(s, SRV, "a.txt")
        await s.press("e")
        await s.until(lambda: any("a.txt has more than" in text for text in s.told))


async def test_where_the_queue_refuses_the_job_the_edited_copy_is_kept_and_named(shell, paths, editor):
    editor('echo more >> "$1"')
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        s.client.unreachable = True
        await s.press("e")
        await s.until(lambda: any(f"Your version is kept as {paths.state}" in text for text in s.told))
        (kept,) = (paths.state / "edits").iterdir()
        assert content(str(kept / "a.txt")) == b"alpha\nmore\n"


async def test_an_operation_that_waits_for_a_host_says_so(shell, monkeypatch):
    monkeypatch.setattr("tui.ui.operations.SLOW_S", 0.01)
    async with shell(prepare=far) as s:
        await at(s, SRV, "a.txt")
        s.client.hang(SRV)
        await s.press("I")
        await s.until(lambda: "Waiting for ann@box …" in s.told)
        s.client.release(SRV)
        await s.dialog(Information)


async def test_what_a_store_does_not_keep_is_neither_shown_nor_asked_for(shell, monkeypatch):
    async def no_space(self: FakeClient, folder: Location) -> None:
        raise Unsupported(f"cannot tell how much room there is at {folder}", location=folder)

    def store(client: FakeClient) -> None:
        client.far("s3:///", {"photos": {"2024": folder(mode=0, mtime_ns=0), "x.jpg": file(b"x", mode=0)}})

    bucket = Location("/photos", "s3")
    async with shell(prepare=store, size=(140, 30)) as s:
        await at(s, bucket, "2024")
        assert "1970" not in s.main.pane.footer.text
        assert "d-----" not in s.main.pane.footer.text
        assert not any("1970" in s.main.pane.listing.render_line(y).text for y in range(3))
        await s.press("ctrl+x", "c")
        await s.until(lambda: any("no permissions there" in text for text in s.told))
        await s.press("I")
        facts = {name for name, _ in (await s.dialog(Information))._lines}
        assert facts == {"Name", "Folder", "Kind"}
        await s.press("escape")
        await s.back()
        monkeypatch.setattr(FakeClient, "space", no_space)
        s.main.other.go(bucket.child("2024"))
        await s.press("end", "f5")
        dialog = await s.dialog(CopyDialog)
        await s.until(lambda: str(dialog.query_one("#feedback", Static).render()) == "into this folder")
