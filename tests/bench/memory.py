"""The most memory the engine and its workers ever held, job by job, each with an engine of its own.

`python -m tests.bench memory --folder DIR`; --files says how many files (1,000,000). Linux only: it is read from /proc.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import shapes

FERRY = (sys.executable, "-m", "tui")
KILLED_AFTER = 0.2
"""Of all files, so many are done when the engine is killed."""


class Memory:
    """A folder of empty files, a list of them, and a queue for them."""

    def __init__(self, folder: Path, files: int) -> None:
        self.folder, self._files = folder, files
        self._environment = {**os.environ, "FERRY_HOME": str(folder / "home")}
        self._list, self.source, self.into = folder / "list", folder / "source", folder / "into"

    def lay(self) -> None:
        """Make all as it is before a job."""
        for path in (self.source, self.into):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        with self._list.open("wb") as every:
            for number in range(self._files):
                path = self.source / f"file {number:07}"
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
                every.write(os.fsencode(path) + b"\0")

    def measure(self, what: str, *command: str, kill: bool = False) -> None:
        """Have an engine of its own do something, killed in the middle where that is asked, and print a line."""
        self._ferry("engine", "start")
        id = self._ferry(*command, "--detach").strip()
        if kill:
            while self._job(id)["files_done"] < KILLED_AFTER * self._files:
                time.sleep(0.05)
            os.kill(self._pid, signal.SIGKILL)
            time.sleep(1)  # the last worker goes, too
            self._ferry("engine", "start")
        self._ferry("queue", "wait", id)
        engine = self._pid
        workers = Path(f"/proc/{engine}/task/{engine}/children").read_text().split()
        figures = [_most_mib(str(engine)), *map(_most_mib, workers)]
        print(f"{what:56} {figures[0]:7.0f} {sum(figures):18.0f}", flush=True)
        self._ferry("engine", "stop")

    def named(self) -> tuple[str, str]:
        """Return the words that name each file by itself."""
        return "--sources-from", str(self._list)

    @property
    def _pid(self) -> int:
        return int(json.loads(self._ferry("engine", "status", "--json"))["pid"])

    def _job(self, id: str) -> dict[str, int]:
        lines = map(json.loads, self._ferry("queue", "--json").splitlines())
        return next(job for job in lines if str(job["id"]) == id)

    def _ferry(self, *words: str) -> str:
        done = subprocess.run(
            [*FERRY, *words], env=self._environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout


def _most_mib(pid: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(files: int, root: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="ferry-bench-", dir=root))
    memory = Memory(folder, files)
    source, into = str(memory.source), f"{memory.into}/"
    try:
        print(f"\nmemory: {files:,} empty files; the most MiB that were held")
        print(f"{'job':56} {'engine':>7} {'with its workers':>18}")
        memory.lay()
        memory.measure("copy of the folder that holds them", "copy", source, into)
        memory.measure("sync of that folder, nothing to do", "sync", source, f"{into}source", "--delete")
        memory.lay()
        memory.measure("copy, killed in the middle and gone on with", "copy", source, into, kill=True)
        memory.lay()
        memory.measure("copy, each named by itself", "copy", *memory.named(), into)
        memory.lay()
        memory.measure("that, killed in the middle", "copy", *memory.named(), into, kill=True)
        memory.lay()
        memory.measure("move, each named by itself", "move", *memory.named(), into)
        memory.lay()
        memory.measure("delete, each named by itself", "delete", "--yes", *memory.named())
        shapes.sparse(folder / "holes", 40)
        memory.measure(
            "copy of a file of 40 GiB with 64 MiB of data in it", "copy", str(folder / "holes"), into
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
