"""A client wholly in memory: a tree of entries to browse and a queue that does what a test scripts.

    client = FakeClient({"home": {"ann": {"notes.txt": b"hello", "music": {}}}})
    client.hang("/home/ann")                  # a folder that does not answer, until client.release(...)
    client.refuse("/root", PermissionDenied)  # one that cannot be read
    client.far("sftp://box", {"srv": {"a.txt": b"a"}}, home="/srv")   # another place, reached at once
    client.ask_first("sftp://box", Ask(AskKind.PASSWORD, "box", ""), right="secret")   # … once that is answered
    client.hold("/big")                       # one whose second page waits, until client.release(...)
    client.set_job(1, state=JobState.RUNNING, progress=Progress(files_done=3))   # pushes an update to the screen

Every call is kept in `client.calls` as (method, argument, …). A change made through the client, or by `write`,
`vanish` and `make`, wakes the watchers of its folder.
"""

from __future__ import annotations

import asyncio
import os
import stat
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tui.client.walking import walk_by_listing
from tui.model.ask import Ask, HostQuestion, KnownHost
from tui.model.comparison import Change, Compared, Difference
from tui.model.entry import Details, Entry, EntryKind, Facts, Page, Space, Totals, kind_of_mode
from tui.model.error import (
    AlreadyExists,
    AuthenticationFailed,
    EngineUnreachable,
    NoSuchJob,
    NotAFolder,
    NotFound,
    NotPossible,
    PlaceError,
    PlaceUnavailable,
    Unsupported,
)
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.job import (
    Conflict,
    Disconnected,
    EngineStatus,
    Job,
    JobError,
    JobKind,
    JobState,
    Question,
    Request,
    Update,
)
from tui.model.location import Location
from tui.model.misfit import Misfits, Names
from tui.model.parts import first_part
from tui.model.reach import Reach

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tui.model.entry import Below
    from tui.model.fidelity import Lost

NOON_NS = 1_750_000_000_000_000_000
"""Modification time of what is made without one."""
FIRST_PAGE, PAGE = 256, 5_000


@dataclass
class Node:
    """One entry of the tree. `points_to` is a link's text; `content` stands for a file's bytes."""

    mode: int
    content: bytes = b""
    size_bytes: int = 0
    mtime_ns: int = NOON_NS
    points_to: str | None = None
    children: dict[str, Node] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


def folder(mode: int = 0o755, mtime_ns: int = NOON_NS) -> Node:
    return Node(stat.S_IFDIR | mode, mtime_ns=mtime_ns)


def file(content: bytes = b"", *, size_bytes: int = -1, mtime_ns: int = NOON_NS, mode: int = 0o644) -> Node:
    return Node(stat.S_IFREG | mode, content, len(content) if size_bytes < 0 else size_bytes, mtime_ns)


def link(points_to: str) -> Node:
    return Node(stat.S_IFLNK | 0o777, points_to=points_to, size_bytes=len(points_to))


def fifo() -> Node:
    return Node(stat.S_IFIFO | 0o644)


def socket() -> Node:
    return Node(stat.S_IFSOCK | 0o755)


def tree_of(entries: Mapping[str, Any]) -> Node:
    """Return a folder from nested dicts: a dict is a folder, bytes or an int (its size) a file, a Node itself."""
    made = folder()
    for name, value in entries.items():
        if isinstance(value, Node):
            made.children[name] = value
        elif isinstance(value, bytes):
            made.children[name] = file(value)
        elif isinstance(value, int):
            made.children[name] = file(size_bytes=value)
        else:
            made.children[name] = tree_of(value)
    return made


def where(path: str | Location) -> Location:
    if isinstance(path, Location):
        return path
    return (
        Location.from_url(path if path.count("/") > 2 else f"{path}/")
        if "://" in path
        else Location.local(path)
    )


