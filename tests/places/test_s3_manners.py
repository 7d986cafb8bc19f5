"""Manners of stores that the real one at hand does not have: conditions, HEAD, haste, and very large folders."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.places.stand import TAG, listed, put
from tests.places.stand_s3 import NOBODY
from tests.servers.keys import forget_keys
from tui.model.error import AlreadyExists, PlaceUnavailable
from tui.model.location import S3, Location
from tui.places.base import Attributes
from tui.places.s3.endpoints import Endpoint
from tui.places.s3.opening import S3Opener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from tui.places.s3.place import S3Place

pytest.importorskip("aiobotocore", reason="S3 needs the extra: pip install 'ferry-tui[s3]'")

from aiohttp import web

BUCKET = Location("/bucket", S3, "polite")
PAGE_KEYS = 1000


class Polite:
    """Answers as Amazon does, of few requests and in few words.

    Attributes:
        objects: What it keeps, by key.
        keys: So many more it says that there are.
        busy: So many requests it puts off.
        heeds: It does not replace what is not to be replaced; else it takes the condition and replaces all the same.
        takes: It takes conditions; else it says that it does not know them.
        unseen: What it does not tell of yet, though it is there: it came just now.
        asked: Of each kind so many.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.keys = self.busy = 0
        self.heeds = self.takes = True
        self.unseen: set[str] = set()
        self.asked: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        key = request.match_info["path"].partition("/")[2]
        kind = request.method if key else "LIST"
        self.asked[kind] += 1
        if self.busy and kind == "PUT":
            self.busy -= 1
            return _refusal(503, "SlowDown")
        if kind == "LIST":
            return self._listing(request.query)
        if kind == "PUT":
            if "If-None-Match" in request.headers and not self.takes:
                return _refusal(501, "NotImplemented")
            if self.heeds and request.headers.get("If-None-Match") == "*" and key in self.objects:
                return _refusal(412, "PreconditionFailed")
            self.objects[key] = await request.read()
            return web.Response(headers={"ETag": '"0"'})
        if key not in self.objects.keys() - self.unseen:
            return _refusal(404, "NoSuchKey")
        headers = {"ETag": '"0"', "Last-Modified": "Tue, 01 Dec 2026 13:00:00 GMT"}
        return web.Response(body=self.objects[key], headers=headers)

    def _listing(self, query: Any) -> web.Response:
        if "list-type" not in query:
            return _xml("<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")
        if "delimiter" not in query:  # somebody looks whether a name is free: as if the listing lagged behind
            return _xml("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        start = int(query.get("continuation-token", 0))
        end = min(start + PAGE_KEYS, self.keys)
        entries = "".join(
            f"<Contents><Key>{number:07}</Key><LastModified>2026-12-01T13:00:00.000Z</LastModified>"
            f"<Size>{number}</Size></Contents>"
            for number in range(start, end)
        )
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>"
        last = "<IsTruncated>false</IsTruncated>"
        return _xml(f"<ListBucketResult>{entries}{more if end < self.keys else last}</ListBucketResult>")


def _xml(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/xml")


def _refusal(status: int, code: str) -> web.Response:
    return _xml(f"<Error><Code>{code}</Code></Error>", status)


@asynccontextmanager
async def running(store: Polite) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", store.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def store() -> Polite:
    return Polite()


@pytest.fixture
async def place(store: Polite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Place]:
    forget_keys(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with running(store) as url:
        place = await S3Opener({"polite": Endpoint("polite", url)}).open(BUCKET, NOBODY)
        place.store.answers_head = True
        yield place
        await place.close()


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


async def test_a_large_folder_may_be_left_early(place: S3Place, store: Polite) -> None:
    store.keys, store.asked = 100_000, Counter()
    async with aclosing(place.list(BUCKET)) as pages:
        assert len(await anext(pages)) == PAGE_KEYS
    await asyncio.sleep(0)
    assert store.asked["LIST"] == 1
