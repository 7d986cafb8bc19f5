"""Times Ferry against sftp, scp, rsync, lftp and rclone, to and from a real sshd of this machine, near or made far.

Interleaved rounds after one warm-up, in turns, medians of paired ratios to the first. All speak aes128-gcm; a delay is
that of a proxy, the same for all. What is copied has no name at the target before. What is not installed is left out.
Ferry runs twice: by an engine that is connected since its last round, and cold, with an engine of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import shapes
from tests.bench.copying import FERRY, Clock, Times, show
from tests.servers.sshd import Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROXY = Path(__file__).parents[1] / "servers" / "proxy.py"
CIPHER = "aes128-gcm@openssh.com"


@dataclass(frozen=True)
class Road:
    """How a command reaches the host: `config` for those that read ssh's, the rest for rclone."""

    config: Path
    port: int
    user: str
    key: Path
    known: Path

    def rclone(self, path: Path) -> str:
        options = f"host=127.0.0.1,port={self.port},user={self.user},key_file={self.key},ciphers={CIPHER}"
        options += ",shell_type=none,disable_hashcheck=true"  # else it runs a command there for each file
        return f":sftp,{options},known_hosts_file={self.known}:{path}"

    @property
    def lftp(self) -> str:
        return f"set sftp:connect-program 'ssh -a -x -F {self.config}'"


Command = Callable[[Road, Path, Path, bool], list[str]]
"""Returns the command for (the road, what is copied, the folder it goes into, whether it goes up)."""


def _sftp(road: Road, source: Path, into: Path, up: bool) -> list[str]:
    line = f"{'put' if up else 'get'} -pr {source} {into}/"
    return ["sh", "-c", f"echo '{line}' | sftp -q -F {road.config} -b - box"]


def _lftp(road: Road, source: Path, into: Path, up: bool, jobs: str = "") -> list[str]:
    if source.is_dir():
        step = f"mirror {'-R' if up else ''} {jobs} {source} {into / source.name}"
    else:
        step = f"put -O {into} {source}" if up else f"pget -n 8 -O {into} {source}"
    return ["lftp", "-c", f"{road.lftp}; open sftp://box; {step}"]


def _remote(path: Path, there: bool) -> str:
    return f"box:{path}" if there else str(path)


def _ferry(road: Road, source: Path, into: Path, up: bool, *how: str) -> list[str]:
    ends = (str(source), f"sftp://box{into}/") if up else (f"sftp://box{source}", f"{into}/")
    return [*FERRY, "copy", "--sync", "none", *how, *ends]


PEERS: dict[str, Command] = {
    "sftp": _sftp,
    "scp -O": lambda road, a, b, up: [
        "scp", "-q", "-O", "-pr", "-F", str(road.config), _remote(a, not up), f"{_remote(b, up)}/",
    ],
    "rsync -a": lambda road, a, b, up: [
        "rsync", "-a", "--whole-file", "-e", f"ssh -F {road.config}", _remote(a, not up), f"{_remote(b, up)}/",
    ],
    "lftp": lambda road, a, b, up: _lftp(road, a, b, up),
    "lftp -P8": lambda road, a, b, up: _lftp(road, a, b, up, "-P8"),
    "rclone": lambda road, a, b, up: [
        "rclone", "copy", "--transfers", "16",
        str(a) if up else road.rclone(a),
        (road.rclone if up else str)(b / a.name if a.is_dir() else b),
    ],
    "ferry copy": _ferry,
    "ferry, cold": lambda road, a, b, up: _ferry(road, a, b, up, "--foreground"),
}  # fmt: skip


@dataclass(frozen=True)
class Contest:
    """What goes over the wire. `delay_ms`: each way."""

    shape: shapes.Shape
    up: bool
    delay_ms: int = 0
    title: str = ""


def _tiny(path: Path) -> None:
    shapes.small(path, 2000)


def _some(path: Path) -> None:
    shapes.large(path, 256)


