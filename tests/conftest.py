"""For every test: what must not depend on the clock, the past, or how the run was started; and two folders."""

import gc
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.sshd import own_sshd as own_sshd
from tests.servers.sshd import plain_sshd as plain_sshd
from tests.servers.sshd import sshd as sshd
from tests.servers.swift import own_swift as own_swift
from tests.servers.swift import swift as swift
from tests.unwaiting import nothing_waits_for_the_disk as nothing_waits_for_the_disk

settings.register_profile(
    "ferry", database=None, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ferry")

# A script starts what it puts in the background with Ctrl+C ignored, and that is inherited by every process below.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.set_threshold(10_000, 10, 10)  # a tenth of all the time went into walks of the garbage collector


def pytest_collection_finish() -> None:
    """Take what stands for the tests themselves out of those walks: it stays to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder
