"""Let clients say this and that to jobs to and from a store while engines are killed and its line is cut.

As `far_command_rounds`, with a store that speaks S3 (OpenStack Swift) for a host: it has no links, no permissions and
no folders of its own, and renames by copying. All the time, so after each death of an engine or a line, too, what has
its final name is to be whole, there as here; afterwards it is fetched by Ferry, as a user sees it.

`python -m tests.soak.store_command_rounds --rounds 20` is what `make soak` runs.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers.proxy import Proxy
from tests.servers.swift import HOW_TO_HAVE_IT, Swift, running_swift
from tests.soak.far_command_rounds import KINDS, command
from tests.soak.far_rounds import Line, logged
from tests.soak.rounds import Ground, main
from tests.trees import partials
from tui.model.job import Conflict, JobKind, Request
from tui.model.location import Location
from tui.paths import Paths

if TYPE_CHECKING:
    import random

WAYS = ("up", "down", "within")
JOBS = 5
LASTS_S = 4.0
SLOW = 8 << 20
SIZES = (0, 1, 100, 4097, 33_000, 300_000)
LARGE_BYTES = 18 << 20
"""More than goes up in one request."""
NAMES = ("plain", "a b+%", "späne", "[x] *?", "line\nbreak", "~", "#frag?query")

Files = dict[str, bytes]
"""Contents by path."""


@dataclass(frozen=True)
class Shop:
    """A store, and the line to it. `name`: what Ferry calls it."""

    server: Swift
    line: Line
    name: str = "shop"

    def at(self, path: str) -> Location:
        return Location(f"/{path}", "s3", self.name)

    def objects(self, folder: Location) -> list[tuple[str, int, str]]:
        """Return what is in a folder, asked for beside Ferry and the line: (path in it, bytes, ETag)."""
        bucket, _, prefix = folder.path.strip("/").partition("/")
        pages = self._onlooker.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        keys = [each for page in pages for each in page.get("Contents", ())]
        return [(it["Key"][len(prefix) + 1 :], it["Size"], it["ETag"].strip('"')) for it in keys]

    @cached_property
    def _onlooker(self) -> Any:
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.session import Session  # type: ignore[import-untyped]

        config = Config(s3={"addressing_style": "path"})
        region = self.server.region
        return Session().create_client("s3", region, endpoint_url=self.server.url, config=config)

    def introduce(self, home: Path) -> None:
        """Have a Ferry know it."""
        paths = Paths.from_environment({"FERRY_HOME": str(home)})
        if not paths.config_file.exists():
            paths.config.mkdir(parents=True)
            url = f"http://127.0.0.1:{self.line.port}"
            region = self.server.region
            paths.config_file.write_text(f'[s3.{self.name}]\nurl = "{url}"\nregion = "{region}"\n')


@dataclass
class Task:
    """One job of a round: what it takes, where that goes, what is to be there afterwards, and what was there before."""

    number: int
    kind: JobKind
    way: str
    source: Location
    there: Location
    files: Files
    old: Files

    def request(self) -> Request:
        if self.kind is JobKind.DELETE:
            return Request(kind=self.kind, sources=(self.source,))
        syncs = self.kind is JobKind.SYNC
        return Request(
            kind=self.kind,
            sources=(self.source,),
            target=self.there if syncs else self.there.parent,
            into=not syncs,
            conflict=Conflict.OVERWRITE if syncs else Conflict.SKIP,
            delete_extra=syncs,
            limit_bytes_s=SLOW,
        )

    def faults(self, ground: Ground) -> list[str]:
        """Return what is wrong now that the job is done."""
        takes = self.kind in (JobKind.MOVE, JobKind.DELETE)
        ends = [("source", self.source, {} if takes else self.files)]
        if self.kind is not JobKind.DELETE:
            ends.append(("target", self.there, self.files))
        found = []
        for end, where, wanted in ends:
            held = _held(ground, where, f"{end}{self.number}")
            found += [f"{end}: missing: {path!r}" for path in wanted.keys() - held.keys()]
            found += [f"{end}: left: {path!r}" for path in held.keys() - wanted.keys()]
            found += [f"{end}: other: {path!r}" for path in wanted if held.get(path, b"") != wanted[path]]
        return [f"job {self.number}, {self.kind} {self.way}: {fault}" for fault in found]


class Watch:
    """Looks again and again at what has its final name at the end of a job: it is to be whole, new or old.

    Attributes:
        faults: What was not.
        looks: So many times all was looked at.
    """

    def __init__(self, shop: Shop, tasks: list[Task]) -> None:
        self.faults: set[str] = set()
        self.looks = 0
        self._shop, self._tasks = shop, tasks
        self._right = {task.number: _told(task) for task in tasks}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        try:
            while not self._over.wait(0.1):
                for task in self._tasks:
                    self._look_at(task)
                self.looks += 1
        except Exception as error:
            self.faults.add(f"looked no more: {error!r}")

    def _look_at(self, task: Task) -> None:
        seen = _seen_here(task) if task.there.is_local else self._shop.objects(task.there)
        for path, size_bytes, digest in seen:
            right = self._right[task.number].get(path)
            # What was put together of parts has another kind of digest.
            if right is None or (size_bytes, digest) in right:
                continue
            if "-" not in digest or size_bytes not in {size for size, _ in right}:
                self.faults.add(
                    f"job {task.number}, {task.kind} {task.way}: under its name, and not whole: {path!r}: "
                    f"{size_bytes} bytes"
                )


def _told(task: Task) -> dict[str, set[tuple[int, str]]]:
    """Return by path what may be there: (bytes, MD5) pairs."""
    right: dict[str, set[tuple[int, str]]] = {}
    for files in (task.files, task.old):
        for path, content in files.items():
            right.setdefault(path, set()).add((len(content), _digest(content)))
    return right


def _seen_here(task: Task) -> list[tuple[str, int, str]]:
    found, top = [], Path(task.there.path)
    for path in task.files:
        try:
            content = (top / path).read_bytes()
        except OSError:
            continue
        found.append((path, len(content), _digest(content)))
    return found


def _digest(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()


def play(ground: Ground, shop: Shop, lasts_s: float = LASTS_S) -> tuple[str, list[str]]:
    """Queue jobs, and command them; return what was done, and what is wrong afterwards."""
    shop.introduce(ground.ferry.home)
    bucket = f"round{ground.number}-{ground.rng.randrange(1 << 30)}"
    ground.ferry.run("mkdir", str(shop.at(bucket)))
    tasks = [_task(ground, shop, bucket, number) for number in range(JOBS)]
    watch = Watch(shop, tasks)
    try:
        faults = asyncio.run(
            command(ground, [task.request() for task in tasks], partial(_cut, ground, shop), lasts_s)
        )
    finally:
        watch.close()
    faults += sorted(watch.faults)[:5]
    if not watch.looks:
        faults.append("nothing was looked at while the jobs were done")
    for task in tasks:
        faults += task.faults(ground)[:3]
    faults += [f"left behind: {path}" for path in partials(ground.near)]
    faults += logged(ground.ferry.home)
    return " ".join(f"{task.kind}-{task.way}" for task in tasks), faults


def _task(ground: Ground, shop: Shop, bucket: str, number: int) -> Task:
    """Prepare what a job takes, and what stands where that goes."""
    rng = ground.rng
    kind, way = KINDS[(number + ground.number) % len(KINDS)], rng.choice(WAYS)
    made = ground.near / f"made{number}" / "source"
    files = _make(made, rng)
    source, there = Location.local(made), Location.local(ground.near / f"to{number}" / "source")
    if way != "up":
        source = shop.at(f"{bucket}/from{number}/source")
        ground.ferry.run("copy", str(made), f"{source.parent}/")
    if way != "down":
        there = shop.at(f"{bucket}/to{number}/source")
    older = _differ(ground, there, files, number) if kind is JobKind.SYNC else {}
    if kind is JobKind.DELETE:
        there = source
    return Task(number, kind, way, source, there, files, older)


def _make(root: Path, rng: random.Random) -> Files:
    """Make a tree of what a store can hold."""
    folders = ["", "folder/", "folder/a b/", "other/"]
    files = {f"{rng.choice(folders)}file{number}": rng.randbytes(rng.choice(SIZES)) for number in range(25)}
    files |= {f"{rng.choice(folders)}{name}": name.encode() for name in NAMES}
    files["large"] = rng.randbytes(LARGE_BYTES)
    _write(root, files)
    return files


def _write(root: Path, files: Files) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
        os.utime(root / path, (1_500_000_000, 1_500_000_000))


def _differ(ground: Ground, there: Location, files: Files, number: int) -> Files:
    """Have older files, and more of them, stand where a sync goes; return what they hold."""
    names = ground.rng.sample(sorted(files), 12)
    older: Files = {path: b"older" * ground.rng.randrange(1, 2000) for path in names}
    older |= {f"extra/deeper/{extra}": b"extra" for extra in range(20)}
    local = ground.near / f"older{number}" / "source"
    _write(local, older)
    ground.ferry.run("copy", str(local), f"{there.parent}/")
    return older


def _held(ground: Ground, where: Location, name: str) -> Files:
    """Return what is in a folder of either place; nothing where it is missing."""
    top = Path(where.path)
    if not where.is_local:
        top = ground.near / "fetched" / name / where.name
        fetched = ground.ferry.run("copy", str(where), f"{top.parent}/", check=False)
        if fetched.returncode and "no such" not in fetched.stderr:
            return {f"(not fetched: {fetched.stderr.strip()})": b""}
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


async def _cut(ground: Ground, shop: Shop, ends: float) -> None:
    """Cut or reset the line now and then."""
    rng = ground.rng
    while asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(rng.uniform(0.1, 1.0))
        size_bytes = rng.randrange(1 << 20)
        ways = (Proxy.reset, Proxy.cut, lambda proxy: proxy.cut_after(size_bytes))  # noqa: B023
        await asyncio.to_thread(shop.line.do, rng.choice(ways))


if __name__ == "__main__":
    if not Swift.is_here():
        raise SystemExit(HOW_TO_HAVE_IT)
    with running_swift() as swift, tempfile.TemporaryDirectory(prefix="ferry-shop-") as person:
        os.environ |= {
            "HOME": person,
            "AWS_ACCESS_KEY_ID": swift.access_key,
            "AWS_SECRET_ACCESS_KEY": swift.secret_key,
        }
        line = Line(int(swift.url.rpartition(":")[2]))
        try:
            raise SystemExit(main(__doc__, partial(play, shop=Shop(swift, line))))
        finally:
            line.close()
