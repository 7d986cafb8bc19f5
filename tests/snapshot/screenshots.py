"""Draws the real app on a client in memory: `python -m tests.snapshot.screenshots FOLDER` writes one SVG a picture."""

from __future__ import annotations

import asyncio
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[1] / "ui"))

from fake_client import FakeClient, file, link

from tui.config import Settings
from tui.model.ask import KnownHost
from tui.model.entry import EntryKind, Facts, Space
from tui.model.job import JobKind, JobState, Progress, Question, Request
from tui.model.location import Location
from tui.paths import Paths
from tui.ui.app import Ferry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from textual.pilot import Pilot

SIZE = (120, 36)
MIB, GIB = 1 << 20, 1 << 30
FREE = Space(free_bytes=1890 * GIB, size_bytes=3600 * GIB, free_files=1_000_000)
NOW = 1_763_733_600.0

PROGRAM = '''"""Counts words, for those who count words."""

from collections import Counter
from pathlib import Path


def count(path: Path) -> Counter[str]:
    """Return how often each word stands in a file."""
    words = path.read_text(encoding="utf-8").lower().split()
    return Counter(word.strip(".,;:!?") for word in words)


if __name__ == "__main__":
    for word, times in count(Path("notes.txt")).most_common(10):
        print(f"{times:6}  {word}")
'''

TREE: dict[str, Any] = {
    "home": {
        "ann": {
            "archive": {"2023": {}, "2024": {}},
            "photos": {f"IMG_{number:04}.jpg": 3 * MIB + number * 7919 for number in range(2100, 2140)},
            "survey": {f"tile_{number}.tif": 84 * MIB for number in range(1, 9)},
            "music": {"live.flac": 310 * MIB},
            "latest": link("survey"),
            "backup.tar.zst": 41 * GIB,
            "count.py": file(PROGRAM.encode(), mode=0o755),
            "notes.txt": b"the quick brown fox",
            "report, final (2).pdf": 4 * MIB,
            "umlaut äöü.txt": b"x",
            "line\nbreak.txt": b"x",
            "\x1b[31mnot red.txt": b"x",
            "漢字.txt": b"x",
            "render.mov": 7 * GIB,
            ".profile": b"x",
        }
    },
    "mnt": {"tank": {"photos": {}, "survey": {}, "old": {}, "backup.tar.zst": 40 * GIB, "lost+found": {}}},
}


FAR: dict[str, Any] = {
    "srv": {
        "photos": {
            "2024": {},
            "2025": {},
            "index.html": 41_213,
            **{f"IMG_{number:04}.jpg": 3 * MIB + number * 7919 for number in range(2100, 2112)},
        }
    }
}


def filled_queue(client: FakeClient) -> None:
    """Let some jobs run, wait and end."""
    tank = Location.local("/mnt/tank")

    def add(kind: JobKind, name: str, count: int, state: JobState, **more: Any) -> int:
        request = Request(
            kind=kind,
            sources=(Location.local(f"/home/ann/{name}"),) * count,
            target=None if kind is JobKind.TRASH else tank,
        )
        return client.add_job(request, state=state, created_at=NOW, started_at=NOW, **more).id

    add(
        JobKind.COPY,
        "photos",
        3,
        JobState.RUNNING,
        progress=Progress(
            18_230, 61_044, 49 * GIB, 118 * GIB,
            errors=2,
            current=Location.local("/home/ann/photos/2024/IMG_2113.jpg"),
            rate_bytes_s=412.0 * MIB,
            time_left_s=171.0,
        ),
    )  # fmt: skip
    add(
        JobKind.MOVE,
        "render.mov",
        1,
        JobState.QUEUED,
        note="waits for job 1 on the same disk",
        progress=Progress(0, 1, 0, 7 * GIB),
    )
    add(JobKind.COPY, "survey", 1, JobState.PAUSED, progress=Progress(3, 8, 252 * MIB, 672 * MIB))
    add(
        JobKind.COPY,
        "archive",
        2,
        JobState.DONE,
        ended_at=NOW + 64,
        progress=Progress(4_188, 4_188, 104 * MIB, 104 * MIB),
    )
    add(JobKind.TRASH, "tmp", 14, JobState.DONE, ended_at=NOW + 2, progress=Progress(14, 14, MIB, MIB))


def at_rate(pilot: Pilot[None], client: FakeClient, mib_s: float) -> None:
    """Let the engine have moved so much a second, with ups and downs, for a minute."""
    client.engine = replace(client.engine, rate_bytes_s=mib_s * MIB)
    for second in range(60):
        pilot.app.main.queue_pane.graph.add(mib_s * MIB * (0.8 + 0.2 * math.sin(second / 5)))  # type: ignore[attr-defined]


