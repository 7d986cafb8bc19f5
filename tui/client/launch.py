"""Starting the background engine: a process of its own that outlives its starter."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import tui
from tui.client.runtime import CannotHost, prepare_runtime
from tui.model.error import EngineUnreachable

if TYPE_CHECKING:
    from tui.paths import Paths

READY, BUSY = b"ready", b"busy: "
"""First words of what a starting engine says: it (or another one) answers; another process owns the queue."""

_PROGRAM = Path(tui.__file__).parent / "daemon" / "__main__.py"


def command(paths: Paths) -> list[str]:
    """Return the command that is a background engine on these folders.

    It is run by path and with -P: a `tui` or `asyncio.py` in the folder the user works in must not be imported.
    """
    folders = (paths.state, paths.runtime, paths.config, paths.cache)
    return [sys.executable, "-P", str(_PROGRAM), *map(str, folders)]


def launch(paths: Paths, timeout_s: float = 10.0) -> None:
    """Start the engine; return when one answers, be it this one or one started by somebody else meanwhile.

    Raises:
        CannotHost: None can run in the background here; the text says why.
        EngineUnreachable: Another process owns the queue and does not answer, or the time was up.
    """
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
        raise CannotHost(f"the background engine cannot be started: {error}") from error
    assert process.stdout is not None
    with process.stdout as pipe:
        said = _listen(pipe.fileno(), time.monotonic() + timeout_s)
    process.wait()  # the first of two processes: it is gone as soon as the engine stands on its own
    if said is None:
        raise EngineUnreachable(f"the engine did not answer within {timeout_s:.0f} seconds of its start")
    if said.startswith(BUSY):
        raise EngineUnreachable(
            said.removeprefix(BUSY).decode(errors="replace"), "Close that one, then try again."
        )
    if not said.startswith(READY):
        lines = said.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else "it ended without a word"
        raise CannotHost(f"the background engine cannot run: {reason}")


def _listen(fd: int, deadline: float) -> bytes | None:
    """Return what the engine says up to its first word of readiness, or to its end; None where the time is up."""
    said = b""
    while not (said.startswith((READY, BUSY)) and said.endswith(b"\n")):
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        chunk = os.read(fd, 65536)
        if not chunk:
            break
        said += chunk
    return said.strip()
