"""A store that speaks S3 as a place: buckets are its top folders, what keys have in common up to a slash the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.model.error import (
    AlreadyExists,
    IsAFolder,
    NotAFolder,
    NotEmpty,
    NotFound,
    NotHeld,
    PlaceError,
    Unsupported,
)
from tui.model.location import Location
from tui.places.base import Capabilities
from tui.places.s3 import listing, stretches, uploads
from tui.places.s3.budget import Budget
from tui.places.s3.copying import Copy, set_time
from tui.places.s3.endpoints import DEFAULT_REGION, Sizes
from tui.places.s3.looking import head_of, is_folder, look, not_found, taken
from tui.places.s3.reading import S3Reader, open_reader, read_whole
from tui.places.s3.spots import Spot, spot_of
from tui.places.s3.uploading import S3Writer, write_whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.model.entry import Entry, Space
    from tui.model.upload import Unfinished
    from tui.places.base import Attributes, Identity
    from tui.places.s3.ledger import Ledger
    from tui.places.s3.store import Store

CAPABILITIES = Capabilities(
    sets_times=True,
    time_step_ns=1,
    lists_times=False,
    folders=False,
    resumes=True,
    copies=True,
    uploads=True,
    pipeline=32,
    ahead_bytes=stretches.MOST_BYTES,  # so two answers are on their way at any time, and no more memory is held
)

MOST_AT_ONCE_BYTES = 2 << 20
"""Read or written in one call."""


class S3Place:
    """Implements `tui.places.base.Place`. An empty folder is an object whose key ends in a slash."""

    def __init__(
        self, store: Store, ledger: Ledger, budget: Budget | None = None, sizes: Sizes | None = None
    ) -> None:
        self.store = store
        self._ledger, self._budget, self._sizes = ledger, budget or Budget(), sizes or Sizes()
        self.capabilities = replace(CAPABILITIES, part_bytes=min(MOST_AT_ONCE_BYTES, self._sizes.part_bytes))

    @property
    def alive(self) -> bool:
        return self.store.alive

    async def resolve(self, location: Location) -> Location:
        return location

    def list(self, folder: Location) -> AsyncIterator[Sequence[Entry]]:
        if folder.is_root:
            return listing.buckets(self.store, folder)
        return listing.entries(self.store, folder, self._sizes.page_keys)

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        return await look(self.store, location, spot_of(location, "look at"), "look at")

    async def get(
        self, location: Location, most_bytes: int, seen: Entry | None = None
    ) -> tuple[Entry, bytes]:
        return await read_whole(self.store, location, spot_of(location, "read"), most_bytes)

    async def put(
        self, location: Location, data: bytes, attributes: Attributes, tag: str, *, replace: bool, flush: bool
    ) -> None:
        spot = spot_of(location, "write")
        await write_whole(self.store, location, spot, data, attributes, replace=replace)

    async def open_reader(self, location: Location) -> S3Reader:
        return await open_reader(self.store, location, spot_of(location, "read"))

    async def open_writer(self, location: Location, identity: Identity) -> S3Writer:
        spot = spot_of(location, "write")
        if not spot.key:
            raise IsAFolder(f"cannot write {location}: only folders can be there", location=location)
        writer = S3Writer(self.store, self._budget, self._ledger, self._sizes, location, spot, identity)
        await writer.find_earlier()
        return writer

    async def copy(
        self, source: Location, target: Location, attributes: Attributes, tag: str, *, replace: bool
    ) -> None:
        copy = Copy(self.store, source, spot_of(source, "copy"), target, spot_of(target, "copy to"))
        await copy.make(self._ledger, self._sizes, attributes.mtime_ns, tag, replace=replace)

    async def make_folder(self, location: Location, mode: int | None = None) -> None:
        """Create a bucket, or the mark of an empty folder: others come about with what is put into them."""
        doing = "create the folder"
        spot, above = spot_of(location, doing), spot_of(location.parent, doing)
        if not spot.key:
            await self._make_bucket(location, spot)
            return
        if above.key and await head_of(self.store, location.parent, above, doing) is not None:
            raise NotAFolder(f"cannot {doing} {location}: {location.parent} is a file", location=location)
        if await head_of(self.store, location, spot, doing) or await is_folder(
            self.store, location, spot, doing
        ):
            raise taken(doing, location)
        known = self.store.known.learn(spot)
        await uploads.mark(self.store, location, spot, doing)
        known.complete = True
        self.store.known.made(Spot(spot.bucket, spot.prefix))

    async def _make_bucket(self, location: Location, spot: Spot) -> None:
        doing = "create the folder"
        if not spot.bucket:
            raise taken(doing, location)
        try:
            await look(self.store, location, spot, doing)
        except NotFound:
            region = self.store.region
            where = {} if region == DEFAULT_REGION else {"LocationConstraint": region}
            request: dict[str, Any] = {"CreateBucketConfiguration": where} if where else {}
            await self.store.call("create_bucket", doing, location, Bucket=spot.bucket, **request)
        else:
            raise AlreadyExists(f"cannot {doing} {location}: the bucket is already there", location=location)

    async def make_symlink(
        self, location: Location, points_to: str, tag: str, *, replace: bool, mtime_ns: int | None = None
    ) -> bool:
        raise NotHeld(f"cannot create the link {location}: S3 knows no links", location=location)

    async def remove_file(self, location: Location) -> None:
        spot = spot_of(location, "remove")
        if not spot.key or await head_of(self.store, location, spot, "remove") is None:
            if not spot.key or await is_folder(self.store, location, spot, "remove"):
                raise IsAFolder(f"cannot remove {location}: it is a folder", location=location)
            raise not_found("remove", location)
        await self.store.call("delete_object", "remove", location, **spot.at)

    async def remove_folder(self, location: Location) -> None:
        """Remove an empty bucket, or the mark of an empty folder. One without it went with the last that was in it."""
        spot = spot_of(location, "remove")
        if not spot.key:
            await self._remove_bucket(location, spot)
            return
        request: dict[str, Any] = {"Bucket": spot.bucket, "Prefix": spot.prefix, "MaxKeys": 2}
        page = await self.store.keys("remove", location, **request)
        keys = [(it["Key"], it["Size"]) for it in page.get("Contents", ())]
        if not keys:
            if await head_of(self.store, location, spot, "remove") is not None:
                raise NotAFolder(f"cannot remove {location}: it is no folder", location=location)
            raise not_found("remove", location)
        if keys != [(spot.prefix, 0)]:  # a mark that holds something is somebody's data
            raise NotEmpty(f"cannot remove {location}: the folder is not empty", location=location)
        await self.store.call("delete_object", "remove", location, **spot.marker)
        self.store.known.forget(spot)

    async def _remove_bucket(self, location: Location, spot: Spot) -> None:
        if not spot.bucket:
            raise Unsupported(f"cannot remove {location}: it is the store itself", location=location)
        await self.store.call("delete_bucket", "remove", location, Bucket=spot.bucket)

    async def rename(self, location: Location, new: Location, *, replace: bool = False) -> None:
        raise Unsupported(f"cannot rename {location}: S3 can only copy", location=location)

    async def set_attributes(self, location: Location, attributes: Attributes) -> None:
        """Set the time of a file. Folders have none, and nothing has a mode: both are passed over."""
        spot = spot_of(location, "change the time of")
        if attributes.mtime_ns is None:
            return
        try:
            if not spot.key:
                raise not_found("change the time of", location)
            await set_time(self.store, location, spot, attributes.mtime_ns)
        except NotFound:
            await look(self.store, location, spot, "change the time of")

    async def space(self, folder: Location) -> Space:
        raise Unsupported(f"cannot measure the room of {folder}: S3 does not tell it", location=folder)

    async def abandon(self, folder: Location, tag: str) -> int:
        """Give up the uploads of a job for names directly in a folder. One the store did not let go stays known."""
        gone = 0
        for url, upload_id in await self._ledger.kept(tag):
            location = Location.from_url(url)
            if location.parent != folder:
                continue
            if await uploads.give_up(self.store, location, spot_of(location, "remove"), upload_id):
                await self._ledger.forget(url, upload_id)
                gone += 1
        return gone

    async def flush(self, folder: Location) -> None:
        pass  # what a store has confirmed is on its disks

    async def close(self) -> None:
        await self.store.close()

    async def unfinished(self, older_than_s: float) -> Sequence[Unfinished]:
        """Return the uploads that were begun so long ago and have neither been completed nor given up, in all buckets.

        0 stands for all. Buckets that may not be looked into are passed over.
        """
        root = self.store.endpoint.root
        found: list[Unfinished] = []
        async for page in listing.buckets(self.store, root):
            for bucket in page:
                try:
                    found += [
                        it async for it in uploads.unfinished_in(self.store, root, bucket.name, older_than_s)
                    ]
                except PlaceError:
                    if not self.alive:
                        raise
        return found

    async def give_up(self, upload: Unfinished) -> None:
        """Remove what there is of an unfinished upload. Raises PlaceError."""
        await uploads.give_up_unfinished(self.store, upload)
