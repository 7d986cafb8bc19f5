"""Manners of stores that the real one at hand does not have: conditions, HEAD, haste, and very large folders."""

from __future__ import annotations

import asyncio
import mimetypes
import socket
import threading
from asyncio.trsock import TransportSocket
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

import tui
from tests.places.stand import TAG, listed, put
from tui.model.error import AlreadyExists, PermissionDenied, PlaceUnavailable
from tui.model.location import S3, Location
from tui.places.base import Attributes, Identity
from tui.places.s3.endpoints import Sizes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.places.s3.place import S3Place

pytest.importorskip("aiobotocore", reason="S3 needs the extra: pip install 'ferry-tui[s3]'")

from tests.servers.polite import PAGE_KEYS, Polite, polite_place

BUCKET = Location("/bucket", S3, "polite")


DESCRIBED = {
    "content-type": "text/x-kept",
    "x-amz-meta-kept": "yes",
    "x-amz-meta-mtime": "7",
    "x-amz-storage-class": "STANDARD_IA",
}


@pytest.fixture
def store() -> Polite:
    return Polite()


@pytest.fixture
async def place(store: Polite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Place]:
    async with polite_place(store, monkeypatch) as place:
        yield place


async def test_the_store_itself_refuses_to_replace(place: S3Place, store: Polite) -> None:
    await put(place, BUCKET.child("file"), b"old")
    with pytest.raises(AlreadyExists, match="file"):
        await put(place, BUCKET.child("file"), b"new")
    assert store.objects == {"file": b"old"}
    await put(place, BUCKET.child("file"), b"new", replace=True)
    assert store.objects == {"file": b"new"}


async def test_a_store_that_takes_a_condition_and_does_not_heed_it_replaces_nothing(
    place: S3Place, store: Polite
) -> None:
    store.heeds = False
    await put(place, BUCKET.child("file"), b"old")
    with pytest.raises(AlreadyExists, match="file"):
        await put(place, BUCKET.child("file"), b"new")
    assert store.objects == {"file": b"old"}


async def test_a_small_file_takes_a_look_and_a_write(place: S3Place, store: Polite) -> None:
    await listed(place, BUCKET)
    store.asked.clear()
    await put(place, BUCKET.child("file"), b"x")
    assert store.asked == {"HEAD": 1, "PUT": 1}


@pytest.mark.parametrize(("size_bytes", "waits"), [(0, False), (4096, False), (1 << 20, True)])
async def test_leave_to_send_is_waited_for_only_with_what_is_not_small(
    place: S3Place, store: Polite, size_bytes: int, *, waits: bool
) -> None:
    await put(place, BUCKET.child("file"), bytes(size_bytes))
    assert store.objects["file"] == bytes(size_bytes)
    assert ("expect" in store.written_with) is waits


async def test_a_store_is_told_who_writes(place: S3Place, store: Polite) -> None:
    await put(place, BUCKET.child("file"), b"x")
    assert store.written_with["user-agent"].split()[0] == f"ferry/{tui.__version__}"


async def test_what_came_between_the_look_and_the_write_is_not_replaced(
    place: S3Place, store: Polite
) -> None:
    store.objects["file"], store.unseen = b"old", {"file"}
    with pytest.raises(AlreadyExists):
        await put(place, BUCKET.child("file"), b"new")
    assert store.objects == {"file": b"old"}


async def test_a_store_that_heeded_a_condition_once_need_not_be_asked_before(
    place: S3Place, store: Polite
) -> None:
    store.objects["file"], store.unseen = b"old", {"file"}
    await listed(place, BUCKET)
    with pytest.raises(AlreadyExists):
        await put(place, BUCKET.child("file"), b"new")
    store.asked.clear()
    await put(place, BUCKET.child("other"), b"x")
    assert store.asked == {"PUT": 1}


