"""The preview beside a pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_client import FakeClient, fifo, link
from textual.app import App
from textual.widgets import Static

from tui.model.error import PermissionDenied
from tui.model.location import Location
from tui.resources import styles_dir
from tui.ui.themes import shared_variables
from tui.ui.widgets.preview import LOOKED_AT, SHOWN_NAMES, Preview, Subject
from tui.ui.widgets.text_view import TextView

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.pilot import Pilot


class PreviewApp(App[None]):
    CSS_PATH = [styles_dir() / "viewer.tcss"]  # noqa: RUF012 (Textual reads it)

    def __init__(self, delay_s: float = 0.001) -> None:
        super().__init__()
        self.delay_s = delay_s
        self.client = FakeClient(
            {
                "text.py": b"import os\n" * 200,
                "other.txt": b"other\n",
                "data.bin": b"\0\1\2",
                "empty": b"",
                "pipe": fifo(),
                "link": link("text.py"),
                "folder": {"b.txt": b"", "a\x1b[2J.txt": b"", "sub": {}},
            }
        )
        self.client.fill("/many", SHOWN_NAMES * 3)
        self.client.fill("/crowd", LOOKED_AT * 2)
        self.client.make("/secret")
        self.client.refuse("/secret", PermissionDenied)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return shared_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield Preview(self.client, delay_s=self.delay_s)

    @property
    def preview(self) -> Preview:
        return self.query_one(Preview)


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    while not true():
        await pilot.pause(0.005)


def title(app: PreviewApp) -> str:
    return str(app.query_one("#preview-title", Static).render())


def body(app: PreviewApp) -> str:
    text = next(iter(app.query(TextView)), None)
    if text is not None and text.display:
        return "\n".join(text.render_line(y).text.rstrip() for y in range(text.size.height))
    return str(app.query_one("#preview-lines", Static).render())


@pytest.mark.parametrize(
    ("name", "heading", "content"),
    [
        ("text.py", "text.py  2.0 KiB", "import os\nimport os"),
        ("link", "link  2.0 KiB", "import os\nimport os"),
        ("data.bin", "data.bin", "no text"),
        ("empty", "empty", "The file is empty."),
        ("pipe", "pipe", "named pipe"),
        ("folder", "folder/  3 entries", "sub\na␛[2J.txt\nb.txt"),
        ("many", f"many/  {SHOWN_NAMES * 3} entries", "file0.txt\nfile1.txt\nfile2.txt"),
        ("crowd", f"crowd/  {LOOKED_AT:,}+ entries", "file0.txt\nfile1.txt\nfile2.txt"),
        ("secret", "secret", "permission denied"),
        ("gone", "gone", "no such file"),
    ],
)
async def test_each_kind_of_entry_is_shown_in_its_way(name: str, heading: str, content: str) -> None:
    app = PreviewApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.preview.follow(Subject(Location.local("/").child(name)))
        await until(pilot, lambda: heading in title(app))
        await until(pilot, lambda: content in body(app))


async def test_one_file_after_the_other_is_shown_in_one_view_and_scrolled() -> None:
    app = PreviewApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.preview.follow(Subject(Location.local("/other.txt")))
        await until(pilot, lambda: body(app).startswith("other"))
        app.preview.follow(Subject(Location.local("/text.py")))
        await until(pilot, lambda: body(app).startswith("import os"))
        text = app.query_one(TextView)
        app.preview.turn(1)
        await until(pilot, lambda: text.window.offset == text.size.height // 2 * len("import os\n"))
        app.preview.turn(-1)
        await until(pilot, lambda: text.window.offset == 0)
        assert len(app.query(TextView)) == 1
        app.preview.follow(None)
        await until(pilot, lambda: title(app) == "")
        assert app.focused is None


async def test_only_where_the_cursor_rests_something_is_read() -> None:
    app = PreviewApp(delay_s=0.05)
    async with app.run_test(size=(60, 20)) as pilot:
        for name in ("text.py", "data.bin", "folder", "other.txt"):
            app.preview.follow(Subject(Location.local("/").child(name)))
        await until(pilot, lambda: body(app).startswith("other"))
        assert {call[1].name for call in app.client.calls} == {"other.txt"}


async def test_what_comes_late_is_not_shown() -> None:
    app = PreviewApp()
    app.client.hang("/folder")
    async with app.run_test(size=(60, 20)) as pilot:
        app.preview.follow(Subject(Location.local("/folder")))
        await until(pilot, lambda: ("list", Location.local("/folder")) in app.client.calls)
        app.preview.follow(Subject(Location.local("/other.txt")))
        await until(pilot, lambda: body(app).startswith("other"))
        app.client.release("/folder")
        await pilot.pause()
        assert body(app).startswith("other")


async def test_what_has_changed_is_read_again_and_shown_from_where_it_was() -> None:
    app = PreviewApp()
    async with app.run_test(size=(60, 20)) as pilot:
        file = Location.local("/text.py")
        app.preview.follow(Subject(file, facts=(2000, 1)))
        await until(pilot, lambda: body(app).startswith("import os"))
        app.preview.turn(2)
        text = app.query_one(TextView)
        await until(pilot, lambda: text.window.offset)
        offset = text.window.offset
        app.client.write("/text.py", b"import re\n" * 300)
        app.preview.follow(Subject(file, facts=(3000, 2)))
        await until(pilot, lambda: body(app).startswith("import re"))
        assert text.window.offset == offset


async def test_hidden_names_in_a_folder_are_shown_where_the_pane_shows_them() -> None:
    app = PreviewApp()
    app.client.make("/folder", {"b10": b"", "b9": b"", ".hidden": b""})
    async with app.run_test(size=(60, 20)) as pilot:
        folder = Location.local("/folder")
        app.preview.follow(Subject(folder))
        await until(pilot, lambda: body(app) == "b9\nb10")
        assert title(app) == "folder/  2 entries"
        app.preview.follow(Subject(folder, hidden=True))
        await until(pilot, lambda: body(app) == ".hidden\nb9\nb10")
