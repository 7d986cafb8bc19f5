"""A real OpenSSH server on a free port of this machine, in a folder of its own, for whoever runs the tests.

It signs in nobody but the user who runs it, and sees the real disk: tests name absolute paths below their own folder
only.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOW_TO_HAVE_IT = "there is no sshd here; to have it: apt-get install openssh-server openssh-client"

_PLACES = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/opt/homebrew/sbin",
    "/usr/lib/openssh",
    "/usr/libexec/openssh",
)

_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
{host_keys}
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding yes
MaxStartups 200:30:400
MaxSessions {sessions}
UseDNS no
PrintMotd no
SetEnv SHLVL=2
"""
"""(By SHLVL bash takes itself for one within another, and runs no start-up file of whoever runs the tests.)"""

_PLAIN = """\
# Stands between sshd and sftp-server, and takes the list of extensions out of its greeting.
import os, subprocess, sys
server = subprocess.Popen([{sftp_server!r}], stdin=0, stdout=subprocess.PIPE)
size = int.from_bytes(server.stdout.read(4), "big")
greeting = server.stdout.read(size)
os.write(1, (5).to_bytes(4, "big") + greeting[:5])
while data := server.stdout.read1(1 << 18):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]
sys.exit(server.wait())
"""


def program(name: str) -> str | None:
    """Return the path of a program of OpenSSH, or None. (sshd insists on an absolute one.)"""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(_PLACES))


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> str:
    """Make a pair of keys at `path` and `path`.pub; return the public one as text."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "ferry-test", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return Path(f"{path}.pub").read_text().strip()


class Sshd:
    """One server. `client_key` is let in; `host_keys` are its public keys by kind."""

    def __init__(
        self,
        folder: Path,
        *,
        kinds: Sequence[str] = ("ed25519",),
        extra: str = "",
        plain: bool = False,
        sessions: int = 100,
    ) -> None:
        """
        Args:
            kinds: Kinds of host keys it has, as ssh-keygen names them.
            extra: More lines for its configuration.
            plain: Offer no extensions of SFTP at all.
            sessions: So many it allows on one connection.
        """
        self.folder, self.user, self.port = folder, getpass.getuser(), 0
        self.host_keys = {kind: make_key(folder / f"host_{kind}", kind=kind) for kind in kinds}
        self.host_key = self.host_keys[kinds[0]]
        self.client_key = folder / "client"
        self.allow(make_key(self.client_key))
        self._sessions = sessions
        self._extra = f"Subsystem sftp {self._plain_server() if plain else 'internal-sftp'}\n{extra}\n"
        self._process: subprocess.Popen[bytes] | None = None

    def allow(self, public_key: str) -> None:
        """Let one more key in."""
        with (self.folder / "authorized_keys").open("a") as file:
            file.write(public_key + "\n")

    @property
    def known_hosts_lines(self) -> str:
        """What a known_hosts says about it that knows all of its keys."""
        return "".join(f"[127.0.0.1]:{self.port} {key}\n" for key in self.host_keys.values())

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def config_for(self, alias: str, **options: object) -> str:
        """Return what a ~/.ssh/config says so that `alias` is this server: a block of it, to be written to a file."""
        known = self.folder / "known_hosts"
        known.write_text(self.known_hosts_lines)
        lines: dict[str, object] = {
            "HostName": "127.0.0.1",
            "Port": self.port,
            "User": self.user,
            "IdentityFile": self.client_key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": known,
            "GlobalKnownHostsFile": "/dev/null",
        }
        lines |= options
        return f"Host {alias}\n" + "".join(f"  {key} {value}\n" for key, value in lines.items())

    def start(self) -> None:
        """Start it (again, on the same port), and come back when it answers."""
        for _ in range(5):
            self.port = self.port or _free_port()
            if self._started():
                return
            self.port = 0
        raise AssertionError(f"sshd does not start: {self.log}")

    def stop(self) -> None:
        """End it and all of its sessions."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGSTOP)  # it must not make new children meanwhile
        self.kill_sessions()
        self._process.kill()
        self._process.wait()
        self._process = None

    def kill_sessions(self) -> None:
        """End all sessions at once, as a crash of the host would; it goes on taking new ones."""
        self._signal(signal.SIGKILL, self.sessions())

    def freeze(self) -> None:
        """Have it answer nothing any more while its connections stay."""
        self._signal(signal.SIGSTOP, [self._running.pid, *self.sessions()])

    def thaw(self) -> None:
        self._signal(signal.SIGCONT, [self._running.pid, *self.sessions()])

    def sessions(self) -> list[int]:
        """Return the processes of its connections."""
        return _descendants(self._running.pid)

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was not started"
        return self._process

    def _started(self) -> bool:
        config = self.folder / "sshd_config"
        keys = "\n".join(f"HostKey {self.folder}/host_{kind}" for kind in self.host_keys)
        text = _CONFIG.format(port=self.port, host_keys=keys, folder=self.folder, sessions=self._sessions)
        text += self._extra
        sshd = str(program("sshd"))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where root's sshd confines what is not signed in yet
        config.write_text(
            "PerSourcePenalties no\n" + text
        )  # it would lock this machine out after a wrong key
        if subprocess.run([sshd, "-t", "-f", config], capture_output=True).returncode:
            config.write_text(text)  # before OpenSSH 9.8 there was no such thing
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if _answers(self.port, self._process):
            return True
        self.stop()
        return False

    def _plain_server(self) -> str:
        script = self.folder / "plain.py"
        script.write_text(_PLAIN.format(sftp_server=program("sftp-server")))
        return f"{sys.executable} -S -E {script}"

    @staticmethod
    def _signal(number: signal.Signals, pids: Sequence[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            return probe.recv(4) == b"SSH-"
        time.sleep(0.01)
    return False


def _descendants(pid: int) -> list[int]:
    """Return the processes below one, nearest first."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True, text=True)
    pairs = [(int(child), int(parent)) for child, parent in map(str.split, listed.stdout.splitlines())]
    found, level = [], {pid}
    while level := {child for child, parent in pairs if parent in level}:
        found += sorted(level)
    return found


def need_sshd() -> None:
    """Leave the test out where there is no OpenSSH, unless FERRY_SERVERS=require: then it fails."""
    if program("sshd") and program("ssh-keygen"):
        return
    if os.environ.get("FERRY_SERVERS") == "require":
        pytest.fail(HOW_TO_HAVE_IT)
    pytest.skip(HOW_TO_HAVE_IT)


@contextlib.contextmanager
def running_sshd(
    folder: Path,
    *,
    kinds: Sequence[str] = ("ed25519",),
    extra: str = "",
    plain: bool = False,
    sessions: int = 100,
) -> Iterator[Sshd]:
    """Run a server of one's own, to be stopped, frozen and killed at will."""
    need_sshd()
    folder.mkdir(parents=True, exist_ok=True)
    server = Sshd(folder, kinds=kinds, extra=extra, plain=plain, sessions=sessions)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server that all tests share: neither stop nor freeze it."""
    need_sshd()
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server of the test's own."""
    need_sshd()
    with running_sshd(tmp_path / "own-sshd") as server:
        yield server


@pytest.fixture(scope="session")
def plain_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server whose SFTP offers no extensions, shared by all tests."""
    need_sshd()
    if program("sftp-server") is None:
        pytest.skip(HOW_TO_HAVE_IT)
    with running_sshd(tmp_path_factory.mktemp("plain-sshd"), plain=True) as server:
        yield server