async def test_a_store_may_heed_a_condition_for_whole_files_and_not_for_uploads_in_parts(
    store: Polite, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.objects["file"], store.unseen = b"old", {"file"}
    async with polite_place(store, monkeypatch, Sizes(single_bytes=3, part_bytes=3)) as place:
        with pytest.raises(AlreadyExists):
            await put(place, BUCKET.child("file"), b"new")
        store.unseen = set()
        writer = await place.open_writer(BUCKET.child("large"), Identity(TAG, 7, 0))
        await writer.write(0, b"content")
        store.objects["large"] = b"of another"
        with pytest.raises(AlreadyExists, match="large"):
            await writer.publish(Attributes(mtime_ns=0), replace=False, flush=False)
    assert store.objects["large"] == b"of another"


async def test_keys_that_may_only_write_replace_no_small_file(place: S3Place, store: Polite) -> None:
    store.hides = True
    await put(place, BUCKET.child("file"), b"old")
    with pytest.raises(AlreadyExists, match="file"):
        await put(place, BUCKET.child("file"), b"new")
    assert store.objects == {"file": b"old"}


async def test_keys_that_may_only_write_are_refused_what_goes_up_in_parts_unless_it_may_replace(
    store: Polite, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.hides, store.objects["large"] = True, b"of another"
    async with polite_place(store, monkeypatch, Sizes(single_bytes=3, part_bytes=3)) as place:
        writer = await place.open_writer(BUCKET.child("large"), Identity(TAG, 7, 0))
        await writer.write(0, b"content")
        with pytest.raises(PermissionDenied, match="large: these keys may not look") as refused:
            await writer.publish(Attributes(mtime_ns=0), replace=False, flush=False)
        await writer.discard()
        assert "s3:GetObject" in refused.value.remedy
        assert (store.objects, store.uploads) == ({"large": b"of another"}, {})
        writer = await place.open_writer(BUCKET.child("large"), Identity(TAG, 7, 0))
        await writer.write(0, b"content")
        await writer.publish(Attributes(mtime_ns=0), replace=True, flush=False)
    assert store.objects == {"large": b"content"}


async def test_a_folder_made_shows_that_files_need_not_be_looked_for(place: S3Place, store: Polite) -> None:
    await place.make_folder(BUCKET.child("folder"))
    store.asked.clear()
    await put(place, BUCKET.child("folder").child("file"), b"x")
    assert store.asked == {"PUT": 1}
    with pytest.raises(AlreadyExists):
        await put(place, BUCKET.child("folder").child("file"), b"y")
    assert store.objects["folder/file"] == b"x"


async def test_a_store_that_made_a_folder_twice_is_trusted_no_more_than_before(
    place: S3Place, store: Polite
) -> None:
    store.heeds = False
    await place.make_folder(BUCKET.child("folder"))
    store.objects["folder/file"] = b"old"
    with pytest.raises(AlreadyExists):
        await put(place, BUCKET.child("folder").child("file"), b"new")
    assert store.objects["folder/file"] == b"old"
    store.asked.clear()
    await place.make_folder(BUCKET.child("other"))
    assert store.asked["PUT"] == 1


async def test_a_folder_is_made_where_conditions_are_not_taken(place: S3Place, store: Polite) -> None:
    store.takes = False
    await place.make_folder(BUCKET.child("folder"))
    assert store.objects == {"folder/": b""}


async def test_of_many_files_one_finds_out_that_conditions_are_not_taken(
    place: S3Place, store: Polite
) -> None:
    store.takes = False
    names = [f"file {number}" for number in range(8)]
    store.objects = dict.fromkeys(names[:4], b"old")
    await listed(place, BUCKET)
    store.asked.clear()
    done = await asyncio.gather(
        *(put(place, BUCKET.child(name), b"new") for name in names), return_exceptions=True
    )
    assert [type(one) for one in done] == [AlreadyExists] * 4 + [type(None)] * 4
    assert [store.objects[name] for name in names] == [b"old"] * 4 + [b"new"] * 4
    assert store.asked == {"HEAD": 8, "PUT": 5}


async def test_where_nothing_is_known_of_a_folder_it_is_asked_for(place: S3Place, store: Polite) -> None:
    store.asked.clear()
    await put(place, BUCKET.child("file"), b"x")
    assert store.asked == {"LIST": 1, "HEAD": 1, "PUT": 1}


async def test_looking_at_a_file_takes_its_head_alone(place: S3Place, store: Polite) -> None:
    store.objects["file"] = b"four"
    store.asked.clear()
    assert (await place.stat(BUCKET.child("file"))).size_bytes == 4
    assert store.asked == {"HEAD": 1}


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="this system has no such option")
async def test_the_head_of_an_answer_is_acknowledged_before_the_rest_of_it_comes(
    place: S3Place, store: Polite, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.objects["file"] = b"x" * (4 << 20)
    options: list[tuple[int, int, int]] = []
    setsockopt = TransportSocket.setsockopt

    def noted(way: TransportSocket, *option: int) -> None:
        options.append(option)
        setsockopt(way, *option)

    monkeypatch.setattr(TransportSocket, "setsockopt", noted)
    _, data = await place.get(BUCKET.child("file"), 4 << 20)
    assert len(data) == 4 << 20
    assert (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1) in options


async def test_a_busy_store_is_asked_again(place: S3Place, store: Polite) -> None:
    store.busy = 1
    await put(place, BUCKET.child("file"), b"x" * 100_000)
    assert store.objects == {"file": b"x" * 100_000}
    assert place.alive


async def test_a_store_that_stays_busy_is_not_lost(place: S3Place, store: Polite) -> None:
    store.busy = 100
    with pytest.raises(PlaceUnavailable, match="busy"):
        await place.put(BUCKET.child("file"), b"x", Attributes(), TAG, replace=True, flush=False)
    assert place.alive
    assert store.objects == {}


async def test_a_hundred_thousand_files_come_page_by_page(place: S3Place, store: Polite) -> None:
    store.keys, store.asked = 100_000, Counter()
    seen = 0
    async with aclosing(place.list(BUCKET)) as pages:
        async for page in pages:
            seen += len(page)
            assert [entry.size_bytes for entry in page] == list(range(seen - len(page), seen))
            assert store.asked["LIST"] == seen // PAGE_KEYS
    assert seen == store.keys


async def test_what_types_names_stand_for_is_read_in_a_thread(
    store: Polite, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, init = [], mimetypes.init
    monkeypatch.setattr(mimetypes, "inited", False)
    monkeypatch.setattr(mimetypes, "_db", None)
    monkeypatch.setattr(mimetypes, "init", lambda: threads.append(threading.current_thread()) or init())
    async with polite_place(store, monkeypatch) as place:
        await put(place, BUCKET.child("page.html"), b"new")
    assert threads and threading.main_thread() not in threads


async def test_a_large_folder_may_be_left_early(place: S3Place, store: Polite) -> None:
    store.keys, store.asked = 100_000, Counter()
    async with aclosing(place.list(BUCKET)) as pages:
        assert len(await anext(pages)) == PAGE_KEYS
    await asyncio.sleep(0)
    assert store.asked["LIST"] == 1


@pytest.fixture
def described(store: Polite) -> Polite:
    """A store with a file of which much is told."""
    store.objects["file"] = b"content"
    store.told["file"] = {**DESCRIBED, "x-amz-server-side-encryption": "aws:kms"}
    store.tags = {"project": "a b", "left": "1"}
    return store


async def copy(place: S3Place, target: Location, mtime_ns: int | None = None) -> None:
    await place.copy(BUCKET.child("file"), target, Attributes(mtime_ns=mtime_ns), TAG, replace=False)


async def test_a_copy_within_a_store_is_told_of_as_its_source_is(place: S3Place, described: Polite) -> None:
    await copy(place, BUCKET.child("copy"))
    assert described.objects["copy"] == b"content"
    assert described.told["copy"] == described.told["file"]


async def test_in_another_bucket_a_copy_is_encrypted_as_is_usual_there(
    place: S3Place, described: Polite
) -> None:
    await copy(place, Location("/other/copy", S3, "polite"))
    assert described.told["copy"] == DESCRIBED


async def test_a_file_of_another_time_stays_where_it_is_cheap(place: S3Place, described: Polite) -> None:
    before = described.told["file"]
    await place.set_attributes(BUCKET.child("file"), Attributes(mtime_ns=9_000_000_000))
    assert described.told["file"] == {**before, "x-amz-meta-mtime": "9"}


async def test_a_copy_in_parts_has_what_one_in_a_single_step_has_and_its_tags(
    described: Polite, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = Sizes(copy_bytes=3, copy_part_bytes=3, part_bytes=3)
    async with polite_place(described, monkeypatch, sizes) as place:
        await copy(place, BUCKET.child("copy"))
    assert described.objects["copy"] == b"content"
    told = described.told["copy"]
    assert told.pop("x-amz-tagging") == "project=a+b&left=1"
    assert told == described.told["file"]


async def test_a_store_that_tells_no_tags_copies_in_parts_all_the_same(
    described: Polite, monkeypatch: pytest.MonkeyPatch
) -> None:
    described.knows_tags = False
    async with polite_place(described, monkeypatch, Sizes(copy_bytes=3, copy_part_bytes=3)) as place:
        await copy(place, BUCKET.child("copy"))
    assert described.objects["copy"] == b"content"
    assert described.told["copy"] == described.told["file"]
