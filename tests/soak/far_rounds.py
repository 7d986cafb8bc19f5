"""Copy and move over SFTP while engines, sessions and lines die at random moments, and see that nothing is lost.

Two servers (OpenSSH, behind lines that are cut, reset, frozen) hold trees with files of all sizes, hostile names, links
and empty folders. They go up, down, from host to host and within one, to where nothing stands, into a standing folder
and over an older copy. While they go, nothing may show half done under its final name.

`python -m tests.soak.far_rounds --rounds 60` is what `make soak` runs; the test suite plays a few.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.servers.proxy import Proxy
from tests.servers.sshd import HOW_TO_HAVE_IT, Sshd, program, running_sshd
from tests.soak.rounds import Ferry, Ground, main
from tests.trees import HOSTILE_NAMES, differences, partials
from tui.paths import Paths

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

KINDS = ("copy", "move")
WAYS = ("up", "down", "across", "within")
STANDING = ("new", "merge", "replace")
WAITS_S = (0, 0.05, 0.2, 0.5, 1.0)
AWAY_S = (0, 0, 0, 1.0, 3.0, 11.0, 20.0)
JOB_S = 120
"""A job that comes no further for so long stands still."""

Tree = dict[bytes, tuple[object, ...]]


@dataclass(frozen=True)
class Size:
    """How much a round copies."""

    files: int
    large_bytes: int
    large_files: int


SIZES = (Size(400, 24 << 20, 3), Size(40, 150 << 20, 1), Size(3000, 1 << 20, 24))


class Line:
    """A proxy that runs in a thread of its own."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._proxy = Proxy(port)
        asyncio.run_coroutine_threadsafe(self._proxy.start(), self._loop).result(10)
        self.port = self._proxy.port

    def do(self, what: Callable[[Proxy], None]) -> None:
        async def call() -> None:
            what(self._proxy)

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass
class Host:
    """A server and the line to it."""

    name: str
    server: Sshd
    line: Line

    def url(self, path: Path) -> str:
        return f"sftp://{self.name}{quote(os.fsencode(path))}"

    @property
    def config(self) -> str:
        known = self.server.folder / "known"
        known.write_text(f"[127.0.0.1]:{self.line.port} {self.server.host_key}\n")
        return self.server.config_for(self.name, Port=self.line.port, UserKnownHostsFile=known)


