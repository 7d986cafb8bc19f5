"""Let clients say this and that to jobs between hosts while engines are killed and lines are cut, again and again.

Copies, moves, deletes and syncs go up, down, from host to host and within one. All the time every file that has its
final name must hold what it is to hold, or what it held before, whatever a job was told. In the end all is resumed or
tried again: every job has to come to its end.

`python -m tests.soak.far_command_rounds --rounds 30` is what `make soak` runs.
"""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.proxy import Proxy
from tests.servers.sshd import HOW_TO_HAVE_IT, program
from tests.soak.command_rounds import PATIENCE_S, bring_to_an_end, kill, say
from tests.soak.far_rounds import (
    WAYS,
    Host,
    Size,
    Tree,
    arrived,
    describe,
    introduce,
    logged,
    make_tree,
    running_hosts,
)
from tests.soak.rounds import Ground, main
from tests.trees import partials
from tui.client.remote import RemoteClient
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.paths import Paths

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

KINDS = (JobKind.COPY, JobKind.MOVE, JobKind.SYNC, JobKind.DELETE)
JOBS = 6
LASTS_S = 4.0
SLOW = 2 << 20
SIZE = Size(files=30, large_bytes=2 << 20, large_files=1)


@dataclass
class Task:
    """One job of a round: what it takes, where that goes, and what was there."""

    number: int
    kind: JobKind
    way: str
    source: Path
    there: Path
    new: Tree
    old: Tree

    def request(self, hosts: tuple[Host, Host]) -> Request:
        if self.kind is JobKind.DELETE:
            return Request(kind=self.kind, sources=(_at(hosts[0], self.source),))
        from_ = Location.local(self.source) if self.way == "up" else _at(hosts[0], self.source)
        host = hosts[1] if self.way == "across" else hosts[0]
        to = Location.local(self.there) if self.way == "down" else _at(host, self.there)
        syncs = self.kind is JobKind.SYNC
        return Request(
            kind=self.kind,
            sources=(from_,),
            target=to if syncs else to.parent,
            into=not syncs,
            conflict=Conflict.OVERWRITE if syncs else Conflict.SKIP,
            delete_extra=syncs,
            limit_bytes_s=SLOW,
        )

    def faults(self) -> list[str]:
        """Return what is wrong now that the job is done."""
        found = [f"left behind: {path}" for path in partials(self.source.parent, self.there.parent)]
        if self.kind is JobKind.DELETE:
            found += arrived(self.source.parent, self.old, timeless=True)
        else:
            found += arrived(self.there, self.new, timeless=True)
        if self.kind in (JobKind.MOVE, JobKind.DELETE):
            found += ["the source is still there"] if os.path.lexists(self.source) else []
        else:
            found += [f"source harmed: {line}" for line in arrived(self.source, self.new, timeless=True)]
        return [f"job {self.number}, {self.kind} {self.way}: {fault}" for fault in found]


class Watch:
    """Reads again and again what has its final name: it is to be whole, new or old."""

    def __init__(self, tasks: list[Task]) -> None:
        self.faults: set[str] = set()
        self._tasks = [task for task in tasks if task.kind is not JobKind.DELETE]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            for task in self._tasks:
                self._look_at(task)

    def _look_at(self, task: Task) -> None:
        for path in task.new:
            right = [tree[path] for tree in (task.new, task.old) if path in tree]
            contents = [held[4] for held in right if held[0] == stat.S_IFREG]
            where = os.path.join(os.fsencode(task.there), path)
            try:
                if not contents or not stat.S_ISREG(os.lstat(where).st_mode):
                    continue
                content = Path(os.fsdecode(where)).read_bytes()
            except OSError:
                continue
            if hash(content) not in contents:
                self.faults.add(
                    f"job {task.number}, {task.kind} {task.way}: under its name, and not whole: {path!r}: "
                    f"{len(content)} bytes"
                )


def play(ground: Ground, hosts: tuple[Host, Host], lasts_s: float = LASTS_S) -> tuple[str, list[str]]:
    """Queue jobs, and command them; return what was done, and what is wrong afterwards."""
    introduce(ground.ferry.home, hosts)
    tasks = [_task(ground, number) for number in range(JOBS)]
    watch = Watch(tasks)
    try:
        faults = asyncio.run(
            command(ground, [task.request(hosts) for task in tasks], partial(_cut, ground, hosts), lasts_s)
        )
    finally:
        watch.close()
    faults += sorted(watch.faults)[:5]
    for task in tasks:
        faults += task.faults()[:3]
    faults += logged(ground.ferry.home)
    return " ".join(f"{task.kind}-{task.way}" for task in tasks), faults


