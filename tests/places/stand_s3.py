"""A store that speaks S3, really: OpenStack Swift, looked at through requests of the stand's own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from tests.places.stand import Stand
from tests.servers.keys import set_keys
from tests.servers.proxy import Proxy
from tui.model.error import PlaceUnavailable
from tui.model.location import S3, Location
from tui.places.s3.endpoints import Endpoint, Sizes
from tui.places.s3.ledger import MemoryLedger
from tui.places.s3.opening import S3Opener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.servers.swift import Swift
    from tui.places.base import Place

PART_BYTES = 96 << 10
SIZES = Sizes(single_bytes=2 * PART_BYTES, part_bytes=PART_BYTES, page_keys=100)

_BUCKET = "contract"
_SLOW = "hundreds of files take so real a store too long: test_s3_place has smaller pages"
_numbers = itertools.count(1)

_PLAINLY: dict[str, Any] = {
    "s3": {"addressing_style": "path"},
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
"""How to speak to a store as the library comes."""


class S3Stand(Stand):
    """A folder of a bucket; each place has a way to the server of its own, which can be cut."""

    kept_bytes = PART_BYTES
    excused: ClassVar[Mapping[str, str]] = {
        "test_many_entries_come_in_pages_each_once": _SLOW,
        "test_a_listing_may_be_left_early": _SLOW,
        "test_names_that_are_no_text_travel_unchanged": "S3 takes names in UTF-8 only",
    }

    def __init__(self, server: Swift, client: Any) -> None:
        self._server, self._client = server, client
        self._ledger = MemoryLedger()
        self._proxies: dict[Place, Proxy] = {}
        self.folder = Location(f"/{_BUCKET}/{next(_numbers)}", S3, "swift")
        self._prefix = self.folder.path.removeprefix(f"/{_BUCKET}/") + "/"

    async def open(self) -> Place:
        proxy = Proxy(int(self._server.url.rpartition(":")[2]))
        await proxy.start()
        endpoint = Endpoint("swift", f"http://127.0.0.1:{proxy.port}", self._server.region)
        place = await S3Opener(lambda: {"swift": endpoint}, self._ledger, SIZES).open(self.folder, NOBODY)
        self._proxies[place] = proxy
        return place

    async def lose(self, place: Place) -> None:
        await self._proxies[place].stop()
        with contextlib.suppress(PlaceUnavailable):  # nothing is to be seen of it before it is asked
            await place.stat(self.folder)

    async def close(self) -> None:
        for proxy in self._proxies.values():
            await proxy.stop()

    async def names(self, name: str = "") -> set[str]:
        prefix = self._prefix + (f"{name}/" if name else "")
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET, Prefix=prefix)
        keys = await asyncio.to_thread(
            lambda: [it["Key"] for page in pages for it in page.get("Contents", ())]
        )
        return {key[len(prefix) :].partition("/")[0] for key in keys} - {""}

    async def read(self, name: str) -> bytes:
        def body() -> bytes:
            with self._client.get_object(Bucket=_BUCKET, Key=self._prefix + name)["Body"] as stream:
                return bytes(stream.read())

        return await asyncio.to_thread(body)

    async def write(self, name: str, data: bytes) -> None:
        await asyncio.to_thread(self._client.put_object, Bucket=_BUCKET, Key=self._prefix + name, Body=data)

    async def make(self) -> None:
        try:
            await self.write("", b"")
        except self._client.exceptions.NoSuchBucket:
            await asyncio.to_thread(self._client.create_bucket, Bucket=_BUCKET)
            await self.write("", b"")


class Nobody:
    """Whom nothing is asked (`tui.places.base.Asker`)."""

    async def ask(self, ask: object) -> Any:
        raise AssertionError(f"S3 asks nothing: {ask}")


NOBODY = Nobody()


@functools.cache
def _onlooker(url: str, region: str, access_key: str, secret_key: str) -> Any:
    """A client that belongs to no event loop, so one for all tests: to make one takes longer than most of them."""
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.session import Session  # type: ignore[import-untyped]

    return Session().create_client(
        "s3",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(**_PLAINLY),
    )


@contextlib.asynccontextmanager
async def client_of(server: Swift) -> AsyncIterator[Any]:
    """A client of the library as it comes, to look at a store behind a place's back."""
    from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
    from aiobotocore.session import AioSession  # type: ignore[import-untyped]

    from tui.places.s3.session import models

    session = AioSession()
    session.register_component("data_loader", models())
    async with session.create_client(
        "s3", region_name=server.region, endpoint_url=server.url, config=AioConfig(**_PLAINLY)
    ) as client:
        yield client


@contextlib.asynccontextmanager
async def _s3(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    pytest.importorskip("aiobotocore", reason="S3 needs the extra: pip install 'ferry-tui[s3]'")
    server: Swift = request.getfixturevalue("swift")
    set_keys(request.getfixturevalue("monkeypatch"), server)
    stand = S3Stand(server, _onlooker(server.url, server.region, server.access_key, server.secret_key))
    await stand.make()
    try:
        yield stand
    finally:
        await stand.close()


STANDS = {"s3": _s3}
