"""A real store that speaks S3, for tests: OpenStack Swift, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.swift_apps import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = "/usr/bin/python3"
"""The interpreter to which the distribution's packages belong."""

HOW_TO_HAVE_IT = "OpenStack Swift is not here: apt-get install python3-swift"

_APPS = Path(__file__).with_name("swift_apps.py")
_START_S = 40


class Swift:
    """One store. What is in it lasts until `stop`; `kill` and `start` again keep its address and its content."""

    access_key, secret_key, region = ACCESS_KEY, SECRET_KEY, "us-east-1"

    def __init__(self, least_part_bytes: int = 1 << 16) -> None:
        """Args: least_part_bytes: How small a part of an upload may be, but the last. (With Amazon: 5 MiB.)"""
        self.url = ""
        self._least_part_bytes = least_part_bytes
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None

    @staticmethod
    @functools.cache
    def is_here() -> bool:
        finding = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('swift.common.wsgi'))"
        try:
            found = subprocess.run([PYTHON, "-c", finding], capture_output=True, check=False)
        except FileNotFoundError:
            return False
        return found.returncode == 0

    def start(self) -> None:
        """Start it and wait until it answers. It ends with the thread that does so, whatever becomes of that."""
        folder = self._folder = self._folder or Path(tempfile.mkdtemp(prefix="ferry-swift-"))
        port = self.url.rpartition(":")[2] or "0"
        with open(folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [PYTHON, "-W", "ignore", str(_APPS), str(folder), port, str(self._least_part_bytes)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(folder),
                    "TMPDIR": str(folder),
                    "LC_ALL": "C.UTF-8",
                    "EVENTLET_NO_GREENDNS": "yes",  # it names no hosts, and to load what could takes seconds
                },
            )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_S)
        said = self._process.stdout.readline().strip() if ready else ""
        if not said:
            told = (folder / "log").read_text(errors="replace")[-2000:]
            self.stop()
            raise RuntimeError(f"Swift did not start: {told}")
        self.url = f"http://127.0.0.1:{said}"

    def freeze(self) -> None:
        """Let it answer nothing, with its connections open, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def stop(self) -> None:
        """End it, and remove all that was in it."""
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextlib.contextmanager
def running_swift() -> Iterator[Swift]:
    """Run one for as long as the block lasts."""
    server = Swift()
    try:
        server.start()
        yield server
    finally:
        server.stop()


def need_swift() -> None:
    """Skip the test where there is no Swift; fail where FERRY_SERVERS says that there must be one."""
    if Swift.is_here():
        return
    if os.environ.get("FERRY_SERVERS") == "require":
        pytest.fail(HOW_TO_HAVE_IT)
    pytest.skip(HOW_TO_HAVE_IT)


@pytest.fixture(scope="session")
def swift() -> Iterator[Swift]:
    """A store that all tests share: neither stop nor freeze it."""
    need_swift()
    with running_swift() as server:
        yield server


@pytest.fixture
def own_swift() -> Iterator[Swift]:
    """A store of the test's own."""
    need_swift()
    with running_swift() as server:
        yield server