async def main_view(pilot: Pilot[None], client: FakeClient) -> None:
    await pilot.press("j", "j", "j", "j", "space", "space", "Z", "j")


async def queue(pilot: Pilot[None], client: FakeClient) -> None:
    at_rate(pilot, client, 412)
    filled_queue(client)
    await pilot.press("j", "j", "j", "j", "space", "space", "Z")
    await pilot.pause(0.3)
    await pilot.press("w")


async def conflict(pilot: Pilot[None], client: FakeClient) -> None:
    at_rate(pilot, client, 412)
    filled_queue(client)
    question = Question(
        id=1,
        job=1,
        source=Location.local("/home/ann/backup.tar.zst"),
        target=Location.local("/mnt/tank/backup.tar.zst"),
        source_facts=Facts(EntryKind.FILE, 41 * GIB, int(NOW * 1e9)),
        target_facts=Facts(EntryKind.FILE, 40 * GIB, int((NOW - 86_400 * 30) * 1e9)),
        asked_at=NOW,
    )
    client.add_question(question)
    await pilot.press("w")
    await pilot.pause(0.3)
    await pilot.press("g", "g", "a")


async def copy(pilot: Pilot[None], client: FakeClient) -> None:
    await pilot.press("j", "j", "j", "j", "space", "space", "f5")


async def viewer(pilot: Pilot[None], client: FakeClient) -> None:
    await pilot.press("/", *"count", "enter", "f3")


async def help_(pilot: Pilot[None], client: FakeClient) -> None:
    await pilot.press("f1")


async def far(pilot: Pilot[None], client: FakeClient) -> None:
    """A pane at another host, and a copy from there."""
    at_rate(pilot, client, 88)
    photos = Location("/srv/photos", "sftp", "ann@harbour.example")
    client.far("sftp://ann@harbour.example", FAR, home="/srv")
    pilot.app.main.right.go(photos)  # type: ignore[attr-defined]
    request = Request(
        kind=JobKind.COPY, sources=(photos.child("2025"),), target=Location.local("/home/ann/photos")
    )
    client.add_job(
        request,
        state=JobState.RUNNING,
        created_at=NOW,
        started_at=NOW,
        progress=Progress(
            310, 4_188, 1 * GIB, 13 * GIB,
            current=photos.child("2025").child("IMG_3310.jpg"),
            rate_bytes_s=88.0 * MIB,
            time_left_s=139.0,
        ),
    )  # fmt: skip
    await pilot.pause(0.3)


async def connect(pilot: Pilot[None], client: FakeClient) -> None:
    """The dialog that leads to hosts and stores."""
    await far(pilot, client)
    client.known_hosts = (
        KnownHost(Location("/~", "sftp", "harbour"), "harbour", "from the ssh configuration"),
        KnownHost(Location("/~", "sftp", "nas"), "nas", "from the ssh configuration"),
        KnownHost(Location("/", "s3", "archive"), "archive", "https://s3.harbour.example"),
    )
    await pilot.press("\\")


async def search(pilot: Pilot[None], client: FakeClient) -> None:
    """A second tab, and what was found below its folder."""
    await pilot.press("t", "t", "s", *"*.jpg", "enter")
    await pilot.pause(0.5)
    await pilot.press("j", "space", "space", "j")


PICTURES: dict[str, Callable[[Pilot[None], FakeClient], Awaitable[None]]] = {
    "main": main_view,
    "queue": queue,
    "conflict": conflict,
    "copy": copy,
    "viewer": viewer,
    "help": help_,
    "far": far,
    "connect": connect,
    "search": search,
}


async def draw(name: str, folder: Path, size: tuple[int, int]) -> None:
    """Play one scene and write its picture."""
    client = FakeClient(TREE)
    client.free = FREE
    with tempfile.TemporaryDirectory() as home:
        paths = Paths.from_environment({"FERRY_HOME": home})
        ann, tank = Location.local("/home/ann"), Location.local("/mnt/tank")
        app = Ferry(client, Settings(), ann, tank, paths)
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.5)
            await PICTURES[name](pilot, client)
            await pilot.pause(0.8)
            # Not every program that draws an SVG keeps the blanks a column begins with unless it is told to.
            picture = app.export_screenshot(title="Ferry").replace("<svg ", '<svg xml:space="preserve" ', 1)
            (folder / f"{name}.svg").write_text(picture, encoding="utf-8")


def chosen(words: list[str]) -> Iterator[str]:
    yield from words or PICTURES


def main() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    folder = Path(sys.argv[1])
    size = tuple(map(int, os.environ.get("SIZE", "x".join(map(str, SIZE))).split("x")))
    for name in chosen(sys.argv[2:]):
        asyncio.run(draw(name, folder, (size[0], size[1])))


if __name__ == "__main__":
    main()
