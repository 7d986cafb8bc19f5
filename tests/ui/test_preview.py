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
from tui.ui.widgets.preview import SHOWN_NAMES, Preview
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
        ("many", f"many/  {SHOWN_NAMES}+ entries", "file0.txt"),
        ("secret", "secret", "permission denied"),
        ("gone", "gone", "no such file"),
    ],
)
async def test_each_kind_of_entry_is_shown_in_its_way(name: str, heading: str, content: str) -> None:
    app = PreviewApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.preview.follow(Location.local("/").child(name))
        await until(pilot, lambda: heading in title(app))
        await until(pilot, lambda: content in body(app))


async def test_one_file_after_the_other_is_shown_in_one_view_and_scrolled() -> None:
    app = PreviewApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.preview.follow(Location.local("/other.txt"))
        await until(pilot, lambda: body(app).startswith("other"))
        app.preview.follow(Location.local("/text.py"))
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
            app.preview.follow(Location.local("/").child(name))
        await until(pilot, lambda: body(app).startswith("other"))
        assert {call[1].name for call in app.client.calls} == {"other.txt"}


async def test_what_comes_late_is_not_shown() -> None:
    app = PreviewApp()
    app.client.hang("/folder")
    async with app.run_test(size=(60, 20)) as pilot:
        app.preview.follow(Location.local("/folder"))
        await until(pilot, lambda: ("list", Location.local("/folder")) in app.client.calls)
        app.preview.follow(Location.local("/other.txt"))
        await until(pilot, lambda: body(app).startswith("other"))
        app.client.release("/folder")
        await pilot.pause()
        assert body(app).startswith("other")


async def test_what_is_shown_can_be_read_anew() -> None:
    app = PreviewApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.preview.follow(Location.local("/other.txt"))
        await until(pilot, lambda: body(app).startswith("other"))
        app.client.write("/other.txt", b"changed\n")
        app.preview.again()
        await until(pilot, lambda: body(app).startswith("changed"))
