"""The whole screen on a client in memory."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from fake_client import FakeClient
from msgspec.structs import replace
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from tui.config import Settings
from tui.model.location import Location
from tui.paths import Paths
from tui.ui.app import Ferry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tui.model.job import Request
    from tui.ui.screens.main import MainScreen

TREE: dict[str, Any] = {
    "home": {
        "ann": {
            "music": {"one.ogg": 4_000_000, "two.ogg": 6_000_000, "live": {"three.ogg": 9_000_000}},
            "photos": {f"picture {n}.jpg": 2_400_000 for n in range(5)},
            "notes.txt": b"hello",
            "report.pdf": 812_331,
            "todo.md": b"- sail",
        },
    },
    "mnt": {"backup": {"music": {"one.ogg": 4_000_000}}},
}


@dataclass
class Shell:
    """The app, its pilot and its client."""

    app: Ferry
    pilot: Pilot[None]
    client: FakeClient
    told: list[str]
    """Every message so far: the app itself forgets them after some seconds, shown or not."""

    @property
    def main(self) -> MainScreen:
        return self.app.main

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until something holds; fails with what was shown if it never does."""
        ends = time.monotonic() + 60
        while not condition():
            if time.monotonic() > ends:
                raise AssertionError(f"never came true: {what or condition}; told: {self.told}")
            await self.pilot.pause(0.01)

    async def cursor_on(self, name: str) -> None:
        """Wait for the folder, then put the cursor of the pane in use on an entry."""
        pane = self.main.pane
        await self.until(lambda: name in pane.folder.names and pane.folder.order, f"{name} listed")
        pane.go(pane.location, cursor_on=name)
        await self.until(lambda: pane.current and pane.current.name == name, f"cursor on {name}")

    async def dialog(self, kind: type[Any]) -> Any:
        await self.until(lambda: isinstance(self.app.screen, kind), f"{kind.__name__} open")
        await self.pilot.pause()
        return self.app.screen

    async def back(self) -> None:
        await self.until(lambda: self.app.screen is self.main, "the main screen")

    @property
    def requests(self) -> list[Request]:
        return [call[2] for call in self.client.calls if call[0] == "submit"]

    def called(self, method: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.client.calls if call[0] == method]


@pytest.fixture(scope="session", autouse=True)
def styles_parsed_once() -> Iterator[None]:
    """Parse each style sheet once for all apps: every app parses all of them twice, a quarter of these tests' time.

    And have a rule be found by its identity, as Textual has it, without running Python for that a million times.
    """
    parsed: dict[object, Any] = {}
    parse = Stylesheet._parse_rules

    def parse_once(self: Stylesheet, *sheet: Any, **options: Any) -> Any:
        key = (sheet, tuple(options.items()), tuple(self._variables.items()))
        if key not in parsed:
            parsed[key] = parse(self, *sheet, **options)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        patch.setattr(RuleSet, "__hash__", object.__hash__)
        yield


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(*(tmp_path / name for name in ("state", "run", "config", "cache")))


@pytest.fixture
def shell(paths: Paths) -> Callable[..., AbstractAsyncContextManager[Shell]]:
    """Return a function that opens the screen: left in /home/ann, right in /mnt/backup."""

    @asynccontextmanager
    async def open_shell(
        tree: dict[str, Any] | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        left: str = "/home/ann",
        right: str | None = "/mnt/backup",
        prepare: Callable[[FakeClient], None] | None = None,
        **sections: Any,
    ) -> AsyncIterator[Shell]:
        client = FakeClient(TREE if tree is None else tree)
        if prepare is not None:
            prepare(client)
        settings = replace(Settings(), **sections)
        app = Ferry(client, settings, Location(left), Location(right) if right else None, paths)
        told: list[str] = []
        notify = app.notify

        def note(message: str, **options: Any) -> None:
            told.append(message)
            notify(message, **options)

        app.notify = note  # type: ignore[method-assign, assignment]
        async with app.run_test(size=size, notifications=True) as pilot:
            opened = Shell(app, pilot, client, told)
            await opened.until(lambda: app.main.pane.folder.location == Location(left), "first folder")
            yield opened

    return open_shell