def _facts(node: Node | None) -> Facts | None:
    return None if node is None else Facts(kind_of_mode(node.mode), node.size_bytes, node.mtime_ns)


def _change(first: Node | None, second: Node | None, *, by_content: bool) -> Change | None:
    if first is None or second is None:
        return Change.NEW if second is None else Change.EXTRA
    if first.is_folder != second.is_folder:
        return Change.CLASH
    if first.is_folder:
        return None
    if by_content:
        return Change.CHANGED if first.content != second.content else None
    same = (first.size_bytes, first.mtime_ns) == (second.size_bytes, second.mtime_ns)
    return None if same else Change.CHANGED


class FakePlaces:
    """The half that browses."""

    def __init__(self, entries: Mapping[str, Any] | None = None) -> None:
        self.tree = tree_of(entries or {})
        self.calls: list[tuple[Any, ...]] = []
        self.reached = Reach.CONNECTED
        self.free = Space(free_bytes=5 << 30, size_bytes=20 << 30, free_files=1_000_000)
        self._refused: dict[Location, type[PlaceError]] = {}
        self._gates: dict[Location, asyncio.Event] = {}
        self._held: dict[Location, asyncio.Event] = {}
        self.untold: dict[Location, str] = {}
        """What the last page of a folder says that no name can tell."""
        self._watchers: dict[Location, list[asyncio.Event]] = defaultdict(list)
        self._unwatchable: set[Location] = set()
        self.trees: dict[Location, Node] = {}
        """Other places, by their roots."""
        self.homes: dict[Location, str] = {}
        self.known_hosts: tuple[KnownHost, ...] = ()
        self._locked: dict[Location, asyncio.Event] = {}

    # What a test says.

    def far(self, url: str, entries: Mapping[str, Any], home: str = "/") -> None:
        """Have another place, too."""
        self.trees[where(url)], self.homes[where(url)] = tree_of(entries), home

    def write(self, path: str | Location, node: Node | bytes | int = b"") -> None:
        """Put an entry there (over what there was) and wake the watchers."""
        location = where(path)
        if isinstance(node, bytes):
            node = file(node)
        elif isinstance(node, int):
            node = file(size_bytes=node)
        self._folder(location.parent).children[location.name] = node
        self.changed(location.parent)

    def make(self, path: str | Location, entries: Mapping[str, Any] | None = None) -> None:
        """Put a folder there."""
        self.write(path, tree_of(entries or {}))

    def vanish(self, path: str | Location) -> None:
        """Take an entry away, with all below it, and wake the watchers."""
        location = where(path)
        self._folder(location.parent).children.pop(location.name, None)
        self.changed(location.parent)
        for watched in [known for known in self._watchers if location.holds(known)]:
            self.changed(watched)

    def fill(self, path: str, count: int, name: str = "file{}.txt") -> None:
        """Make a folder of `count` files with sizes 0, 1, 2, …"""
        made = folder()
        made.children = {name.format(n): file(size_bytes=n) for n in range(count)}
        self.write(path, made)

    def changed(self, path: str | Location) -> None:
        """Wake the watchers of one folder."""
        for event in self._watchers.get(where(path), ()):
            event.set()

    def hang(self, path: str | Location) -> None:
        """Let everything asked about that folder and its entries wait until `release`."""
        self._gates[where(path)] = asyncio.Event()

    def hold(self, path: str | Location) -> None:
        """Let the pages of that folder after the first one wait until `release`."""
        self._held[where(path)] = asyncio.Event()

    def release(self, path: str | Location) -> None:
        for events in (self._gates, self._held):
            if event := events.pop(where(path), None):
                event.set()

    def refuse(self, path: str | Location, error: type[PlaceError]) -> None:
        """Let the folder be unreadable from now on."""
        self._refused[where(path)] = error

    def allow(self, path: str | Location) -> None:
        self._refused.pop(where(path), None)

    def never_watch(self, path: str | Location) -> None:
        self._unwatchable.add(where(path))

    def watchers(self, path: str | Location) -> int:
        """Return how many watch that folder now."""
        return len(self._watchers.get(where(path), ()))

    def node(self, path: str | Location) -> Node:
        location = where(path)
        found = self._root(location)
        for name in location.parts:
            if not found.is_folder or name not in found.children:
                raise NotFound(f"cannot read {location}: no such file or folder", location=location)
            found = found.children[name]
        return found

    def _root(self, location: Location) -> Node:
        if location.is_local:
            return self.tree
        root = replace(location, path="/")
        if root not in self.trees:
            raise PlaceUnavailable(f"cannot reach {root}: nothing answers there", location=location)
        return self.trees[root]

    def _folder(self, location: Location) -> Node:
        found = self._follow(location)
        if not found.is_folder:
            raise NotAFolder(f"cannot read {location}: not a folder", location=location)
        return found

    def _follow(self, location: Location, depth: int = 8) -> Node:
        found = self._root(location)
        so_far = replace(location, path="/")
        for name in location.parts:
            if not found.is_folder or name not in found.children:
                raise NotFound(f"cannot read {location}: no such file or folder", location=location)
            found = found.children[name]
            so_far = so_far.child(name)
            if found.points_to is not None:
                if not depth:
                    raise NotFound(f"cannot read {location}: links go in a circle", location=location)
                target = replace(location, path=Location.local(found.points_to, so_far.parent.path).path)
                found = self._follow(target, depth - 1)
        return found

    def _kind(self, location: Location, node: Node) -> EntryKind:
        if node.points_to is None:
            return kind_of_mode(node.mode)
        try:
            target = self._follow(location)
        except PlaceError:
            return EntryKind.BROKEN_LINK
        return EntryKind.FOLDER_LINK if target.is_folder else EntryKind.LINK

    async def _ask(self, method: str, location: Location, *more: Any, folder: Location | None = None) -> None:
        self.calls.append((method, location, *more))
        await asyncio.sleep(0)
        if lock := self._locked.get(replace(location, path="/")):
            await lock.wait()
        if gate := self._gates.get(folder or location):
            await gate.wait()
        places = (
            [folder or location] if location.is_local else [folder or location, replace(location, path="/")]
        )
        if error := next((self._refused[each] for each in places if each in self._refused), None):
            raise error(f"cannot read {location}: permission denied", location=location)

    # What a client does.

    async def resolve(self, location: Location) -> Location:
        await self._ask("resolve", location)
        home = self.homes.get(replace(location, path="/"), "/")
        self._root(location)
        return (
            replace(location, path=home + location.path[2:]) if location.path.startswith("/~") else location
        )

    async def list(self, folder: Location) -> AsyncIterator[Page]:
        await self._ask("list", folder)
        names = list(self._folder(folder).children)
        start, size = 0, FIRST_PAGE
        while True:
            chunk = names[start : start + size]
            here = self._folder(folder).children
            kinds = bytearray(kind_of_mode(here[name].mode) if name in here else 0 for name in chunk)
            start, size = start + size, PAGE
            yield Page(chunk, kinds, self.untold.get(folder, "") if start >= len(names) else "")
            if start >= len(names):
                return
            if held := self._held.get(folder):
                await held.wait()
            await asyncio.sleep(0)

    def walk(self, top: Location, *, hidden: bool) -> AsyncIterator[Sequence[Below]]:
        return walk_by_listing(self.list, top, hidden=hidden)

    async def details(self, folder: Location, names: Sequence[str]) -> Details:
        await self._ask("details", folder, len(names))
        children = self._folder(folder).children
        found = Details(bytearray(), array("q"), array("q"), array("I"))
        for name in names:
            node = children.get(name)
            found.kinds.append(self._kind(folder.child(name), node) if node else EntryKind.UNKNOWN)
            found.sizes_bytes.append(node.size_bytes if node else -1)
            found.mtimes_ns.append(node.mtime_ns if node else 0)
            found.modes.append(node.mode if node else 0)
        return found

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        await self._ask("stat", location, folder=location.parent)
        node = self._follow(location) if follow else self.node(location)
        return Entry(
            name=location.name,
            kind=self._kind(location, node),
            size_bytes=node.size_bytes,
            mtime_ns=node.mtime_ns,
            mode=node.mode,
            uid=1000,
            gid=1000,
            links=1,
            owner="ann",
            group="users",
            link_target=node.points_to,
        )

    async def read(self, location: Location, offset: int, size_bytes: int) -> bytes:
        await self._ask("read", location, offset, size_bytes, folder=location.parent)
        node = self._follow(location)
        if not stat.S_ISREG(node.mode):
            raise Unsupported(f"cannot read {location}: not a file", location=location)
        return node.content[offset : offset + size_bytes]

    async def reach(self, place: Location) -> Reach:
        return self.reached

    async def space(self, folder: Location) -> Space:
        await self._ask("space", folder)
        return self.free

    async def measure(
        self, locations: Sequence[Location], *, time_limit_s: float = 2.0, exclude: Exclusion = NOTHING
    ) -> Totals:
        self.calls.append(("measure", tuple(locations)))
        await asyncio.sleep(0)
        files = folders = size_bytes = 0
        waiting = [(self.node(location), "") for location in locations]
        while waiting:
            node, path = waiting.pop()
            if path and exclude.covers(os.fsencode(path), folder=node.is_folder):
                continue
            if node.is_folder:
                folders += 1
                waiting += [(child, f"{path}/{name}".lstrip("/")) for name, child in node.children.items()]
            else:
                files += 1
                size_bytes += node.size_bytes
        return Totals(files, folders, size_bytes)

    async def compare(
        self,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
    ) -> AsyncIterator[Compared]:
        """Yield a part for each folder that is on both sides; of one that is not, just itself."""
        self.calls.append(("compare", source, target, by_content))
        waiting = [""]
        while waiting:
            path = waiting.pop()
            await self._ask("compared", source.below(path))
            here, there = (self.node(side.below(path)).children for side in (source, target))
            part = Compared()
            for name in sorted({*here, *there}):
                below = f"{path}/{name}".lstrip("/")
                first, second = here.get(name), there.get(name)
                if any(
                    exclude.covers(os.fsencode(below), folder=node.is_folder)
                    for node in (first, second)
                    if node
                ):
                    continue
                change = _change(first, second, by_content=by_content)
                if change is not None:
                    part.differences.append(Difference(below, change, _facts(first), _facts(second)))
                elif first is not None and first.is_folder:
                    waiting.append(below)
                else:
                    part.files_same += 1
            yield part

    async def make_folder(self, location: Location) -> Location:
        await self._ask("make_folder", location, folder=location.parent)
        missing = []
        while location.name and not self._exists(location):
            missing.append(location)
            location = location.parent
        if not missing:
            raise AlreadyExists(f"cannot create the folder {location}: it is there", location=location)
        for each in reversed(missing):
            self.make(each)
        return missing[-1]

    async def create_file(self, location: Location) -> None:
        await self._ask("create_file", location, folder=location.parent)
        self._refuse_existing(location)
        self.write(location)

    async def rename(self, location: Location, new: Location) -> None:
        await self._ask("rename", location, new, folder=location.parent)
        node = self.node(location)
        self._refuse_existing(new)
        self.vanish(location)
        self.write(new, node)

    async def set_mode(self, location: Location, mode: int) -> None:
        await self._ask("set_mode", location, mode, folder=location.parent)
        node = self.node(location)
        node.mode = stat.S_IFMT(node.mode) | mode
        self.changed(location.parent)

    async def make_symlink(self, location: Location, points_to: str) -> None:
        await self._ask("make_symlink", location, points_to, folder=location.parent)
        self._refuse_existing(location)
        self.write(location, link(points_to))

    async def make_hardlink(self, location: Location, existing: Location) -> None:
        await self._ask("make_hardlink", location, existing, folder=location.parent)
        self._refuse_existing(location)
        self.write(location, self.node(existing))

    async def watch(self, folder: Location) -> AsyncIterator[None]:
        self.calls.append(("watch", folder))
        if folder in self._unwatchable or not folder.is_local or not self._exists(folder):
            return
        event = asyncio.Event()
        self._watchers[folder].append(event)
        try:
            while True:
                await event.wait()
                event.clear()
                yield
                if not self._exists(folder):
                    return
        finally:
            self._watchers[folder].remove(event)

    def _exists(self, location: Location) -> bool:
        try:
            self.node(location)
        except NotFound:
            return False
        return True

    def _refuse_existing(self, location: Location) -> None:
        if self._exists(location):
            raise AlreadyExists(f"cannot create {location}: it is there", location=location)


