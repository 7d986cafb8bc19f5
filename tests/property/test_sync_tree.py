"""Two random trees, the one made like the other; rsync has the last word on whether anything is left to do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_copy_tree import Plan, build, relaxed, trees, work

from tests.trees import describe, differences
from tui.engine.clock import SystemClock
from tui.engine.engine import Engine, Limits
from tui.engine.journal import Journal
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local.comparing import Comparison
from tui.places.local.hops import Brake

if TYPE_CHECKING:
    from pathlib import Path

    from tui.model.comparison import Difference

Tree = list[tuple[int, bytes, Plan]]

needs_rsync = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")

changes = st.lists(
    st.tuples(st.integers(0, 1000), st.sampled_from(["touch", "mode", "write", "colour", "unlink"]))
)
"""What happens to the target between two syncs: to the n-th entry of it."""


async def _sync(journal: Path, request: Request) -> None:
    ended = asyncio.Event()
    clock = SystemClock()
    engine = Engine(Journal(journal), clock, Limits(), on_end=lambda job: ended.set(), version="test")
    await engine.start_up()
    try:
        id = await engine.submit(request)
        await ended.wait()
        errors = [error.message for error in await engine.errors(id)]
        assert ((await engine.job(id)).state, errors) == (JobState.DONE, [])
    finally:
        await engine.shut_down()


def sync(source: Path, target: Path, *, by_content: bool) -> None:
    """Make the target like the source."""
    request = Request(
        kind=JobKind.SYNC,
        sources=(Location.local(source),),
        target=Location.local(target),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=True,
        by_content=by_content,
    )
    asyncio.run(_sync(source.parent / "state" / "journal", request))


def left_for_rsync(source: Path, target: Path, *, by_content: bool) -> str:
    words = ["rsync", "-aHAXSni" + ("c" if by_content else ""), "--delete", f"{source}/", f"{target}/"]
    return os.fsdecode(subprocess.run(words, capture_output=True, check=True).stdout)


def plan(source: Path, target: Path, *, by_content: bool) -> list[Difference]:
    comparison = Comparison(str(source), str(target), Brake(), by_content=by_content)
    found: list[Difference] = []
    while not comparison.exhausted:
        part = comparison.step()
        assert part.failures == []
        found += part.differences
    return found


def disturb(target: Path, wanted: list[tuple[int, str]]) -> None:
    """Do harmless and harmful things to single entries of a tree."""
    top = os.fsencode(target)
    entries = sorted(
        os.path.join(folder, name) for folder, folders, files in os.walk(top) for name in folders + files
    )
    for number, what in wanted if entries else []:
        path = entries[number % len(entries)]
        with contextlib.suppress(OSError):
            if os.path.islink(path):
                continue
            if what == "touch":
                os.utime(path, ns=(1, number))
            elif what == "mode":
                os.chmod(path, 0o700)
            elif what == "colour":
                os.setxattr(path, "user.colour", b"%d" % number)
            elif what == "unlink":
                os.unlink(path)
            elif os.path.isfile(path):
                with open(path, "r+b") as file:
                    file.write(b"?")


@needs_rsync
@relaxed
@given(trees, trees, st.booleans())
def test_after_a_sync_rsync_has_nothing_to_do(first: Tree, second: Tree, by_content: bool) -> None:
    with work() as (source, target):
        build(os.fsencode(source), first, 0o700)
        build(os.fsencode(target), second, 0o700)
        before = describe(source)
        sync(source, target, by_content=by_content)
        assert left_for_rsync(source, target, by_content=by_content) == ""
        assert describe(source) == before
        assert plan(source, target, by_content=by_content) == []


@relaxed
@given(trees, changes)
def test_a_sync_heals_whatever_was_done_to_the_target(tree: Tree, wanted: list[tuple[int, str]]) -> None:
    with work() as (source, target):
        build(os.fsencode(source), tree, 0o700)
        sync(source, target, by_content=False)
        disturb(target, wanted)
        sync(source, target, by_content=True)
        assert differences(describe(source), describe(target)) == []
