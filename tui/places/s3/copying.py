"""Copies within a store: nothing passes through here. Times are changed the same way, by a copy onto itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tui.model.error import AlreadyExists, NotHeld, PlaceError, PlaceUnavailable, SourceChanged
from tui.places.base import Identity
from tui.places.s3 import uploads
from tui.places.s3.endpoints import Sizes
from tui.places.s3.entries import DESCRIBING, entry_of_head, size_of_head
from tui.places.s3.looking import head_of, not_found, refuse_file, refuse_folder
from tui.places.s3.times import MTIME, mtime_text

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.s3.ledger import Ledger
    from tui.places.s3.spots import Spot
    from tui.places.s3.store import Store

_STORE_BYTES_S = 8 << 20
"""A store copies at least so fast. (Most do not copy at all, but write down that two names mean the same bytes.)"""

_AT_ONCE = 4

_KEPT = ("ContentType", *DESCRIBING)
"""Of these the class has a price: what is not told becomes STANDARD."""
_KEPT_IN_BUCKET = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
"""Another bucket has a way of its own to encrypt, which may be all that is allowed there."""


class Copy:
    """One copy, from one key to another of the same store."""

    def __init__(
        self, store: Store, source: Location, source_spot: Spot, target: Location, target_spot: Spot
    ) -> None:
        self._store = store
        self._source, self._source_spot = source, source_spot
        self._target, self._target_spot = target, target_spot

    async def make(
        self, ledger: Ledger, sizes: Sizes, mtime_ns: int | None, tag: str, *, replace: bool
    ) -> None:
        """Make it.

        Args:
            mtime_ns: The time it gets; None: that of the source.
        """
        head = await head_of(self._store, self._source, self._source_spot, "copy")
        if head is None:
            raise not_found("copy", self._source)
        if mtime_ns is None:
            mtime_ns = entry_of_head("", head).mtime_ns
        if size_of_head(head) > sizes.copy_bytes:
            # Before gigabytes go; and once more when they are there.
            await self._refuse_what_stands(replace=replace)
            identity = Identity(tag, size_of_head(head), mtime_ns)
            await self._in_parts(head, identity, ledger, sizes, replace=replace)
            return
        async with self._store.turn(self._target_spot):
            await self._refuse_what_stands(replace=replace)
            await self.in_one(head, mtime_ns)
        self._store.known.made(self._target_spot)

    async def _refuse_what_stands(self, *, replace: bool) -> None:
        where = self._target, self._target_spot, "copy to"
        await refuse_folder(self._store, *where, replace=replace)
        if not replace:
            await refuse_file(self._store, *where)

    async def in_one(self, head: dict[str, Any], mtime_ns: int) -> None:
        """Copy in one request."""
        request = {**self._target_spot.at, "MetadataDirective": "REPLACE", **self._described(head, mtime_ns)}
        await self._of_this_state("copy_object", head, size_of_head(head), **request)

    async def _in_parts(
        self, head: dict[str, Any], identity: Identity, ledger: Ledger, sizes: Sizes, *, replace: bool
    ) -> None:
        described = self._described(head, identity.mtime_ns) | await self._tags()
        upload_id = await uploads.begin(self._store, self._target, self._target_spot, described)
        await ledger.keep(self._target.url, identity, upload_id)
        turns = asyncio.Semaphore(_AT_ONCE)

        async def copy_part(number: int, start: int, end: int) -> str:
            async with turns:
                answer = await self._of_this_state(
                    "upload_part_copy",
                    head,
                    end - start,
                    **self._target_spot.at,
                    UploadId=upload_id,
                    PartNumber=number,
                    CopySourceRange=f"bytes={start}-{end - 1}",
                )
                return str(answer["CopyPartResult"]["ETag"])

        size, step = identity.size_bytes, max(sizes.copy_part_bytes, sizes.part_bytes_of(identity.size_bytes))
        try:
            tasks: list[asyncio.Task[str]] = []
            try:
                async with asyncio.TaskGroup() as group:
                    for number, start in enumerate(range(0, size, step), 1):
                        tasks.append(group.create_task(copy_part(number, start, min(start + step, size))))
            except BaseExceptionGroup as several:
                raise several.exceptions[0] from several
            etags = {number: task.result() for number, task in enumerate(tasks, 1)}
            await uploads.complete(
                self._store, self._target, self._target_spot, upload_id, etags, identity, replace=replace
            )
        except BaseException:
            if await uploads.give_up(self._store, self._target, self._target_spot, upload_id):
                await ledger.forget(self._target.url, upload_id)
            raise
        await ledger.forget(self._target.url, upload_id)

    def _described(self, head: dict[str, Any], mtime_ns: int) -> dict[str, Any]:
        """Return what a file had that was looked at, but for its time."""
        within = self._source_spot.bucket == self._target_spot.bucket
        told = {key: head[key] for key in (*_KEPT, *(_KEPT_IN_BUCKET if within else ())) if head.get(key)}
        return {**told, "Metadata": {**head.get("Metadata", {}), MTIME: mtime_text(mtime_ns)}}

    async def _tags(self) -> dict[str, str]:
        """Return the tags of the source as a request tells them: a copy in parts does not get them by itself."""
        try:
            answer = await self._store.call(
                "get_object_tagging", "copy", self._source, **self._source_spot.at
            )
        except PlaceUnavailable:
            raise
        except PlaceError:  # it has no tags to tell: many stores know none, and not everyone may read them
            return {}
        tags = [(it["Key"], it["Value"]) for it in answer.get("TagSet", ())]
        return {"Tagging": urlencode(tags)} if tags else {}

    async def _of_this_state(
        self, operation: str, head: dict[str, Any], size_bytes: int, **request: Any
    ) -> dict[str, Any]:
        """Copy from the source as it was when it was looked at."""

        async def ask(**more: str) -> dict[str, Any]:
            longer_s = size_bytes / _STORE_BYTES_S
            return await self._store.call(
                operation, "copy", self._source, longer_s=longer_s, **request, **more
            )

        request["CopySource"] = self._source_spot.at
        try:
            return await ask(CopySourceIfMatch=head["ETag"])
        except AlreadyExists as error:  # the condition does not hold
            now = await head_of(self._store, self._source, self._source_spot, "copy")
            if now is None or now["ETag"] != head["ETag"]:
                message = f"cannot copy {self._source}: it was replaced meanwhile"
                raise SourceChanged(message, location=self._source) from error
        return await ask()  # Swift compares with another ETag where a file was uploaded in parts


async def set_time(store: Store, location: Location, spot: Spot, mtime_ns: int | None) -> None:
    """Give a file another time, if it is not too large to be copied onto itself for that."""
    head = await head_of(store, location, spot, "change the time of")
    if head is None:
        raise not_found("change the time of", location)
    if mtime_ns is None or head.get("Metadata", {}).get(MTIME) == mtime_text(mtime_ns):
        return
    if size_of_head(head) > Sizes().copy_bytes:
        message = f"cannot change the time of {location}: S3 keeps that of so large a file as it was uploaded"
        raise NotHeld(message, "Upload it again to have it changed.", location=location)
    await Copy(store, location, spot, location, spot).in_one(head, mtime_ns)