class FakeQueue:
    """The half that queues: nothing is ever copied; a test moves the jobs along."""

    calls: list[tuple[Any, ...]]

    def __init__(self) -> None:
        self.requests: dict[int, Request] = {}
        self.jobs_by_id: dict[int, Job] = {}
        self.removed: list[Job] = []
        self.errors_by_job: dict[int, list[JobError]] = defaultdict(list)
        self.losses_by_job: dict[int, tuple[Lost, ...]] = {}
        self.misfits_by_job: dict[int, Misfits] = {}
        self.open_questions: dict[int, Question] = {}
        self.answers: list[tuple[int, Conflict, bool]] = []
        self.engine = EngineStatus(4242, "0.1.0", 1, 1_750_000_000.0, None, 2, 0.0)
        self.unreachable = False
        self.open_host_questions: dict[int, HostQuestion] = {}
        self._last_host_question = 0
        self.host_answers: list[tuple[int, str | None]] = []
        self._right_answers: dict[int, str | None] = {}
        self._subscribers: list[asyncio.Queue[Update | Disconnected]] = []
        self._awake = asyncio.Event()
        self._awake.set()
        self._seq = 0

    # What a test says.

    def freeze(self) -> None:
        """Let the queue be as a process that was stopped: it answers nothing, and what was asked waits."""
        self._awake.clear()

    def thaw(self) -> None:
        self._awake.set()

    def push(self, update: Update | Disconnected) -> None:
        """Send an update to every subscriber as it is."""
        for queue in self._subscribers:
            queue.put_nowait(update)

    def announce(self, *jobs: Job, removed: tuple[int, ...] = ()) -> None:
        """Send an update of these jobs, with the next sequence number."""
        self._seq += 1
        hosts = tuple(self.open_host_questions.values())
        self.push(Update(self._seq, jobs, removed, self.engine, host_questions=hosts))

    def ask_host(
        self, url: str, ask: Ask, *, jobs: tuple[int, ...] = (), right: str | None = None
    ) -> HostQuestion:
        """Open a host's question. Another answer than `right`, where given, has it asked again."""
        self._last_host_question += 1
        id = self._last_host_question
        question = HostQuestion(id, ask, where(url), jobs)
        self.open_host_questions[id], self._right_answers[id] = question, right
        self.announce()
        return question

    def end_host_question(self, id: int) -> None:
        """Let a question go as if somebody else had answered it."""
        del self.open_host_questions[id]
        self.announce()

    def add_job(self, request: Request, **changes: Any) -> Job:
        """Put a job into the queue, as `submit` does, with fields changed as given."""
        id = max(self.jobs_by_id, default=0) + 1
        self.requests[id] = request
        job = Job(
            id=id,
            kind=request.kind,
            state=JobState.PAUSED if request.paused else JobState.QUEUED,
            first_source=request.sources[0],
            source_count=len(request.sources),
            target=request.target,
            into=request.into,
            conflict=request.conflict,
            priority=request.priority,
            limit_bytes_s=request.limit_bytes_s,
            position=id,
            created_at=1_750_000_000.0 + id,
            revision=1,
        )
        self.jobs_by_id[id] = replace(job, **changes)
        self.announce(self.jobs_by_id[id])
        return self.jobs_by_id[id]

    def set_job(self, id: int, **changes: Any) -> Job:
        """Change fields of a job and announce it."""
        job = self._job(id)
        self.jobs_by_id[id] = replace(job, revision=job.revision + 1, **changes)
        self.announce(self.jobs_by_id[id])
        return self.jobs_by_id[id]

    def add_question(self, question: Question) -> None:
        """Open a question; its job's count of them goes up."""
        self.open_questions[question.id] = question
        progress = self._job(question.job).progress
        self.set_job(question.job, progress=replace(progress, questions=progress.questions + 1))

    def add_error(self, error: JobError) -> None:
        """Add an error to its job, counted."""
        self.errors_by_job[error.job].append(error)
        progress = self._job(error.job).progress
        self.set_job(error.job, progress=replace(progress, errors=progress.errors + 1))

    def _job(self, id: int) -> Job:
        if id not in self.jobs_by_id:
            raise NoSuchJob(f"there is no job {id}")
        return self.jobs_by_id[id]

    def _each(self, method: str, ids: Sequence[int] | None, *more: Any) -> list[Job]:
        self.calls.append((method, None if ids is None else tuple(ids), *more))
        if self.unreachable:
            raise EngineUnreachable("the engine is not answering")
        return [self._job(id) for id in (self.jobs_by_id if ids is None else ids)]

    def _move(self, jobs: list[Job], allowed: frozenset[JobState], state: JobState) -> None:
        for job in jobs:
            if job.state in allowed:
                self.set_job(job.id, state=state)

    # What a client does.

    async def submit(self, request: Request) -> int:
        await self._awake.wait()
        self._each("submit", [], request)
        return self.add_job(request).id

    async def jobs(self) -> tuple[Job, ...]:
        return tuple(self.jobs_by_id.values())

    async def job(self, id: int, seconds: float = 0.0) -> Job:
        return self._job(id)

    async def request(self, id: int) -> Request:
        await self._awake.wait()
        self._job(id)
        return first_part(self.requests[id])

    async def updates(self) -> AsyncIterator[Update | Disconnected]:
        queue: asyncio.Queue[Update | Disconnected] = asyncio.Queue()
        self._subscribers.append(queue)
        try:
            hosts = tuple(self.open_host_questions.values())
            yield Update(self._seq, tuple(self.jobs_by_id.values()), (), self.engine, True, hosts)
            while True:
                yield await queue.get()
        finally:
            self._subscribers.remove(queue)

    async def pause(self, ids: Sequence[int] | None = None) -> None:
        await self._awake.wait()
        stoppable = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.WAITING})
        self._move(self._each("pause", ids), stoppable, JobState.PAUSED)

    async def resume(self, ids: Sequence[int] | None = None) -> None:
        self._move(self._each("resume", ids), frozenset({JobState.PAUSED, JobState.WAITING}), JobState.QUEUED)

    async def cancel(self, ids: Sequence[int] | None = None, *, keep: bool = True) -> None:
        open_states = frozenset(state for state in JobState if not state.is_final)
        self._move(self._each("cancel", ids, keep), open_states, JobState.CANCELLED)

    async def retry(self, ids: Sequence[int] | None = None) -> None:
        ended = frozenset({JobState.FAILED, JobState.CANCELLED})
        self._move(self._each("retry", ids), ended, JobState.QUEUED)

    async def start(self, ids: Sequence[int]) -> None:
        startable = frozenset({JobState.QUEUED, JobState.PAUSED, JobState.WAITING})
        self._move(self._each("start", ids), startable, JobState.RUNNING)

    async def reorder(self, ids: Sequence[int], where: str) -> None:
        moved = {job.id for job in self._each("reorder", ids, where)}
        rows = sorted(self.jobs_by_id.values(), key=lambda job: job.position)
        if where in ("top", "bottom"):
            rows.sort(key=lambda job: (job.id in moved) == (where == "bottom"))
        else:
            _step(rows, moved, -1 if where == "up" else 1)
        for position, job in enumerate(rows, 1):
            self.jobs_by_id[job.id] = replace(job, position=position, revision=job.revision + 1)
        self.announce(*self.jobs_by_id.values())

    async def set_priority(self, ids: Sequence[int], priority: int) -> None:
        for job in self._each("set_priority", ids, priority):
            self.set_job(job.id, priority=priority)

    async def remove(self, ids: Sequence[int] | None = None) -> None:
        jobs = self._each("remove", ids)
        if ids is not None and any(not job.state.is_final for job in jobs):
            raise NotPossible("a job that has not ended cannot be removed")
        self.removed = [job for job in jobs if job.state.is_final]
        gone = tuple(job.id for job in self.removed)
        for id in gone:
            del self.jobs_by_id[id]
        self.announce(removed=gone)

    async def restore(self) -> tuple[int, ...]:
        self._each("restore", [])
        if not self.removed:
            raise NotPossible("cannot bring jobs back: none was taken off the list")
        back, self.removed = self.removed, []
        self.jobs_by_id.update((job.id, job) for job in back)
        self.announce(*back)
        return tuple(job.id for job in back)

    async def verify(self, id: int) -> int:
        (job,) = self._each("verify", [id])
        return self.add_job(replace(self.requests[job.id], kind=JobKind.VERIFY)).id

    async def note_step(self, kind: JobKind, location: Location, before: Location) -> int:
        self._each("note_step", [], kind, location, before)
        renamed = kind is JobKind.RENAME
        request = Request(
            kind=kind,
            sources=(before if renamed else location,),
            target=location if renamed else None,
            into=False,
        )
        ended_at = 1_760_000_000.0 + len(self.jobs_by_id)
        return self.add_job(request, state=JobState.DONE, ended_at=ended_at, reversible=True).id

    async def undo(self, id: int) -> int:
        (job,) = self._each("undo", [id])
        if not job.reversible:
            raise NotPossible(f"cannot undo job {id}: it has done nothing")
        request = Request(kind=JobKind.RENAME, sources=(job.first_source,))
        undoing = self.add_job(request, undoes=id, redo=bool(job.undoes) and not job.redo)
        self.set_job(id, reversible=False, undone_by=undoing.id)
        return undoing.id

    async def limit(self, bytes_s: int | None, ids: Sequence[int] | None = None) -> None:
        jobs = self._each("limit", ids, bytes_s)
        if ids is None:
            self.engine = replace(self.engine, limit_bytes_s=bytes_s)
            self.announce()
        else:
            for job in jobs:
                self.set_job(job.id, limit_bytes_s=bytes_s)

    async def set_slots(self, slots: int) -> None:
        self._each("set_slots", [], slots)
        self.engine = replace(self.engine, slots=slots)
        self.announce()

    async def set_conflict(self, ids: Sequence[int], rule: Conflict) -> None:
        for job in self._each("set_conflict", ids, rule):
            self.set_job(job.id, conflict=rule)

    async def set_names(self, ids: Sequence[int], names: Names) -> None:
        await self._awake.wait()
        for job in self._each("set_names", ids, names):
            self.misfits_by_job.pop(job.id, None)
            state = JobState.QUEUED if job.wants_names else job.state
            self.set_job(job.id, names=names, misfits=0, state=state)

    async def misfits(self, id: int) -> Misfits:
        await self._awake.wait()
        self._job(id)
        return self.misfits_by_job.get(id, Misfits())

    async def errors(self, id: int, start: int = 0, count: int = 1000) -> tuple[JobError, ...]:
        self._job(id)
        return tuple(self.errors_by_job[id][start : start + count])

    async def losses(self, id: int) -> tuple[Lost, ...]:
        self._job(id)
        return self.losses_by_job.get(id, ())

    async def questions(self, id: int | None = None, count: int = 100) -> tuple[Question, ...]:
        await self._awake.wait()
        found = [each for each in self.open_questions.values() if id is None or each.job == id]
        return tuple(found[:count])

    async def answer(self, question: int, rule: Conflict, *, for_all: bool = False) -> None:
        await self._awake.wait()
        self._each("answer", [], question, rule, for_all)
        asked = self.open_questions.pop(question, None)
        if asked is None:
            raise NotPossible("that question was answered already")
        self.answers.append((question, rule, for_all))
        if for_all:
            self.open_questions = {n: q for n, q in self.open_questions.items() if q.job != asked.job}
        left = sum(each.job == asked.job for each in self.open_questions.values())
        job = self._job(asked.job)
        state = JobState.QUEUED if job.state is JobState.WAITING and not left else job.state
        self.set_job(job.id, state=state, progress=replace(job.progress, questions=left))

    async def host_questions(self) -> tuple[HostQuestion, ...]:
        return tuple(self.open_host_questions.values())

    async def answer_host(self, id: int, answer: str | None) -> None:
        if self.unreachable:
            raise EngineUnreachable("the engine is not answering")
        question = self.open_host_questions.pop(id, None)
        if question is None:
            raise NotPossible("that was answered already")
        self.host_answers.append((id, answer))
        right = self._right_answers.pop(id)
        if answer is not None and right is not None and answer != right:
            self.ask_host(
                question.place.url, replace(question.ask, retry=True), jobs=question.jobs, right=right
            )
        else:
            self.answered(question.place, answer)
            self.announce()

    def answered(self, place: Location, answer: str | None) -> None:
        """Called when a host has what it asked for, or will never have it."""

    async def status(self) -> EngineStatus:
        await self._awake.wait()
        self._each("status", [])
        return self.engine