def _at(host: Host, path: Path) -> Location:
    return Location(str(path), "sftp", host.name)


def _task(ground: Ground, number: int) -> Task:
    """Prepare what a job takes, and what stands where that goes."""
    rng = ground.rng
    kind, way = KINDS[(number + ground.number) % len(KINDS)], rng.choice(WAYS)
    source = ground.near / f"from{number}" / "source"
    make_tree(source, rng, SIZE)
    new = describe(source)
    if kind is JobKind.DELETE:
        (source.parent / "kept").write_text("not named")
        kept = {
            path: held for path, held in describe(source.parent).items() if not path.startswith(b"source")
        }
        return Task(number, kind, way, source, source, new, kept)
    there = ground.place(number % 2 == 0) / f"to{number}" / "source"
    there.parent.mkdir(parents=True)
    if kind is JobKind.SYNC:
        _differ(there, new, rng)
    return Task(number, kind, way, source, there, new, describe(there) if there.exists() else {})


def _differ(there: Path, new: Tree, rng: random.Random) -> None:
    """Have older files, more files, and a folder in the way stand where a sync goes."""
    there.mkdir()
    (there / "extra" / "deeper").mkdir(parents=True)
    for number in range(20):
        (there / "extra" / "deeper" / str(number)).write_text("extra")
    for path in rng.sample(sorted(path for path, held in new.items() if held[0] == stat.S_IFREG), 12):
        where = there / os.fsdecode(path)
        where.parent.mkdir(parents=True, exist_ok=True)
        if rng.random() < 0.3:
            (where / "in the way").mkdir(parents=True)
        else:
            where.write_bytes(b"older" * rng.randrange(1, 2000))
            os.utime(where, (10**9, 10**9))


async def command(
    ground: Ground, requests: list[Request], cut: Callable[[float], Awaitable[None]], lasts_s: float
) -> list[str]:
    """Have the jobs done while clients command them, engines are killed and `cut` plays with the lines until then.

    Returns:
        What was wrong with what was told.
    """
    paths = Paths.from_environment(ground.ferry.environment)
    faults: list[str] = []
    async with RemoteClient(paths, wait_s=PATIENCE_S) as client:
        await client.remove()  # jobs that laid the ground
        ids = [await client.submit(request) for request in requests]
        # What a sync is to do about older files is not to change.
        free = [id for id, each in zip(ids, requests, strict=True) if each.kind is not JobKind.SYNC]
        ends = asyncio.get_running_loop().time() + lasts_s
        seeds = [ground.rng.randrange(1 << 30) for _ in range(2)]
        await asyncio.gather(
            kill(ground, ends),
            cut(ends),
            say(paths, ids, seeds[0], ends, faults, rules=()),
            say(paths, free, seeds[1], ends, faults),
        )
        await bring_to_an_end(client, faults, then=partial(check_counts, faults=faults))
    return faults


async def _cut(ground: Ground, hosts: tuple[Host, Host], ends: float) -> None:
    """Cut, reset or silence a line, or end the sessions of a server, now and then."""
    rng = ground.rng
    while asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(rng.uniform(0.1, 1.0))
        host = rng.choice(hosts)
        match rng.randrange(4):
            case 0:
                host.server.kill_sessions()
            case 1:
                size_bytes = rng.randrange(1 << 20)
                await asyncio.to_thread(host.line.do, lambda proxy: proxy.cut_after(size_bytes))  # noqa: B023
            case 2:
                await asyncio.to_thread(host.line.do, Proxy.reset)
            case _:
                await asyncio.to_thread(host.line.do, Proxy.cut)


async def check_counts(client: RemoteClient, faults: list[str]) -> None:
    """Note jobs that are done, and tell of less or more than that."""
    for job in await client.jobs():
        told = job.progress
        if job.state is JobState.DONE and (
            (told.files_done, told.bytes_done, told.errors) != (told.files_total, told.bytes_total, 0)
        ):
            faults.append(f"job {job.id}, {job.kind}: it tells of {told}")


if __name__ == "__main__":
    if program("sshd") is None:
        raise SystemExit(HOW_TO_HAVE_IT)
    with tempfile.TemporaryDirectory(prefix="ferry-hosts-") as made, running_hosts(Path(made)) as both:
        raise SystemExit(main(__doc__, partial(play, hosts=both)))
