"""The process of the background engine: started by `tui.client.launch` with the folders as arguments."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def main() -> None:
    """Detach, then be the engine. What happens up to its readiness is told on standard output."""
    if os.fork():
        # The starter waits for this process; the engine is nobody's child, in a session of the starter's making.
        os._exit(0)
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from pathlib import Path

    from tui.client.host import maker
    from tui.config.reading import load
    from tui.daemon.lifecycle import run
    from tui.paths import Paths

    state, runtime, config, cache = map(Path, sys.argv[1:])
    paths = Paths(state, runtime, config, cache)
    settings, _ = load(paths)
    sys.exit(run(paths, settings, tell, maker(paths, settings)))


def tell(line: bytes) -> None:
    """Tell the starter, then let go of it."""
    with suppress(OSError):  # it has gone, or gave up waiting; the engine lives on
        os.write(1, line + b"\n")
    for fd in (1, 2):
        os.dup2(0, fd)  # which is /dev/null from the start: opening it now might fail


if __name__ == "__main__":
    main()
