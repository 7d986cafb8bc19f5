"""Starting the background engine: a process of its own that outlives its starter."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import tui
from tui.client.runtime import CannotHost, prepare_runtime, require_open_files
from tui.model.error import EngineUnreachable
from tui.wire.faults import Fault, error_of, fault_of

if TYPE_CHECKING:
    from tui.model.error import FerryError
    from tui.paths import Paths

READY, FAILED = b"ready", b"failed: "
"""First words of what a starting engine says: it (or another one) answers; the queue cannot be taken up, which is
followed by the error as it travels. Without any of them, none can run here."""

_PROGRAM = Path(tui.__file__).parent / "daemon" / "__main__.py"


def command(paths: Paths) -> list[str]:
    """Return the command that is a background engine on these folders.

    It is run by path and with -P: a `tui` or `asyncio.py` in the folder the user works in must not be imported.
    """
    folders = (paths.state, paths.runtime, paths.config, paths.cache)
    return [sys.executable, "-P", str(_PROGRAM), *map(str, folders)]


START_S = 30.0
"""An engine takes a second to start, many on a machine that is very busy or reads its programs over a slow network."""


def launch(paths: Paths, timeout_s: float = START_S) -> None:
    """Start the engine; return when one answers, be it this one or one started by somebody else meanwhile.

    Raises:
        CannotHost: None can run in the background here; the text says why.
        EngineUnreachable: Another process owns the queue and does not answer, the time was up, or it may not open
            enough files.
        EngineError: One can, but not on this queue.
    """
    require_open_files()
    prepare_runtime(paths.runtime)
    try:
        process = subprocess.Popen(
            command(paths),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise CannotHost(
            f"the background engine cannot be started: {error.strerror}: {error.filename or sys.executable}"
        ) from error
    assert process.stdout is not None
    with process.stdout as pipe:
        said = _listen(pipe.fileno(), time.monotonic() + timeout_s)
    process.wait()  # the first of two processes: it is gone as soon as the engine stands on its own
    if said is None:
        raise EngineUnreachable(f"the engine did not answer within {timeout_s:.0f} seconds of its start")
    if said.startswith(FAILED):
        raise reason(said)
    if not said.startswith(READY):
        why = said.decode(errors="replace") or "it ended without a word"
        raise CannotHost(f"the background engine cannot run: {why}")


def failed(error: Exception) -> bytes:
    """Return what an engine says that cannot take up the queue, or finds somebody else at it."""
    return FAILED + msgspec.json.encode(fault_of(error))


def reason(said: bytes) -> FerryError:
    """Return the error such an engine tells of."""
    return error_of(msgspec.json.decode(said.removeprefix(FAILED), type=Fault))


def _listen(fd: int, deadline: float) -> bytes | None:
    """Return the line that tells what becomes of the engine, or its last one; None where the time is up.

    Others may come before it: of a log that cannot be written, say.
    """
    said = b""
    while not (_last_line(said).startswith((READY, FAILED)) and said.endswith(b"\n")):
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        chunk = os.read(fd, 65536)
        if not chunk:
            break
        said += chunk
    return _last_line(said)


def _last_line(said: bytes) -> bytes:
    return said.strip().rpartition(b"\n")[2]
