"""What other tools put into a bucket is what Ferry finds there, and the other way round: names, contents, times."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.places.stand import TAG
from tests.servers.keys import set_keys
from tui.model.entry import EntryKind
from tui.model.location import S3, Location
from tui.places.base import Attributes
from tui.places.s3.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.servers.swift import Swift
    from tui.places.s3.place import S3Place

    Tool = Callable[..., list[str]]

pytest.importorskip("aiobotocore", reason="S3 needs the extra: pip install 'ferry-tui[s3]'")

from tests.places.stand_s3 import NOBODY
from tui.places.s3.opening import S3Opener

TIME_NS = 1_600_000_000_000_000_000
BUCKET = Location("/tools", S3, "swift")
CONTENTS = {
    "größe/日本語 🦀": b"one",
    "two words/+ plus & 100%41": b"two",
    ".hidden/..more": b"three",
    "empty": b"",
    "a=b;c?d#e'f\"g": b"four",
    "/".join(["n" * 200] * 4) + "/" + "é" * 90: b"five",  # 984 bytes
}


def rclone(server: Swift, folder: Path, *, up: bool) -> list[str]:
    store = f":s3,provider=Other,env_auth=true,force_path_style=true,endpoint='{server.url}':{BUCKET.name}"
    ends = [f"{folder}", store] if up else [store, f"{folder}"]
    return ["rclone", "--config", "/dev/null", "--retries", "1", "copy", *ends]


def s3cmd(server: Swift, folder: Path, *, up: bool) -> list[str]:
    host, config = server.url.removeprefix("http://"), folder.parent / "s3cmd"
    config.write_text(
        f"[default]\naccess_key = {server.access_key}\nsecret_key = {server.secret_key}\n"
        f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\n"
    )
    there = f"s3://{BUCKET.name}/"
    ends = [f"{folder}/", there] if up else [there, f"{folder}/"]
    return ["s3cmd", "-q", "-c", str(config), "put" if up else "get", "-r", *ends]


@pytest.fixture(params=[rclone, s3cmd], ids=lambda tool: str(tool.__name__))
def tool(request: pytest.FixtureRequest, swift: Swift, tmp_path: Path) -> Callable[..., Any]:
    """Copies a local folder into the bucket (`up`), or the bucket into a local folder."""
    command: Tool = request.param
    if shutil.which(command.__name__) is None:
        pytest.skip(f"{command.__name__} is not here")

    async def run(folder: Path, *, up: bool) -> None:
        words = command(swift, folder, up=up)
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture
async def place(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Place]:
    """A place with an empty bucket, which goes with it."""
    set_keys(monkeypatch, swift)
    place = await S3Opener(lambda: {"swift": Endpoint("swift", swift.url, swift.region)}).open(BUCKET, NOBODY)
    await place.make_folder(BUCKET)
    yield place
    for where in [where async for where in below(place, BUCKET)]:
        await place.remove_file(where)
    await place.remove_folder(BUCKET)
    await place.close()


async def below(place: S3Place, folder: Location) -> AsyncIterator[Location]:
    """Yield all files below a folder."""
    async for page in place.list(folder):
        for entry in page:
            where = folder.child(entry.name)
            if entry.kind is EntryKind.FOLDER:
                async for each in below(place, where):
                    yield each
            else:
                yield where


async def test_what_another_tool_has_uploaded_is_found_as_it_was(
    place: S3Place, tool: Callable[..., Any], tmp_path: Path
) -> None:
    for name, data in CONTENTS.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(TIME_NS, TIME_NS))
    await tool(tmp_path / "tree", up=True)
    found = {BUCKET.relative(where): await place.get(where, 100) async for where in below(place, BUCKET)}
    assert {name: data for name, (_, data) in found.items()} == CONTENTS
    assert {entry.mtime_ns for entry, _ in found.values()} == {TIME_NS}


async def test_another_tool_finds_what_was_uploaded_here(
    place: S3Place, tool: Callable[..., Any], tmp_path: Path
) -> None:
    for name, data in CONTENTS.items():
        where = BUCKET.below(name)
        await place.put(where, data, Attributes(mtime_ns=TIME_NS), TAG, replace=False, flush=False)
    (tmp_path / "tree").mkdir()
    await tool(tmp_path / "tree", up=False)
    files = {path for path in (tmp_path / "tree").rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path / "tree")): path.read_bytes() for path in files} == CONTENTS
