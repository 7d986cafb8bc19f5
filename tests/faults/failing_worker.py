"""A worker process in which one call fails, as the environment says; run in place of `tui.places.local.worker`.

FERRY_FAULT is "<what> <number> <file>"; the file is made when the fault has struck, so that it strikes once. Where the
number is "<name>/<number>", just the calls of this function are counted. What:

- count: nothing fails; the file holds the number of calls so far;
- kill: the process is killed before this call;
- hang: it stops for good there;
- an error's number: the call fails with it, or the next one that can (`is_no_fault`);
- cut, stall: of this answer just the first half is written, then the process is killed, or stops for good.

FERRY_CALLS names the calls that count: to find them takes longer than all else here.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.faults.seam import Seam, is_no_fault
from tui.places.local import worker

WHAT, NUMBER, MARK = os.environ["FERRY_FAULT"].split(" ", 2)
ONLY, _, NUMBER = NUMBER.rpartition("/")


class Patch:
    """What of pytest's MonkeyPatch the seam needs; nothing is put back in a process that ends."""

    def setattr(self, owner: object, name: str, value: object) -> None:
        setattr(owner, name, value)


class WorkerSeam(Seam):
    """Counts the calls made for requests."""

    serving = False

    def strikes(self, name: str) -> int | None:
        if not self.serving or (ONLY and name != ONLY):
            return None
        self.calls.append(name)
        if WHAT in ("count", "cut", "stall") or len(self.calls) <= int(NUMBER):
            return None
        if (WHAT.isdigit() and is_no_fault(name, int(WHAT))) or not self.first():
            return None
        if WHAT in ("kill", "hang"):
            stop(WHAT)
        return int(WHAT)

    def first(self) -> bool:
        """Say once, for all processes, that it is time."""
        self.serving = False
        try:
            with open(MARK, "x") as mark:
                mark.write(str(os.getpid()))
        except FileExistsError:
            return False
        finally:
            self.serving = True
        return True


def stop(how: str) -> None:
    if how in ("kill", "cut"):
        os.kill(os.getpid(), signal.SIGKILL)
    while True:
        time.sleep(60)


def main() -> None:
    seam = WorkerSeam(Patch(), os.environ["FERRY_CALLS"].split())  # type: ignore[arg-type]
    answer, send, told = worker.Worker.answer, worker.send, 0

    def watched(self: worker.Worker, request: Any) -> Any:
        seam.serving = True
        try:
            return answer(self, request)
        finally:
            seam.serving = False
            if WHAT == "count":
                new = Path(f"{MARK}.new")
                new.write_text(str(len(seam.calls)))
                new.replace(MARK)  # it may be read while the last request is answered

    def halved(fd: int, message: object) -> None:
        nonlocal told
        told += 1
        if (
            WHAT not in ("cut", "stall") or told - 2 != int(NUMBER) or not seam.first()
        ):  # the first says "ready"
            send(fd, message)
            return
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        whole = struct.pack("!I", len(data)) + data
        os.write(fd, whole[: len(whole) // 2])
        stop(WHAT)

    worker.Worker.answer = watched  # type: ignore[method-assign]
    worker.send = halved
    worker.main(*map(int, sys.argv[1:]))


if __name__ == "__main__":
    main()
