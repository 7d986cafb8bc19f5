"""Where the engine's memory comes from."""

from __future__ import annotations

import platform
import re
import subprocess
import sys

import pytest

THREADS = """
import ctypes, threading
from tui.daemon import heap

if SHARED:
    heap.share()
libc, held = ctypes.CDLL(None), []
libc.fdopen.restype = ctypes.c_void_p
meet = threading.Barrier(4)

def take():
    meet.wait()
    held.extend(bytes(10_000) for _ in range(100))
    meet.wait()

threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""


def pools(*, shared: bool) -> int:
    """Return how many pools of memory four threads of a fresh process take theirs from."""
    program = THREADS.replace("SHARED", str(shared))
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    return len(re.findall(r"<heap nr=", said.stdout))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library has several")
def test_all_threads_of_the_engine_take_memory_from_one_pool() -> None:
    assert pools(shared=True) == 1
    assert pools(shared=False) > 1
