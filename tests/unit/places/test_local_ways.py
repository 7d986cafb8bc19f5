from __future__ import annotations

import errno
import math
import os
from typing import TYPE_CHECKING, Any

import pytest

from tui.places.local import content, syscalls
from tui.places.local.content import CHUNK_BYTES, Ways
from tui.places.local.piping import HAS_PIPES, PIPE_BYTES, through_pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEVICES = (1, 2)
DATA = os.urandom(3 * PIPE_BYTES + 12_345)

needs_pipes = pytest.mark.skipif(not HAS_PIPES, reason="needs splice(2)")


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A file of DATA, and an empty one, both open."""
    (tmp_path / "source").write_bytes(DATA)
    opened = [os.open(tmp_path / name, os.O_RDWR | os.O_CREAT) for name in ("source", "target")]
    yield opened[0], opened[1]
    for fd in opened:
        os.close(fd)


@pytest.fixture
def on_ext4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syscalls, "filesystem_kind", lambda _: syscalls.EXT4)


def refusing(number: int, asked: list[Any]) -> Callable[..., Any]:
    def refuse(*args: Any, **_: Any) -> Any:
        asked.append(args)
        raise OSError(number, os.strerror(number))

    return refuse


def copy_all(ways: Ways, source: int, target: int) -> list[int]:
    counts: list[int] = []
    while count := ways.some(source, target, sum(counts), len(DATA), DEVICES, reserved=True):
        counts.append(count)
    assert os.pread(target, len(DATA) + 1, 0) == DATA
    return counts


@needs_pipes
@pytest.mark.parametrize("start", [0, 1, PIPE_BYTES + 5])
@pytest.mark.parametrize("size_bytes", [1, PIPE_BYTES, PIPE_BYTES + 1, len(DATA)])
def test_a_pipe_carries_what_was_asked_for_up_to_the_end(
    ends: tuple[int, int], start: int, size_bytes: int
) -> None:
    wanted = DATA[start : start + size_bytes]
    open_before = len(os.listdir("/proc/self/fd"))
    assert through_pipe(*ends, start, size_bytes) == len(wanted)
    assert os.pread(ends[1], len(DATA), start) == wanted
    assert through_pipe(*ends, len(DATA), size_bytes) == 0
    assert len(os.listdir("/proc/self/fd")) == open_before


@needs_pipes
def test_pipes_are_used_where_they_pay(
    ends: tuple[int, int], on_ext4: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for narrow in ("copy_file_range", "sendfile"):
        monkeypatch.setattr(os, narrow, refusing(errno.EIO, []))
    ways = Ways()
    assert ways.some(*ends, 0, len(DATA), DEVICES, reserved=True) == len(DATA)
    assert os.pread(ends[1], len(DATA), 0) == DATA


@needs_pipes
def test_no_pipe_is_used_where_no_room_was_reserved(
    ends: tuple[int, int], on_ext4: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(os, "splice", refusing(errno.EIO, asked))
    assert Ways().some(*ends, 0, len(DATA), DEVICES) == len(DATA)
    assert asked == []


@needs_pipes
@pytest.mark.parametrize("what", ["pipe", "width"])
def test_without_a_pipe_just_now_it_goes_without(
    ends: tuple[int, int], on_ext4: None, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    asked: list[Any] = []
    with monkeypatch.context() as patch:
        if what == "pipe":
            patch.setattr(os, "pipe", refusing(errno.EMFILE, asked))
        else:
            patch.setattr("fcntl.fcntl", refusing(errno.EPERM, asked))
        open_before = len(os.listdir("/proc/self/fd"))
        copy_all(Ways(), *ends)
        assert len(os.listdir("/proc/self/fd")) == open_before
    assert asked


@needs_pipes
def test_a_filesystem_that_takes_nothing_from_pipes_is_asked_once(
    ends: tuple[int, int], on_ext4: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(os, "splice", refusing(errno.EINVAL, asked))
    ways = Ways()
    copy_all(ways, *ends)
    copy_all(ways, *ends)
    assert len(asked) == 1


@needs_pipes
def test_a_full_disk_at_the_end_of_a_pipe_is_told(
    ends: tuple[int, int], on_ext4: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "splice", refusing(errno.ENOSPC, []))
    with pytest.raises(OSError) as caught:
        Ways().some(*ends, 0, len(DATA), DEVICES, reserved=True)
    assert caught.value.errno == errno.ENOSPC


def test_where_a_chunk_takes_long_the_next_is_smaller_and_grows_again_where_it_does_not(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = Ways()
    monkeypatch.setattr(content, "CHUNK_S", -1)
    slow = [ways.some(*ends, 0, CHUNK_BYTES, DEVICES) for _ in range(6)]
    assert slow == [len(DATA), 2 << 20, 1 << 20, 512 << 10, 256 << 10, 256 << 10]
    monkeypatch.setattr(content, "CHUNK_S", math.inf)
    assert [ways.some(*ends, 0, CHUNK_BYTES, DEVICES) for _ in range(4)] == [
        256 << 10,
        512 << 10,
        1 << 20,
        2 << 20,
    ]
