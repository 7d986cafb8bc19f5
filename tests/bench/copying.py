"""Times Ferry against cp, rsync, tar, rclone, rm and mv: interleaved rounds, medians of paired ratios to the first.

`python -m tests.bench NAME…`; every peer that is not installed is left out. All is made below --folder, which should be
on tmpfs or a journaled disk with 20 GiB free: on ext4 without a journal, creating files soon after deleting many is up
to 17 times slower, and that would be measured. What was written before is on the disk when a clock starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FERRY = (sys.executable, "-m", "tui")
Command = Callable[[Path, Path], list[str]]
"""Returns the command for (what is copied, the folder it goes into)."""


def _tar(source: Path, into: Path, options: str = "") -> list[str]:
    pipe = f"tar -C '{source.parent}' {options} -cf - '{source.name}' | tar -C '{into}' -xf -"
    return ["sh", "-c", pipe]


COPIERS: dict[str, Command] = {
    "cp -a": lambda a, b: ["cp", "-a", str(a), f"{b}/"],
    "cp -a; sync -f": lambda a, b: ["sh", "-c", f"cp -a '{a}' '{b}/' && sync -f '{b}'"],
    "ferry copy": lambda a, b: [*FERRY, "copy", "--on-conflict", "overwrite", str(a), f"{b}/"],
    "ferry copy --sync none": lambda a, b: [
        *FERRY, "copy", "--sync", "none", "--on-conflict", "overwrite", str(a), f"{b}/",
    ],
    "ferry copy --foreground": lambda a, b: [
        *FERRY, "copy", "--foreground", "--on-conflict", "overwrite", str(a), f"{b}/",
    ],
    "rsync -a": lambda a, b: ["rsync", "-a", str(a), f"{b}/"],
    "tar | tar": _tar,
    "rclone copy": lambda a, b: ["rclone", "copy", "-l", str(a), str(b / a.name if a.is_dir() else b)],
}  # fmt: skip
"""By default ferry waits until the disk has its copies, as `sync -f` does; the others do not."""
WITH_HOLES: dict[str, Command] = {
    **{peer: command for peer, command in COPIERS.items() if not peer.startswith("r")},
    "rsync -aS": lambda a, b: ["rsync", "-aS", str(a), f"{b}/"],
    "tar | tar": lambda a, b: _tar(a, b, "--sparse"),
}
"""Without being asked for holes rsync and tar, and rclone in any case, write gibibytes of nothing."""
CLONERS: dict[str, Command] = {
    "cp --reflink=always": lambda a, b: ["cp", "-a", "--reflink=always", str(a), f"{b}/"],
    "ferry copy": COPIERS["ferry copy"],
    "ferry copy --sync none": COPIERS["ferry copy --sync none"],
}
REMOVERS: dict[str, Command] = {
    "rm -rf": lambda a, b: ["rm", "-rf", str(b / a.name)],
    "ferry delete": lambda a, b: [*FERRY, "delete", "--yes", str(b / a.name)],
}
MOVERS: dict[str, Command] = {
    "mv": lambda a, b: ["mv", str(b / a.name), f"{b}/elsewhere/"],
    "ferry move": lambda a, b: [*FERRY, "move", str(b / a.name), f"{b}/elsewhere/"],
}


@dataclass(frozen=True)
class Contest:
    """What is timed: commands over a shape. `standing`: what is in the target folder before each run."""

    shape: shapes.Shape
    peers: dict[str, Command] = field(default_factory=lambda: COPIERS)
    standing: shapes.Shape | None = None
    elsewhere: bool = False
    """A folder on another filesystem is reached through "elsewhere" in the target folder."""
    reflinks: bool = False
    many: bool = False
    """It leaves the disk in a state that others feel: see `Ground.settle`."""
    title: str = ""


CONTESTS = {
    "one": Contest(shapes.one),
    "small": Contest(shapes.small, many=True),
    "large": Contest(shapes.large),
    "several": Contest(shapes.several),
    "mixed": Contest(shapes.mixed, many=True),
    "merge": Contest(
        shapes.small, standing=shapes.half, many=True, title="50,000 files, half of them there already"
    ),
    "again": Contest(shapes.small, standing=shapes.small, title="50,000 files, all of them there already"),
    "sparse": Contest(shapes.sparse, WITH_HOLES),
    "reflink": Contest(shapes.gibibyte, CLONERS, reflinks=True, title="1 GiB where files can share blocks"),
    "delete": Contest(shapes.small, REMOVERS, standing=shapes.small, title="50,000 files to be deleted"),
    "move": Contest(
        shapes.small, MOVERS, shapes.small, elsewhere=True, title="50,000 files to another filesystem"
    ),
}


@dataclass
class Times:
    """Of one peer, a figure a round, in seconds. `job`: from the engine's start of the job to its end."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    job: list[float] = field(default_factory=list)


