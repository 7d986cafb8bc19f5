"""Names that are taken at a far target, by each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from far_harness import HERE, Far

from tui.model.fidelity import Loss, Trait
from tui.model.job import Conflict, JobKind, JobState
from tui.places.base import Capabilities
from tui.places.memory import ALL

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = 1_600_000_000_000_000_000, 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Conflict.SKIP, {"a": b"there"}),
        (Conflict.OVERWRITE, {"a": b"here"}),
        (Conflict.NEWER, {"a": b"here"}),
        (Conflict.RENAME, {"a": b"there", "a (1)": b"here"}),
    ],
)
async def test_a_file_meets_another_by_the_rule(far: Far, rule: Conflict, expected: dict[str, bytes]) -> None:
    far.here.write("/a", b"here", mtime_ns=NEW)
    far.there.write("/target/a", b"there", mtime_ns=OLD)
    job = await far.done(await far.submit("/a", conflict=rule))
    assert far.tree() == expected
    assert job.progress.files_skipped == (rule is Conflict.SKIP)


async def test_newer_leaves_what_is_newer(far: Far) -> None:
    far.here.write("/a", b"here", mtime_ns=OLD)
    far.there.write("/target/a", b"there", mtime_ns=NEW)
    job = await far.done(await far.submit("/a", conflict=Conflict.NEWER))
    assert far.tree() == {"a": b"there"}
    assert job.progress.files_skipped == 1


@pytest.mark.parametrize("source", ["/tree/inner", "/tree"])
@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_a_folder_left_out_for_a_file_of_its_name_is_counted_as_one(
    far: Far, source: str, kind: JobKind
) -> None:
    far.here.write("/tree/inner/a", b"a")
    far.here.write("/tree/inner/b", b"b")
    far.there.write(f"/target{'/tree' if source == '/tree' else ''}/inner", b"file")
    job = await far.done(await far.submit(source, kind=kind, conflict=Conflict.SKIP))
    progress = job.progress
    assert (progress.files_skipped, progress.files_done, progress.files_total) == (1, 1, 1)
    assert far.here.read("/tree/inner/a") == b"a"


async def test_to_fail_is_an_error_that_names_the_file(far: Far) -> None:
    far.here.write("/tree/a", b"here")
    far.there.write("/target/tree/a", b"there")
    id = await far.submit("/tree", conflict=Conflict.FAIL)
    assert (await far.rests(id)).state is JobState.FAILED
    (message,) = await far.messages(id)
    assert message.startswith("CollisionRefused: there://two/target/tree/a")


async def test_keeping_both_takes_the_first_free_number_and_the_same_one_again(far: Far) -> None:
    far.here.write("/a.txt", b"here", mtime_ns=NEW)
    far.there.write("/target/a.txt", b"there")
    far.there.write("/target/a (1).txt", b"there too")
    await far.done(await far.submit("/a.txt", conflict=Conflict.RENAME))
    job = await far.done(await far.submit("/a.txt", conflict=Conflict.RENAME))
    assert far.tree() == {"a.txt": b"there", "a (1).txt": b"there too", "a (2).txt": b"here"}
    assert job.progress.files_same == 1


async def test_a_name_taken_at_the_last_moment_is_never_overwritten(far: Far) -> None:
    far.here.write("/tree/a", b"here", mtime_ns=NEW)
    far.here.write("/tree/large", b"L" * 1_300_000, mtime_ns=NEW)

    def take(number: int, name: str, path: str) -> None:
        if name in ("put", "publish") and not far.there.look(path):
            far.there.write(path, b"quicker")

    far.faults.at = take
    id = await far.submit("/tree")
    assert (await far.rests(id)).state is JobState.WAITING
    assert far.tree("/target/tree") == {"a": b"quicker", "large": b"quicker"}
    far.faults.at = lambda number, name, path: None
    for question in await far.engine.questions(id):
        await far.engine.answer(question.id, Conflict.RENAME)
    await far.until(id, lambda job: job.state is JobState.DONE)
    assert far.there.read("/target/tree/a (1)") == b"here"
    assert far.there.read("/target/tree/large (1)") == b"L" * 1_300_000


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_files_and_folders_do_not_take_each_others_place(far: Far, kind: JobKind) -> None:
    far.here.write("/tree/file", b"file")
    far.here.write("/tree/folder/in it", b"x")
    far.there.write("/target/tree/file/in it", b"y")
    far.there.write("/target/tree/folder", b"z")
    id = await far.submit("/tree", conflict=Conflict.OVERWRITE, kind=kind)
    assert (await far.rests(id)).state is JobState.FAILED
    assert {message.partition(":")[0] for message in await far.messages(id)} == {"IsAFolder", "NotAFolder"}
    assert far.tree("/target/tree") == {"file": None, "file/in it": b"y", "folder": b"z"}
    assert far.here.tree("/tree") == {"file": b"file", "folder": None, "folder/in it": b"x"}


async def test_a_folder_that_stood_there_keeps_its_own_time_and_mode(far: Far) -> None:
    far.here.write("/tree/new/a", b"a")
    far.there.folder("/target/tree")
    node = far.there.find("/target/tree")
    node.mode = 0o700
    far.here.find("/tree/new").mtime_ns = OLD
    await far.done(await far.submit("/tree"))
    assert far.there.find("/target/tree").mode == 0o700
    assert far.there.find("/target/tree/new").mtime_ns == OLD


async def test_nothing_goes_into_or_onto_itself(far: Far) -> None:
    far.here.write("/tree/inner/a", b"a")
    into = await far.submit("/tree", to="/tree/inner", within=True)
    onto = await far.submit("/tree", to="/", within=True)
    for id, code in ((into, "TargetInsideSource"), (onto, "SameFile")):
        assert (await far.rests(id)).state is JobState.FAILED
        assert (await far.messages(id))[0].startswith(code)
    assert far.here.tree("/tree") == {"inner": None, "inner/a": b"a"}


async def test_a_copy_beside_itself_gets_a_number(far: Far) -> None:
    far.here.write("/folder/a", b"a")
    await far.done(await far.submit("/folder/a", to="/folder", within=True, conflict=Conflict.RENAME))
    assert far.here.tree("/folder") == {"a": b"a", "a (1)": b"a"}


async def test_what_a_target_cannot_hold_is_told(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal", there=Capabilities(sets_times=True, time_step_ns=1_000_000_000))
    far.here.write("/tree/a", b"a", mtime_ns=NEW + 5)
    far.here.link("/tree/link", "a")
    async with far.engine_on() as engine:
        id = await far.submit("/tree")
        assert (await far.rests(id)).state is JobState.FAILED
        assert (await far.messages(id))[0].startswith("NotHeld: cannot create there://two/target/tree/link")
        lost = {lost.loss: lost.count for lost in await engine.losses(id)}
        assert lost == {Loss.TIMES: 2, Loss.MODE: 2, Loss.SPECIAL: 1}
        again = await far.submit("/tree/a", to="/target/tree")
        assert (await far.done(again)).progress.files_same == 1


@pytest.mark.parametrize("size", [4, 1_600_000])
@pytest.mark.parametrize("times", [True, False])
async def test_where_times_do_not_travel_the_content_tells_what_is_complete(
    tmp_path: Path, size: int, times: bool
) -> None:
    far = Far(tmp_path / "journal", there=ALL if times else Capabilities())
    far.here.write("/tree/a", b"1" * size, mtime_ns=NEW)
    far.here.write("/tree/b", b"1" * size, mtime_ns=NEW)
    far.there.write("/target/tree/a", b"2" * size)
    far.there.write("/target/tree/b", b"1" * size)
    keep = frozenset(Trait) - {Trait.TIMES}
    async with far.engine_on():
        id = await far.submit("/tree", preserve=keep, conflict=Conflict.OVERWRITE)
        assert (await far.done(id)).progress.files_same == 1
    assert far.tree() == {"tree": None, "tree/a": b"1" * size, "tree/b": b"1" * size}


async def test_a_target_without_times_is_resumed_by_size(tmp_path: Path) -> None:
    far = Far(tmp_path / "journal", there=Capabilities())
    far.here.write("/tree/a", b"a", mtime_ns=NEW)
    far.here.write("/tree/b", b"b", mtime_ns=NEW)
    far.there.write("/target/tree/b", b"x", mtime_ns=OLD)
    async with far.engine_on():
        id = await far.submit("/tree")
        assert (await far.rests(id)).state is JobState.WAITING
        (question,) = await far.engine.questions(id)
        assert question.source == HERE.below("tree/b")
        await far.engine.cancel([id])
        second = await far.submit("/tree/a", to="/target/tree")
        assert (await far.done(second)).progress.files_same == 1