CONTESTS = {
    "put-small": Contest(_tiny, True, title="2,000 files of 4 KiB, up"),
    "get-small": Contest(_tiny, False, title="2,000 files of 4 KiB, down"),
    "put": Contest(shapes.gibibyte, True, title="one file of 1 GiB, up"),
    "get": Contest(shapes.gibibyte, False, title="one file of 1 GiB, down"),
    "put-far": Contest(_some, True, 15, "256 MiB up, 30 ms there and back"),
    "get-far": Contest(_some, False, 15, "256 MiB down, 30 ms there and back"),
    "put-small-far": Contest(_tiny, True, 15, "2,000 files of 4 KiB up, 30 ms there and back"),
    "get-small-far": Contest(_tiny, False, 15, "2,000 files of 4 KiB down, 30 ms there and back"),
}
SLOW = {"put-small-far": {"sftp", "scp -O", "lftp"}, "get-small-far": {"sftp", "scp -O", "lftp"}}
"""Commands that take minutes, one file after the other."""


@contextlib.contextmanager
def _road(folder: Path, delay_ms: int) -> Iterator[Road]:
    """Run a host, and the way to it."""
    (folder / "host").mkdir()
    host = Sshd(folder / "host")
    with contextlib.ExitStack() as stack:
        stack.callback(host.stop)
        host.start()
        port = host.port
        if delay_ms:
            proxy = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(PROXY), str(host.port), str(delay_ms)],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(proxy.kill)
            assert proxy.stdout is not None
            port = int(proxy.stdout.readline())
        config, known = folder / "ssh_config", folder / "known"
        known.write_text(f"[127.0.0.1]:{port} {host.host_key}\n")
        text = host.config_for("box", Port=port, UserKnownHostsFile=known, Ciphers=CIPHER)
        config.write_text(text)
        yield Road(config, port, host.user, host.client_key, known)


def run(name: str, rounds: int, root: Path) -> None:
    """Run every peer of a contest in turn, and print the table."""
    contest = CONTESTS[name]
    folder = Path(tempfile.mkdtemp(prefix="ferry-bench-", dir=root))
    try:
        with contextlib.ExitStack() as stack:
            road = stack.enter_context(_road(folder, contest.delay_ms))
            clock = Clock(folder, f'[ssh]\nconfig_file = "{road.config}"\n')
            stack.callback(clock.stop)
            source, into = folder / "source" / "tree", folder / "into"
            source.parent.mkdir()
            contest.shape(source)
            peers = {
                peer: command(road, source, into, contest.up)
                for peer, command in PEERS.items()
                if shutil.which(command(road, source, into, contest.up)[0]) and peer not in SLOW.get(name, ())
            }
            show(f"{name}: {contest.title} ({rounds} rounds)", _times(peers, clock, source, into, rounds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _times(
    peers: dict[str, list[str]], clock: Clock, source: Path, into: Path, rounds: int
) -> dict[str, Times]:
    times = {peer: Times() for peer in peers}
    order = list(peers.items())
    for number in range(rounds + 1):
        order = order[1:] + order[:1]
        for peer, command in order:
            shutil.rmtree(into, ignore_errors=True)
            into.mkdir()
            wall, cpu = clock.time(command)
            if not number:
                _check(peer, source, into)
                continue
            times[peer].wall.append(wall)
            times[peer].cpu.append(cpu)
    return times


def _check(peer: str, source: Path, into: Path) -> None:
    """Refuse to time a copy that is none."""
    found = into / source.name
    if subprocess.run(["diff", "-rq", source, found], stdout=subprocess.DEVNULL, check=False).returncode:
        raise SystemExit(f"{peer} did not copy {source} to {found}")


def main(names: Sequence[str], rounds: int, root: str) -> None:
    os.environ.pop("AWS_CA_BUNDLE", None)  # rclone ends where it cannot read that, whatever it copies
    for name in names:
        run(name, rounds, Path(root))