class Clock:
    """An engine of its own, and what commands cost: wall and processor seconds, those of the engine among them."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.environment = {**os.environ, "FERRY_HOME": str(folder / "home")}
        config = folder / "home" / "config" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f"[queue]\nidle_exit_s = 3600\n{settings}")  # the others take their time
        self._engine("start", check=True)

    def time(self, command: Sequence[str]) -> tuple[float, float]:
        """Return wall and processor seconds: of the command, its children, and the engine with its workers."""
        engine, before, begin = self._engine_s(), _children_s(), time.perf_counter()
        subprocess.run(
            command, check=True, env=self.environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        wall = time.perf_counter() - begin
        return wall, _children_s() - before + self._engine_s() - engine

    def job_s(self) -> float | None:
        """Return how long the newest job took the engine, without the start of Python; None where it had none yet."""
        said = subprocess.run(
            [*FERRY, "queue", "--json"], env=self.environment, capture_output=True, text=True, check=True
        )
        jobs = [json.loads(line) for line in said.stdout.splitlines()]
        if not jobs:
            return None
        newest = max(jobs, key=lambda job: int(job["id"]))
        return float(newest["ended_at"] - newest["started_at"])

    def stop(self) -> None:
        self._engine("stop", check=False)

    def _engine(self, what: str, *, check: bool) -> None:
        subprocess.run([*FERRY, "engine", what], env=self.environment, stdout=subprocess.DEVNULL, check=check)

    def _engine_s(self) -> float:
        said = subprocess.run(
            [*FERRY, "engine", "status", "--json"], env=self.environment, capture_output=True, check=True
        )
        pid = json.loads(said.stdout)["pid"]
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(_process_s, [str(pid), *children]))


class Ground:
    """Folders for one contest."""

    def __init__(self, contest: Contest, folder: Path) -> None:
        self._contest = contest
        self.source, self.into = folder / "source" / "tree", folder / "into"
        self._standing = folder / "standing" / "tree"
        self._elsewhere = _elsewhere(folder) if contest.elsewhere else None
        self.source.parent.mkdir()
        contest.shape(self.source)
        if contest.standing is contest.shape:
            self._standing = self.source
        elif contest.standing is not None:
            self._standing.parent.mkdir()
            contest.standing(self._standing)
            subprocess.run(["touch", "-r", self.source, self._standing], check=True)

    def lay(self) -> None:
        """Make the target folder what it is before a run."""
        shutil.rmtree(self.into, ignore_errors=True)
        self.into.mkdir()
        if self._contest.standing is not None:
            subprocess.run(["cp", "-a", self._standing, self.into], check=True)
        if self._elsewhere is not None:
            shutil.rmtree(self._elsewhere, ignore_errors=True)
            self._elsewhere.mkdir()
            (self.into / "elsewhere").symlink_to(self._elsewhere)
        os.sync()

    def settle(self) -> None:
        """Let every peer come behind the same: cp takes three times as long where rclone has just been."""
        shutil.rmtree(self.into, ignore_errors=True)
        self.into.mkdir()
        subprocess.run(["cp", "-a", self.source, self.into], check=True)

    def clear(self) -> None:
        if self._elsewhere is not None:
            shutil.rmtree(self._elsewhere, ignore_errors=True)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _process_s(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _elsewhere(folder: Path) -> Path:
    """Return a folder, not there yet, on another filesystem."""
    for other in ("/dev/shm", "/var/tmp"):
        if os.stat(other).st_dev != folder.stat().st_dev:
            return Path(tempfile.mkdtemp(prefix="ferry-bench-", dir=other))
    sys.exit("there is no second filesystem to move to: neither /dev/shm nor /var/tmp")


@contextlib.contextmanager
def _shares_blocks(folder: Path) -> Iterator[Path | None]:
    """Mount a filesystem that can share blocks; None where that is not possible (only root mounts)."""
    if os.geteuid() or not shutil.which("mkfs.btrfs"):
        yield None
        return
    image, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(4 << 30)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, mounted], check=False).returncode:
        yield None
        return
    try:
        yield mounted
    finally:
        subprocess.run(["umount", mounted], check=True)


def run(name: str, rounds: int, root: Path) -> None:
    """Run every peer of a contest in turn, `rounds` times after one warm-up, and print the table."""
    contest = CONTESTS[name]
    folder = Path(tempfile.mkdtemp(prefix="ferry-bench-", dir=root))
    try:
        with contextlib.ExitStack() as stack:
            place: Path | None = folder
            if contest.reflinks:
                place = stack.enter_context(_shares_blocks(folder))
            if place is None:
                print(f"\n{name}: left out; it takes root and mkfs.btrfs")
                return
            ground = Ground(contest, place)
            stack.callback(ground.clear)
            clock = Clock(place)
            stack.callback(clock.stop)
            title = contest.title or contest.shape.__doc__
            show(f"{name}: {title} ({rounds} rounds)", _times(contest, ground, clock, rounds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _times(contest: Contest, ground: Ground, clock: Clock, rounds: int) -> dict[str, Times]:
    peers = {
        peer: command
        for peer, command in contest.peers.items()
        if shutil.which(command(ground.source, ground.into)[0])
    }
    times = {peer: Times() for peer in peers}
    order = list(peers.items())
    for number in range(rounds + 1):
        order = order[1:] + order[:1]
        for peer, command in order:
            if contest.many:
                ground.settle()
            ground.lay()
            wall, cpu = clock.time(command(ground.source, ground.into))
            if number:
                times[peer].wall.append(wall)
                times[peer].cpu.append(cpu)
                in_engine = peer.startswith("ferry") and "--foreground" not in peer
                if in_engine and (job_s := clock.job_s()) is not None:
                    times[peer].job.append(job_s)
    return times


def show(title: str, times: dict[str, Times]) -> None:
    """Print a table: medians, and medians of the ratios to the first peer round by round."""
    first, base = next(iter(times.items()))
    print(f"\n{title}")
    print(
        f"{'command':26} {'median s':>9} {'x ' + first:>22}   {'range':13} {'cpu s':>7} {'x ' + first:>20}"
        f" {'job s':>7}"
    )
    for peer, mine in times.items():
        ratios = [one / other for one, other in zip(mine.wall, base.wall, strict=True)]
        cpu = [one / max(other, 0.001) for one, other in zip(mine.cpu, base.cpu, strict=True)]
        print(
            f"{peer:26} {statistics.median(mine.wall):9.3f} {statistics.median(ratios):22.2f}"
            f"   {f'{min(ratios):.2f}..{max(ratios):.2f}':13} {statistics.median(mine.cpu):7.2f}"
            f" {statistics.median(cpu):20.2f}{f' {statistics.median(mine.job):7.3f}' if mine.job else ''}",
            flush=True,
        )


def main(names: Sequence[str], rounds: int, root: str) -> None:
    for name in names:
        run(name, rounds, Path(root))
