"""Copies and moves to a real store and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from far_harness import Far

from tests.places.stand import found
from tui.model.fidelity import Loss
from tui.model.job import JobKind, JobState, Request
from tui.model.location import Location
from tui.places.local.end import LocalOpener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.places.stand import Stand
    from tui.places.base import Place


class StandOpener:
    """Opens the stand's store."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    async def open(self, location: Location, asker: object) -> Place:
        return await self._stand.open()


class Untold:
    """A tree at a store of which not all can be told by names, and an engine that is to do something with it."""

    def __init__(self, far: Far, stand: Stand, folder: Path) -> None:
        self.far, self._stand, self.local = far, stand, Location.local(folder)
        self.tree = stand.folder.child("tree")
        _, self._bucket, self._prefix = self.tree.path.split("/", 2)

    async def put(self, *keys: str) -> None:
        client = self._stand._client  # type: ignore[attr-defined]
        for key in keys:
            client.put_object(Bucket=self._bucket, Key=f"{self._prefix}/{key}", Body=b"text")

    async def keys(self) -> list[str]:
        client = self._stand._client  # type: ignore[attr-defined]
        page = client.list_objects_v2(Bucket=self._bucket, Prefix=f"{self._prefix}/")
        return [it["Key"].removeprefix(f"{self._prefix}/") for it in page.get("Contents", ())]

    async def is_told(self, **request: Any) -> str:
        """Submit a job that cannot be complete; return what it says of that."""
        id = await self.far.engine.submit(Request(**request))
        assert (await self.far.rests(id)).state is JobState.FAILED
        (message,) = await self.far.messages(id)
        assert message.startswith("NotListed: ")
        assert message.endswith(" cannot be told by names")
        return message


@pytest.fixture
async def untold(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Untold]:
    async with found()["s3"](request) as stand:
        far = Far(tmp_path / "journal")
        far.openers = {"file": LocalOpener(), "s3": StandOpener(stand)}  # type: ignore[dict-item]
        async with far.engine_on():
            yield Untold(far, stand, tmp_path)


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_what_a_store_cannot_tell_by_names_is_not_passed_over_in_silence(
    untold: Untold, tmp_path: Path, kind: JobKind
) -> None:
    await untold.put("a", "both", "both/hidden", "/nameless")
    message = await untold.is_told(kind=kind, sources=(untold.tree,), target=untold.local.child("target"))
    assert "2 keys (such as " in message
    assert sorted(path.name for path in (tmp_path / "target" / "tree").iterdir()) == ["a", "both"]
    assert {"/nameless", "both/hidden"} <= set(await untold.keys())


async def test_data_under_the_mark_of_a_folder_is_not_passed_over_in_silence(untold: Untold) -> None:
    await untold.put("inner/", "inner/a")
    target = untold.local.child("target")
    message = await untold.is_told(kind=JobKind.COPY, sources=(untold.tree,), target=target)
    assert "/tree/inner/' cannot" in message


@pytest.mark.parametrize(
    ("key", "told"), [("/nameless", "/tree//"), ("inner/", "/inner/"), ("inner/../a", "/inner/../")]
)
async def test_a_delete_tells_of_what_it_leaves_and_why(untold: Untold, key: str, told: str) -> None:
    await untold.put("a", key)
    assert f"{told}' cannot" in await untold.is_told(kind=JobKind.DELETE, sources=(untold.tree,))
    assert await untold.keys() == [key]


async def test_a_delete_takes_what_a_file_of_the_same_name_hid(untold: Untold) -> None:
    await untold.put("both", "both/hidden")
    await untold.far.done(
        await untold.far.engine.submit(Request(kind=JobKind.DELETE, sources=(untold.tree,)))
    )
    assert await untold.keys() == []


async def test_a_sync_tells_of_what_it_cannot_know_to_belong_there(untold: Untold, tmp_path: Path) -> None:
    await untold.put("extra", "/nameless")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a").touch()
    ends = {"sources": (untold.local.child("source"),), "target": untold.tree, "into": False}
    await untold.is_told(kind=JobKind.SYNC, delete_extra=True, **ends)
    assert await untold.keys() == ["/nameless", "a"]


@pytest.mark.parametrize("is_source", [True, False])
async def test_a_verification_tells_of_what_it_cannot_compare(
    untold: Untold, tmp_path: Path, *, is_source: bool
) -> None:
    await untold.put("a", "/nameless")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a").write_text("text")
    ends = (untold.tree, untold.local.child("tree"))
    source, target = ends if is_source else ends[::-1]
    await untold.is_told(kind=JobKind.VERIFY, sources=(source,), targets=(target,))


