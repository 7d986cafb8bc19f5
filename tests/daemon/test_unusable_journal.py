"""An engine that cannot open its journal: every client hears why, however often and however fast it asks."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from tests.daemon.homes import Home, eventually
from tests.mounts import tmpfs
from tui.model.error import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable


def a_folder(home: Home) -> None:
    home.paths.journal.mkdir(parents=True)


def of_a_newer_ferry(home: Home) -> None:
    home.paths.state.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(home.paths.journal)) as journal:
        journal.execute("PRAGMA user_version = 999")


def damaged_for_good(home: Home) -> None:
    """Damage it, and leave no name under which it could be set aside."""
    home.paths.state.mkdir(parents=True)
    home.paths.journal.write_bytes(b"no journal at all" * 1000)
    for second in range(60):
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time() + second))
        kept = home.paths.journal.with_name(f"{home.paths.journal.name}.damaged-{stamp}")
        (kept / "something").mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "code", "why"),
    [
        (a_folder, "EngineError", "cannot be used: unable to open database file"),
        (of_a_newer_ferry, "EngineError", "was written by a newer Ferry"),
        (damaged_for_good, "JournalDamaged", "cannot be set aside"),
    ],
)
async def test_a_journal_that_cannot_be_opened_is_told_as_what_it_is(
    home: Home, spoil: Callable[[Home], None], code: str, why: str
) -> None:
    spoil(home)
    async with home.open() as client:
        for _ in range(2):  # the engine of before may still be on its way out
            with pytest.raises(EngineError) as caught:
                await client.jobs()
            error = caught.value
            assert (error.code, why in error.message, bool(error.remedy)) == (code, True, True), error
            assert str(home.paths.journal) in error.message
        assert not client.in_process
    await eventually(lambda: home.pid is None)
    assert not home.paths.socket.exists()


async def test_a_full_disk_under_the_journal_is_told_as_that(home: Home) -> None:
    home.root.mkdir()
    with tmpfs(home.paths.state, "size=64k") as state:
        with contextlib.suppress(OSError), (state / "filling").open("wb", buffering=0) as filling:
            while filling.write(bytes(4096)):
                pass
        async with home.open() as client:
            with pytest.raises(EngineError, match=r"journal .* cannot be used: .*full") as caught:
                await client.jobs()
            assert caught.value.remedy.startswith("Check the disk it is on (full")
        await eventually(lambda: not home.engines())


async def test_two_clients_that_ask_at_once_hear_the_same(home: Home) -> None:
    of_a_newer_ferry(home)
    async with home.open() as one, home.open() as other:
        told = await asyncio.gather(one.jobs(), other.jobs(), return_exceptions=True)
    assert [type(error) for error in told] == [EngineError, EngineError]
    assert len({str(error) for error in told}) == 1
    await eventually(lambda: home.pid is None)
