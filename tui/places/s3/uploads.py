"""Uploads in parts, as a store keeps them: begun, looked up again, completed or given up."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import time
from base64 import b64encode
from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING, Any

from tui.model.error import (
    AlreadyExists,
    NotFound,
    PermissionDenied,
    PlaceError,
    PlaceUnavailable,
    Unsupported,
)
from tui.model.upload import Unfinished
from tui.places.s3.entries import size_of_head
from tui.places.s3.errors import code_of
from tui.places.s3.looking import head_of, refuse_file, refuse_folder
from tui.places.s3.spots import spot_of
from tui.places.s3.times import MTIME, mtime_of_text, mtime_text, stored_ns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from tui.model.location import Location
    from tui.places.base import Identity
    from tui.places.s3.spots import Spot
    from tui.places.s3.store import Store

_HASH_AT_ONCE_BYTES = 256 << 10
_GIVE_UP_S = 10.0

COMPLETE_S = 600.0
"""Putting ten thousand parts together is real work for some stores."""


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    size_bytes: int
    etag: str

    @property
    def md5(self) -> str:
        """The hash of what is in it, with stores that do not encrypt by keys of their own."""
        return self.etag.strip('"')


async def digest_of(data: bytes | bytearray) -> bytes:
    """Return the MD5 of some bytes; of many in a thread. (It guards against faults on the way, not against people.)"""
    if len(data) <= _HASH_AT_ONCE_BYTES:
        return md5(data, usedforsecurity=False).digest()
    return await asyncio.to_thread(lambda: md5(data, usedforsecurity=False).digest())


async def guarded(store: Store, data: bytes | bytearray, digest: bytes | None = None) -> dict[str, str]:
    """Return what goes with some bytes so that the store notices damage on the way.

    One sum is enough: where the signature covers the bytes (`Store.signs_bodies`), there is one already.

    Args:
        digest: Their MD5, where it is known.
    """
    if store.signs_bodies:
        return {}
    return {"ContentMD5": b64encode(digest or await digest_of(data)).decode()}


def described(name: str, mtime_ns: int | None) -> dict[str, Any]:
    """Return what goes with a new file: the time it is given, and what its name tells of its content."""
    kind, packed = mimetypes.guess_type(name)
    told: dict[str, Any] = {} if kind is None or packed else {"ContentType": kind}
    if mtime_ns is not None:
        told["Metadata"] = {MTIME: mtime_text(mtime_ns)}
    return told


async def begin(store: Store, location: Location, spot: Spot, described_as: Mapping[str, Any]) -> str:
    """Begin an upload and return its id."""
    answer = await store.call("create_multipart_upload", "write", location, **spot.at, **described_as)
    return str(answer["UploadId"])


async def parts_of(store: Store, location: Location, spot: Spot, upload_id: str) -> dict[int, Part] | None:
    """Return the parts that have arrived, by number; None where the store knows of no such upload."""
    request: dict[str, Any] = {**spot.at, "UploadId": upload_id}
    found: dict[int, Part] = {}
    while True:
        try:
            page = await store.call("list_parts", "write", location, **request)
        except NotFound:
            return None
        for it in page.get("Parts", ()):
            found[it["PartNumber"]] = Part(it["PartNumber"], it["Size"], it["ETag"])
        if not page.get("IsTruncated"):
            return found
        request["PartNumberMarker"] = page["NextPartNumberMarker"]


async def complete(
    store: Store,
    location: Location,
    spot: Spot,
    upload_id: str,
    etags: Mapping[int, str],
    identity: Identity,
    *,
    replace: bool,
) -> None:
    """Put the parts together: the file is there, whole, when this returns."""
    parts = [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]
    request: dict[str, Any] = {"UploadId": upload_id, "MultipartUpload": {"Parts": parts}}

    async def ask(**more: Any) -> None:
        await store.call(
            "complete_multipart_upload",
            "write",
            location,
            longer_s=COMPLETE_S,
            **spot.at,
            **request,
            **more,
        )

    try:
        await make(store, location, spot, ask, replace=replace, heeded=store.heeds_in_parts)
    except NotFound as error:
        # The answer to a first try may have been lost: then there is no upload any more, but the file.
        if code_of(error.__cause__) != "NoSuchUpload" or not await _is_there(store, location, spot, identity):
            raise


async def _is_there(store: Store, location: Location, spot: Spot, identity: Identity) -> bool:
    head = await head_of(store, location, spot, "look at")
    if head is None or size_of_head(head) != identity.size_bytes:
        return False
    return mtime_of_text(head.get("Metadata", {}).get(MTIME, "")) == identity.mtime_ns


async def make(
    store: Store,
    location: Location,
    spot: Spot,
    ask: Callable[..., Awaitable[None]],
    *,
    replace: bool,
    heeded: bool | None = None,
) -> None:
    """Have a file made by one request, which replaces nothing where that is not wished.

    A store that is not known to heed conditions is asked whether the name is free, and told the condition all the
    same: with those that heed it, nothing can come in between.

    Args:
        ask: Makes the request, with the parameters it is given besides its own.
        heeded: It is certain that the store heeds a condition of this request; None: as of any other (`Store.heeds`).
    Raises:
        IsAFolder.
        PermissionDenied: Whether there is one may not be looked at, and a condition would not be heeded.
        AlreadyExists: There is one, and `replace` is False.
    """
    async with store.turn(spot):
        await refuse_folder(store, location, spot, "write", replace=replace)
        if replace:
            await ask()
        else:
            await _make_new(store, location, spot, ask, heeded)
    store.known.made(spot)


async def _make_new(
    store: Store, location: Location, spot: Spot, ask: Callable[..., Awaitable[None]], heeded: bool | None
) -> None:
    blind: PermissionDenied | None = None
    if not (store.heeds if heeded is None else heeded):
        try:
            await refuse_file(store, location, spot, "write")
        except PermissionDenied as error:
            if heeded is False:
                raise _unseen(location) from error
            blind = error  # all rests with the condition
    if store.conditional is None:
        async with store.first:  # one finds out whether it may be told: the others need not be refused, too
            if store.conditional is None and await _on_condition(store, ask):
                return
    if store.conditional and await _on_condition(store, ask):
        return
    if blind is not None:
        raise blind
    await ask()


def _unseen(location: Location) -> PermissionDenied:
    message = (
        f"cannot write {location}: these keys may not look whether the name is free, "
        "and the store heeds no condition for what goes up in parts"
    )
    remedy = "Let the keys read, too (s3:GetObject), then retry."
    return PermissionDenied(message, remedy, location=location)


async def mark(store: Store, location: Location, spot: Spot, doing: str) -> None:
    """Make the mark of an empty folder, and see by it, once, whether the store heeds conditions.

    It is asked to make the same again if there is none: nothing is lost where it does so. Where it refuses, the files
    to come need not be looked for, one by one, before they are written.
    """

    async def ask(**more: Any) -> None:
        await store.send("put_object", doing, location, b"", **spot.marker, **more)

    await ask()
    if store.tested or store.heeds or store.conditional is False:
        return
    async with store.first:
        if not store.tested:
            store.tested = True
            with contextlib.suppress(PlaceError):  # the mark is there in any case
                await _on_condition(store, ask)


async def _on_condition(store: Store, ask: Callable[..., Awaitable[None]]) -> bool:
    """Ask for a file to be made if there is none; say False where the store does not take conditions."""
    try:
        await ask(IfNoneMatch="*")
    except AlreadyExists:
        store.conditional = store.heeds = True
        raise
    except Unsupported as error:
        if code_of(error.__cause__) != "NotImplemented":
            raise
        store.conditional = store.heeds = False
        return False
    store.conditional = True
    return True


async def give_up(store: Store, location: Location, spot: Spot, upload_id: str) -> bool:
    """Have the parts of an upload removed; return whether there is certainly nothing left of it. Never raises."""
    try:
        async with asyncio.timeout(_GIVE_UP_S):
            await store.call("abort_multipart_upload", "remove", location, **spot.at, UploadId=upload_id)
    except NotFound:
        return True
    except (PlaceError, TimeoutError):
        return False
    return True


async def unfinished_in(
    store: Store, root: Location, bucket: str, older_than_s: float
) -> AsyncIterator[Unfinished]:
    """Yield the uploads in a bucket that were begun so long ago and have not ended (0: all)."""
    before_ns = time.time_ns() - int(older_than_s * 1e9)
    folder = root.child(bucket)
    request: dict[str, Any] = {"Bucket": bucket}
    while True:
        page = await store.call("list_multipart_uploads", "read the folder", folder, **request)
        for it in page.get("Uploads", ()):
            began_ns = stored_ns(it["Initiated"])
            if not older_than_s or began_ns <= before_ns:
                yield Unfinished(folder.below(it["Key"]), it["UploadId"], began_ns)
        if not page.get("IsTruncated"):
            return
        request["KeyMarker"], request["UploadIdMarker"] = page["NextKeyMarker"], page["NextUploadIdMarker"]


async def give_up_unfinished(store: Store, upload: Unfinished) -> None:
    """Remove what there is of an unfinished upload. Raises PlaceError."""
    spot = spot_of(upload.location, "remove")
    if not await give_up(store, upload.location, spot, upload.upload_id):
        message = (
            f"cannot remove the half upload of {upload.location}: the store refused it or did not answer"
        )
        raise PlaceUnavailable(message, location=upload.location)