async def carry(far: Far, source: Location, target: Location, kind: JobKind) -> int:
    return await far.engine.submit(Request(kind=kind, sources=(source,), target=target))


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
async def test_a_tree_goes_there_within_and_back(
    tmp_path: Path, request: pytest.FixtureRequest, kind: JobKind
) -> None:
    tree = tmp_path / "tree"
    for number in range(12):
        (tree / str(number % 3) / "inner").mkdir(parents=True, exist_ok=True)
        (tree / str(number % 3) / "inner" / f"file {number}").write_bytes(b"%d" % number * 1000)
    (tree / "large").write_bytes(bytes(range(256)) * 5000)
    before = {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file()}
    async with found()["s3"](request) as stand:
        far = Far(tmp_path / "journal")
        far.openers = {"file": LocalOpener(), "s3": StandOpener(stand)}  # type: ignore[dict-item]
        async with far.engine_on():
            there = stand.folder.child("one")
            await far.done(await carry(far, Location.local(tree), there, kind))
            again = await carry(far, there.child("tree"), stand.folder.child("two"), kind)
            await far.done(again)
            back = Location.local(tmp_path / "back")
            source = stand.folder.child("two").child("tree")
            await far.done(await carry(far, source, back, kind))
            if kind is JobKind.COPY:
                id = await carry(far, Location.local(tree), there, kind)
                job = await far.rests(id)
                assert (job.state, job.progress.files_same) == (JobState.DONE, 13)
            else:
                assert await stand.names() == set()
    after = {
        str(p.relative_to(tmp_path / "back" / "tree")): p.read_bytes()
        for p in (tmp_path / "back").rglob("*")
        if p.is_file()
    }
    assert after == before
    assert tree.exists() == (kind is JobKind.COPY)


async def test_a_tree_that_went_there_comes_back_unless_it_was_changed(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    for name in ("a", "inner/b"):
        (tree / name).write_bytes(b"text")
    async with found()["s3"](request) as stand:
        far = Far(tmp_path / "journal")
        far.openers = {"file": LocalOpener(), "s3": StandOpener(stand)}  # type: ignore[dict-item]
        async with far.engine_on():
            moving = await carry(far, Location.local(tree), stand.folder.child("one"), JobKind.MOVE)
            assert (await far.done(moving)).reversible
            await far.done(await far.engine.undo(moving))
            assert (tree / "inner" / "b").read_bytes() == b"text"
            assert await stand.names() == set()
            moving = await carry(far, Location.local(tree), stand.folder.child("one"), JobKind.MOVE)
            await far.done(moving)
            _, bucket, prefix = stand.folder.path.split("/")
            key = f"{prefix}/one/tree/inner/b"
            stand._client.put_object(Bucket=bucket, Key=key, Body=b"other")  # type: ignore[attr-defined]
            undoing = await far.engine.undo(moving)
            assert (await far.rests(undoing)).state is JobState.FAILED
            (message,) = await far.messages(undoing)
            assert message.endswith("one/tree was changed, added or removed since")
            assert not tree.exists()


async def test_what_a_store_keeps_with_a_file_is_told_where_it_does_not_travel(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with found()["s3"](request) as stand:
        far = Far(tmp_path / "journal")
        far.openers = {"file": LocalOpener(), "s3": StandOpener(stand)}  # type: ignore[dict-item]
        _, bucket, prefix = stand.folder.path.split("/")
        for name, size_bytes, described in (
            ("noted", 4, {"Metadata": {"mtime": "1", "by": "me"}}),
            ("large", 1_300_000, {"ContentType": "text/x-other"}),
            ("packed", 4, {"ContentEncoding": "gzip"}),
            ("page.html", 4, {"ContentType": "text/html"}),
            ("plain", 4, {"Metadata": {"mtime": "1"}}),
        ):
            stand._client.put_object(  # type: ignore[attr-defined]
                Bucket=bucket, Key=f"{prefix}/tree/{name}", Body=bytes(size_bytes), **described
            )
        async with far.engine_on():
            tree = stand.folder.child("tree")
            id = await carry(far, tree, Location.local(tmp_path / "target"), JobKind.COPY)
            job = await far.done(id)
            told = {lost.loss: lost for lost in await far.engine.losses(id)}[Loss.METADATA]
            assert sorted(where.name for where in told.examples) == ["large", "noted", "packed"]
            assert told.count == 3
            job = await far.done(await carry(far, tree, stand.folder.child("other"), JobKind.COPY))
            assert job.progress.losses == 0