@contextlib.contextmanager
def running_hosts(folder: Path) -> Iterator[tuple[Host, Host]]:
    """Run two hosts for as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        found = []
        for name in ("one", "two"):
            server = stack.enter_context(running_sshd(folder / name))
            line = Line(server.port)
            stack.callback(line.close)
            found.append(Host(name, server, line))
        yield found[0], found[1]


def introduce(home: Path, hosts: tuple[Host, Host]) -> None:
    """Have a Ferry know the hosts."""
    paths = Paths.from_environment({"FERRY_HOME": str(home)})
    if not paths.config_file.exists():
        paths.config.mkdir(parents=True)
        ssh_config = paths.config / "ssh_config"
        ssh_config.write_text("\n".join(host.config for host in hosts))
        paths.config_file.write_text(f'[ssh]\nconfig_file = "{ssh_config}"\n')


class Watch:
    """Looks again and again whether a file shows under its final name that is neither the old nor the new one."""

    def __init__(self, root: Path, new: Tree, old: Tree) -> None:
        self._root, self._new, self._old = root, new, old
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.faults: set[str] = set()
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        top = os.fsencode(self._root)
        sizes = {
            path: {tree[path][3] for tree in (self._new, self._old) if path in tree} for path in self._new
        }
        while not self._over.wait(0.02):
            for path, right in sizes.items():
                try:
                    info = os.lstat(os.path.join(top, path))
                except OSError:
                    continue
                if stat.S_ISREG(info.st_mode) and info.st_size not in right:
                    self.faults.add(f"half under its name: {path!r}: {info.st_size} bytes of {right}")


def make_tree(root: Path, rng: random.Random, size: Size) -> None:
    """Make a tree of all that places over SFTP can hold."""
    root.mkdir(parents=True)
    folders, made = [root], []
    for number in range(max(4, size.files // 12)):
        folders.append(rng.choice(folders) / f"folder {number}")
        folders[-1].mkdir()
    for number in range(size.files):
        path = os.fsencode(rng.choice(folders) / f"file{number}")
        made.append((path, rng.randbytes(rng.choice([0, 1, 100, 4097, 33_000, 33_000, 300_000]))))
    made += [(os.path.join(os.fsencode(rng.choice(folders)), name), name) for name in HOSTILE_NAMES]
    for number in range(size.large_files):
        made.append(
            (os.fsencode(rng.choice(folders) / f"large{number}"), rng.randbytes(size.large_bytes + number))
        )
    for path, data in made:
        Path(os.fsdecode(path)).write_bytes(data)
    for number in range(6):
        to = rng.choice(["nowhere", "..", "/", "file1", "."])
        (rng.choice(folders) / f"symlink{number}").symlink_to(to)
    (root / "empty folder").mkdir()
    (root / "empty folder").chmod(0o700)
    for (path, _), mode in zip(rng.sample(made, 3), (0o600, 0o755, 0o444), strict=True):
        os.chmod(path, mode)
    for path in (*(path for path, _ in made), *(os.fsencode(folder) for folder in reversed(folders))):
        os.utime(path, (at := rng.randrange(10**9, 17 * 10**8), at))


def describe(root: Path) -> Tree:
    """Return what SFTP can carry of a tree: kinds, modes, times in seconds, sizes, contents, targets of links."""
    top, found = os.fsencode(root), {}
    for folder, folders, files in os.walk(top):
        for name in (b"", *files, *(name for name in folders if os.path.islink(os.path.join(folder, name)))):
            path = os.path.join(folder, name) if name else folder
            info = os.lstat(path)
            held: tuple[object, ...] = (stat.S_IFMT(info.st_mode),)
            if stat.S_ISLNK(info.st_mode):
                held += (0, 0, 0, os.readlink(path))
            elif stat.S_ISDIR(info.st_mode):
                held += (stat.S_IMODE(info.st_mode), int(info.st_mtime), 0, None)
            else:
                content = Path(os.fsdecode(path)).read_bytes()
                held += (stat.S_IMODE(info.st_mode), int(info.st_mtime), info.st_size, hash(content))
            found[os.path.relpath(path, top)] = held
    return found


def _stand(standing: str, source: Path, there: Path, rng: random.Random) -> Tree:
    """Put something where the tree is to go; return what stands there then."""
    if standing == "new":
        return {}
    there.mkdir()
    if standing == "replace":
        subprocess.run(["cp", "-a", f"{source}/.", str(there)], check=True)
        for folder, _, files in os.walk(there):
            for name in files:
                path, chance = Path(folder, name), rng.random()
                if chance < 0.5 or path.is_symlink():
                    continue
                path.unlink()
                if chance < 0.8:
                    path.write_bytes(b"older" * rng.randrange(1, 5000))
                    os.utime(path, (10**9, 10**9))
    (there / "kept.txt").write_text("was here before")
    return describe(there)


class Trouble:
    """What goes wrong in one round. Every method does one thing, and has it over when it returns."""

    def __init__(self, ground: Ground, hosts: tuple[Host, ...], id_: str, away_s: Sequence[float]) -> None:
        self.ground, self.hosts, self.id_, self.away_s = ground, hosts, id_, away_s
        self.done: list[str] = []

    def any(self) -> None:
        rng = self.ground.rng
        time.sleep(rng.choice(WAITS_S) * rng.random())
        ways = (
            self.engine,
            self.engine,
            self.sessions,
            self.cut,
            self.cut_after,
            self.freeze,
            self.away,
            self.pause,
        )
        way = rng.choice(ways)
        self.done.append(way.__name__)
        way(rng.choice(self.hosts))

    def engine(self, host: Host) -> None:
        self.ground.kills += self.ground.ferry.kill_engine()
        self.ground.ferry.run("queue")

    def sessions(self, host: Host) -> None:
        host.server.kill_sessions()

    def cut(self, host: Host) -> None:
        host.line.do(Proxy.cut if self.ground.rng.random() < 0.5 else Proxy.reset)

    def cut_after(self, host: Host) -> None:
        size, by_reset = self.ground.rng.randrange(1 << 22), self.ground.rng.random() < 0.5
        host.line.do(lambda proxy: proxy.cut_after(size, by_reset=by_reset))

    def freeze(self, host: Host) -> None:
        host.line.do(Proxy.freeze)
        time.sleep(self.ground.rng.choice(self.away_s))
        if self.ground.rng.random() < 0.5:
            self.engine(host)
        host.line.do(Proxy.thaw)

    def away(self, host: Host) -> None:
        host.server.stop()
        time.sleep(self.ground.rng.choice(self.away_s))
        host.server.start()

    def pause(self, host: Host) -> None:
        self.ground.ferry.run("queue", "pause", self.id_, check=False)  # it may have ended
        time.sleep(self.ground.rng.choice(WAITS_S))
        self.ground.ferry.run("queue", "resume", self.id_, check=False)


def play(
    ground: Ground,
    hosts: tuple[Host, Host],
    sizes: Sequence[Size] = SIZES,
    away_s: Sequence[float] = AWAY_S,
    most: int = 5,
) -> tuple[str, list[str]]:
    """Copy or move a fresh tree over SFTP, with troubles; return what was done, and what is wrong afterwards.

    Args:
        away_s: Of these one is taken for how long a server stays away, or a line silent.
        most: So many troubles at most.
    """
    rng = ground.rng
    introduce(ground.ferry.home, hosts)
    way, kind = WAYS[ground.number % 4], KINDS[(ground.number + ground.number // 4) % 2]
    standing = rng.choice(STANDING)
    source, target = ground.near / "from" / "source", ground.place(rng.random() < 0.5) / "to"
    make_tree(source, rng, rng.choice(sizes))
    target.mkdir()
    there = target / "source"
    old, wanted = _stand(standing, source, there, rng), describe(source)
    options = ["--on-conflict", "overwrite" if standing == "replace" else "fail"]
    options += [
        word for word, chance in (("--verify", 0.25), ("--limit=20MB/s", 0.2)) if rng.random() < chance
    ]
    watch = Watch(there, wanted, old)
    try:
        id_ = ground.ferry.run(kind, "--detach", *options, *_ends(way, hosts, source, target)).stdout.strip()
        trouble = Trouble(ground, hosts if way == "across" else hosts[:1], id_, away_s)
        for _ in range(rng.randrange(1, most + 1)):
            trouble.any()
        faults = _ended(ground.ferry, id_)
    finally:
        watch.close()
    faults += sorted(watch.faults)
    faults += [f"left behind: {path}" for path in partials(source.parent, target)]
    # A move that is killed, or paused where all is slow, finds times of source folders that it has changed itself.
    timeless = bool(old) or (kind == "move" and bool({"engine", "freeze", "pause"} & set(trouble.done)))
    faults += arrived(there, {**old, **wanted}, timeless=timeless)
    if kind == "move" and os.path.lexists(source):
        faults.append("the source of a move is still there")
    if kind == "copy":
        faults += [f"source harmed: {line}" for line in differences(wanted, describe(source))[:5]]
    faults += logged(ground.ferry.home)
    return " ".join([kind, way, standing, *options[2:], *trouble.done]), faults


def _ends(way: str, hosts: tuple[Host, Host], source: Path, target: Path) -> tuple[str, str]:
    """Return what a command line says for where it comes from and goes to."""
    one, two = hosts
    from_ = str(source) if way == "up" else one.url(source)
    to = str(target) if way == "down" else (two if way == "across" else one).url(target)
    return from_, f"{to}/"


def _ended(ferry: Ferry, id_: str) -> list[str]:
    """Wait for a job; return what is wrong with how it ended and with what it says of itself."""
    came_to = (0, 0)
    while True:
        try:
            ended = ferry.run("queue", "wait", id_, check=False, timeout=JOB_S)
            break
        except subprocess.TimeoutExpired:
            told = _told(ferry, id_)
            if (told["files_done"], told["bytes_done"]) == came_to:
                return [f"it stands still: {told}"]
            came_to = told["files_done"], told["bytes_done"]
    if ended.returncode != 0:
        return [f"exit status {ended.returncode}: {ended.stderr.strip() or ended.stdout.strip()}"]
    told = _told(ferry, id_)
    faults = [f"{what} not all done: {told}" for what in ("files", "bytes") if _short(told, what)]
    return faults if told["state"] == "done" else [*faults, f"state {told['state']}"]


def _told(ferry: Ferry, id_: str) -> dict[str, Any]:
    """Return what a job tells of itself."""
    told: dict[str, Any] = json.loads(ferry.run("queue", "show", id_, "--json").stdout.splitlines()[0])
    return told


def _short(told: dict[str, Any], what: str) -> bool:
    return bool(told[f"{what}_done"] != told[f"{what}_total"])


def arrived(there: Path, wanted: Tree, *, timeless: bool) -> list[str]:
    """Return in what a tree is not what it should be, apart from modes and times of its folders where `timeless`."""
    found = describe(there) if there.is_dir() else {}
    if timeless:
        for tree in (found, wanted):
            for path in [path for path, held in tree.items() if held[0] == stat.S_IFDIR]:
                tree[path] = (stat.S_IFDIR,)
    return differences(wanted, found)[:5]


def logged(home: Path) -> list[str]:
    """Return what the log of the engine says that it never should."""
    log = Paths.from_environment({"FERRY_HOME": str(home)}).engine_log
    if not log.exists():
        return []
    text = log.read_text(errors="replace")
    return [f"log: {line}" for line in text.splitlines() if "Traceback" in line or "never retrieved" in line][
        :3
    ]


if __name__ == "__main__":
    if program("sshd") is None:
        raise SystemExit(HOW_TO_HAVE_IT)
    with tempfile.TemporaryDirectory(prefix="ferry-hosts-") as made, running_hosts(Path(made)) as both:
        raise SystemExit(main(__doc__, partial(play, hosts=both)))
