"""Times Ferry against rclone and s3cmd, to and from a real store on this machine (OpenStack Swift, which speaks S3).

Interleaved rounds after one warm-up, in turns, medians of paired ratios to `rclone`. What is copied has no name at the
target before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import shapes
from tests.bench.copying import FERRY, Clock, Times, show
from tests.servers.swift import Swift

if TYPE_CHECKING:
    from collections.abc import Sequence

BUCKET = "bench"


@dataclass(frozen=True)
class Store:
    """How a command reaches the store: rclone by the environment, s3cmd by a file."""

    server: Swift
    s3cmd_config: Path

    def environment(self) -> dict[str, str]:
        keys = {"ACCESS_KEY_ID": self.server.access_key, "SECRET_ACCESS_KEY": self.server.secret_key}
        rclone = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": self.server.url, **keys}
        return {f"AWS_{name}": value for name, value in keys.items()} | {
            f"RCLONE_CONFIG_STORE_{name}": value for name, value in rclone.items()
        }

    def write_config(self) -> None:
        host = self.server.url.removeprefix("http://")
        self.s3cmd_config.write_text(
            f"[default]\naccess_key = {self.server.access_key}\nsecret_key = {self.server.secret_key}\n"
            f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\nsignature_v2 = False\n"
        )


Command = Callable[[Store, Path, Path, bool], list[str]]
"""Returns the command for (the store, what is copied, the local folder or prefix it goes into, whether it goes up)."""


def _rclone(store: Store, source: Path, into: Path, up: bool) -> list[str]:
    there = f"store:{BUCKET}"
    ends = (str(source), f"{there}{into}") if up else (f"{there}{source}", str(into))
    if source.is_dir():
        ends = (ends[0], f"{ends[1]}/{source.name}")
    return ["rclone", "copy", "--transfers", "16", "--s3-upload-concurrency", "4", *ends]


def _s3cmd(store: Store, source: Path, into: Path, up: bool) -> list[str]:
    there = f"s3://{BUCKET}"
    ends = (str(source), f"{there}{into}/") if up else (f"{there}{source}", f"{into}/")
    return ["s3cmd", "-q", "-c", str(store.s3cmd_config), "put" if up else "get", "-r", *ends]


def _ferry(store: Store, source: Path, into: Path, up: bool) -> list[str]:
    there = f"s3://bench@{BUCKET}"
    ends = (str(source), f"{there}{into}/") if up else (f"{there}{source}", f"{into}/")
    return [*FERRY, "copy", "--sync", "none", *ends]


PEERS: dict[str, Command] = {"rclone": _rclone, "s3cmd": _s3cmd, "ferry copy": _ferry}


@dataclass(frozen=True)
class Contest:
    shape: shapes.Shape
    up: bool
    title: str


def _quarter(path: Path) -> None:
    shapes.large(path, 256)


def _few(path: Path) -> None:
    shapes.small(path, 200)


CONTESTS = {
    "s3-put": Contest(_quarter, True, "one file of 256 MiB, into a bucket"),
    "s3-get": Contest(_quarter, False, "one file of 256 MiB, out of a bucket"),
    "s3-put-small": Contest(_few, True, "200 files of 4 KiB, into a bucket"),
    "s3-get-small": Contest(_few, False, "200 files of 4 KiB, out of a bucket"),
}


def run(name: str, rounds: int, root: Path) -> None:
    """Run every peer of a contest in turn, and print the table."""
    contest = CONTESTS[name]
    folder = Path(tempfile.mkdtemp(prefix="ferry-bench-", dir=root))
    try:
        with contextlib.ExitStack() as stack:
            server = Swift(5 << 20)
            stack.callback(server.stop)
            server.start()
            store = Store(server, folder / "s3cmd")
            store.write_config()
            os.environ.update(store.environment())
            clock = Clock(folder, f'[s3.bench]\nurl = "{server.url}"\n')
            stack.callback(clock.stop)
            clock.time([*FERRY, "mkdir", f"s3://bench@{BUCKET}"])
            source, into = folder / "source" / "tree", folder / "into"
            source.parent.mkdir()
            contest.shape(source)
            if not contest.up:
                clock.time(_ferry(store, source, source.parent, True))
            show(
                f"{name}: {contest.title} ({rounds} rounds)",
                _times(store, contest, clock, source, into, rounds),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _times(
    store: Store, contest: Contest, clock: Clock, source: Path, into: Path, rounds: int
) -> dict[str, Times]:
    peers = {
        peer: command
        for peer, command in PEERS.items()
        if shutil.which(command(store, source, into, True)[0])
    }
    if source.is_dir() and not contest.up:
        peers.pop("s3cmd", None)  # it takes the marks of folders for files, and fails
    times = {peer: Times() for peer in peers}
    order = list(peers.items())
    for number in range(rounds + 1):
        order = order[1:] + order[:1]
        for peer, command in order:
            shutil.rmtree(into, ignore_errors=True)
            into.mkdir()
            # A name of its own each time: what is in a bucket is not removed again.
            goal = into / f"{number}-{peer.partition(' ')[0]}"
            goal.mkdir()
            wall, cpu = clock.time(command(store, source, goal, contest.up))
            if not number:
                _check(peer, clock, source, goal, contest.up)
                continue
            times[peer].wall.append(wall)
            times[peer].cpu.append(cpu)
    return times


def _check(peer: str, clock: Clock, source: Path, goal: Path, up: bool) -> None:
    """Refuse to time a copy that is none."""
    if up:
        clock.time([*FERRY, "copy", "--sync", "none", f"s3://bench@{BUCKET}{goal}/{source.name}", f"{goal}/"])
    found = goal / source.name
    if subprocess.run(["diff", "-rq", source, found], stdout=subprocess.DEVNULL, check=False).returncode:
        raise SystemExit(f"{peer} did not copy {source} to {found}")


def main(names: Sequence[str], rounds: int, root: str) -> None:
    os.environ.pop("AWS_CA_BUNDLE", None)  # rclone ends where it cannot read that, whatever it copies
    for name in names:
        run(name, rounds, Path(root))
