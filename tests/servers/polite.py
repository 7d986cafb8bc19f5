"""A store within the test, for manners and faults that no real one at hand has."""

from __future__ import annotations

import functools
from collections import Counter, deque
from contextlib import asynccontextmanager
from hashlib import md5
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.places.stand_s3 import NOBODY
from tests.servers.keys import forget_keys
from tui.model.location import S3, Location
from tui.places.s3.endpoints import Endpoint, Sizes
from tui.places.s3.opening import S3Opener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tui.places.s3.place import S3Place

PAGE_KEYS = 1000


class Polite:
    """Answers as Amazon does, of few requests and in few words; and as worse stores do, where it is told to.

    Attributes:
        objects: What it keeps, by key.
        keys: So many more it says that there are.
        busy: So many requests it puts off.
        heeds: It does not replace what is not to be replaced; else it takes the condition and replaces all the same.
        takes: It takes conditions; else it says that it does not know them.
        unseen: What it does not tell of yet, though it is there: it came just now.
        hides: The keys it is asked with may write, and look at nothing.
        asked: Of each kind so many.
        written_with: What the last request to write came with, by name in small letters.
        ranges: What was asked for of files: (first byte, last byte), in order.
        cut_bytes: After so many bytes of a file it ends the connection.
        sends_parts: It sends the part of a file that it is asked for; else all of it.
        heeds_match: It refuses to send what is not in the state that was asked for.
        refusals: What it answers to the next requests for an object: (status, code).
        elsewhere: It sends whoever asks for an object there, by a redirection.
        expired: It says of all keys that they have expired.
        uploads: The parts of uploads that have begun and not ended, by id and number.
        told: What it tells of an object besides what is in it: headers, by key.
        tags: The tags of all objects there are: it tells them to who asks, and gives them to no copy in parts.
        knows_tags: It knows what tags are.
        loses_answers: It puts an upload together, and ends the connection without saying so.
        belated: What goes wrong, by code, while it copies or puts an upload together: it has said 200 by then.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.keys = self.busy = 0
        self.heeds = self.takes = True
        self.hides = False
        self.unseen: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.written_with: dict[str, str] = {}
        self.ranges: list[tuple[int, int]] = []
        self.cut_bytes: int | None = None
        self.sends_parts = self.heeds_match = True
        self.refusals: deque[tuple[int, str]] = deque()
        self.expired = self.loses_answers = False
        self.elsewhere = ""
        self.belated: deque[str] = deque()
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.told: dict[str, dict[str, str]] = {}
        self.tags: dict[str, str] = {}
        self.knows_tags = True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["path"].partition("/")[2]
        kind = request.method if key else "LIST"
        self.asked[kind] += 1
        if self.expired:
            return _refusal(400, "ExpiredToken")
        if key and self.elsewhere:
            answer = _refusal(307, "TemporaryRedirect")
            answer.headers["Location"] = self.elsewhere
            return answer
        if key and self.refusals:
            return _refusal(*self.refusals.popleft())
        if self.busy and kind == "PUT":
            self.busy -= 1
            return _refusal(503, "SlowDown")
        if self.hides and request.method in ("GET", "HEAD"):
            return _refusal(403, "AccessDenied")
        if kind == "LIST":
            return self._listing(request.query)
        if kind == "POST" or "uploadId" in request.query:
            return await self._upload(request, key)
        if "tagging" in request.query and not self.knows_tags:
            return _refusal(501, "NotImplemented")
        if "tagging" in request.query:
            tags = "".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in self.tags.items())
            return _xml(f"<Tagging><TagSet>{tags}</TagSet></Tagging>")
        if kind == "PUT" and _COPIED in request.headers:
            if self.belated:
                return _refusal(200, self.belated.popleft())
            self.objects[key], self.told[key] = self._source_of(request), _kept(request)
            return _xml("<CopyObjectResult><ETag>0</ETag></CopyObjectResult>")
        if kind == "PUT":
            self.written_with = {name.lower(): value for name, value in request.headers.items()}
            if "If-None-Match" in request.headers and not self.takes:
                return _refusal(501, "NotImplemented")
            if self.heeds and request.headers.get("If-None-Match") == "*" and key in self.objects:
                return _refusal(412, "PreconditionFailed")
            self.objects[key] = await request.read()
            return web.Response(headers={"ETag": '"0"'})
        if key not in self.objects.keys() - self.unseen:
            return _refusal(404, "NoSuchKey")
        if kind == "GET":
            return await self._object(request, self.objects[key])
        headers = {**_described(self.objects[key]), **self.told.get(key, {})}
        headers["Content-Length"] = str(len(self.objects[key]))
        return web.Response(body=self.objects[key], headers=headers)

    async def _object(self, request: web.Request, data: bytes) -> web.StreamResponse:
        headers, status = _described(data), 200
        if self.heeds_match and request.headers.get("If-Match", headers["ETag"]) != headers["ETag"]:
            return _refusal(412, "PreconditionFailed")
        if "Range" in request.headers and self.sends_parts:
            first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
            if first >= len(data):
                return _refusal(416, "InvalidRange")
            self.ranges.append((first, min(last, len(data) - 1)))
            headers["Content-Range"], status = f"bytes {first}-{last}/{len(data)}", 206
            data = data[first : last + 1]
        answer = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(data))})
        await answer.prepare(request)
        await answer.write(data[: self.cut_bytes])
        if self.cut_bytes is not None and self.cut_bytes < len(data):
            assert request.transport is not None
            request.transport.close()
        return answer

    async def _upload(self, request: web.Request, key: str) -> web.StreamResponse:
        id = request.query.get("uploadId", "")
        if not id:
            id = str(len(self.uploads) + 1)
            self.uploads[id] = {}
            self.told[key] = _kept(request)
            return _xml(
                f"<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            )
        if id not in self.uploads:
            return _refusal(404, "NoSuchUpload")
        if request.method == "PUT":
            number = int(request.query["partNumber"])
            if _COPIED in request.headers:
                if self.belated:
                    return _refusal(200, self.belated.popleft())
                first, last = map(int, request.headers[f"{_COPIED}-range"].removeprefix("bytes=").split("-"))
                self.uploads[id][number] = self._source_of(request)[first : last + 1]
                return _xml("<CopyPartResult><ETag>0</ETag></CopyPartResult>")
            self.uploads[id][number] = await request.read()
            return web.Response(headers={"ETag": '"0"'})
        if request.method == "POST" and self.belated:
            return _refusal(200, self.belated.popleft())
        parts = self.uploads.pop(id)
        if request.method == "DELETE":
            return web.Response(status=204)
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        if self.loses_answers:
            assert request.transport is not None
            request.transport.close()
        return _xml("<CompleteMultipartUploadResult><ETag>0</ETag></CompleteMultipartUploadResult>")

    def _source_of(self, request: web.Request) -> bytes:
        return self.objects[request.headers[_COPIED].partition("/")[2]]

    def _listing(self, query: Any) -> web.Response:
        if any(char < " " for char in query.get("prefix", "")):  # as Ceph does
            return _refusal(500, "InternalError")
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


_COPIED = "x-amz-copy-source"


def _kept(request: web.Request) -> dict[str, str]:
    """Return what an object is to be told with, as whoever makes it says."""
    also = {"content-type", "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-tagging"}
    lower = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in lower.items() if name.startswith("x-amz-meta-") or name in also}


def _described(data: bytes) -> dict[str, str]:
    return {"ETag": f'"{_digest(data)}"', "Last-Modified": "Tue, 01 Dec 2026 13:00:00 GMT"}


@functools.lru_cache(maxsize=4)  # a large object is asked for a hundred times in turn
def _digest(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()


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


@asynccontextmanager
async def polite_place(
    store: Polite, patch: pytest.MonkeyPatch, sizes: Sizes | None = None
) -> AsyncIterator[S3Place]:
    """A place at a store that runs for as long as the block lasts."""
    forget_keys(patch)
    patch.setenv("AWS_ACCESS_KEY_ID", "key")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with running(store) as url:
        opener = S3Opener(lambda: {"polite": Endpoint("polite", url)}, sizes=sizes)
        place = await opener.open(Location("/", S3, "polite"), NOBODY)
        place.store.answers_head = True
        try:
            yield place
        finally:
            await place.close()