def _step(rows: list[Job], moved: set[int], by: int) -> None:
    """Move rows one place, those at the edge staying."""
    order = range(len(rows)) if by < 0 else range(len(rows) - 1, -1, -1)
    for n in order:
        other = n + by
        if rows[n].id in moved and 0 <= other < len(rows) and rows[other].id not in moved:
            rows[n], rows[other] = rows[other], rows[n]


class FakeClient(FakePlaces, FakeQueue):
    """Both, as tui.client.base.Client."""

    def __init__(self, entries: Mapping[str, Any] | None = None) -> None:
        FakePlaces.__init__(self, entries)
        FakeQueue.__init__(self)
        self._asks: dict[Location, tuple[Ask, str | None]] = {}
        self.closed = False

    def ask_first(self, url: str, ask: Ask, *, right: str | None = None) -> None:
        """Let whatever is asked of a place wait until its question is answered; it is asked at the first of it."""
        self._locked[where(url)] = asyncio.Event()
        self._asks[where(url)] = (ask, right)

    async def _ask(self, method: str, location: Location, *more: Any, folder: Location | None = None) -> None:
        root = replace(location, path="/")
        if waiting := self._asks.pop(root, None):
            self.ask_host(root.url, waiting[0], right=waiting[1])
        await super()._ask(method, location, *more, folder=folder)

    def answered(self, place: Location, answer: str | None) -> None:
        if lock := self._locked.pop(place, None):
            if answer is None:
                self.refuse(place, AuthenticationFailed)
            lock.set()

    async def hosts(self) -> tuple[KnownHost, ...]:
        self.calls.append(("hosts",))
        return self.known_hosts

    async def stop_engine(self) -> None:
        self.calls.append(("stop_engine",))

    async def close(self) -> None:
        self.closed = True
