"""Looking at single things, and whether a name is free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.model.error import (
    AlreadyExists,
    IsAFolder,
    NotAFolder,
    NotFound,
    PermissionDenied,
    PlaceError,
    Unsupported,
)
from tui.places.s3.entries import entry_of_head, folder_entry
from tui.places.s3.errors import code_of
from tui.places.s3.spots import Spot

if TYPE_CHECKING:
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.s3.store import Store


async def look(store: Store, location: Location, spot: Spot, doing: str) -> Entry:
    """Return what a name stands for: of a file and a folder of the same name, the file."""
    if not spot.bucket:
        return folder_entry("")
    if not spot.key:
        try:
            await _first_key(store, location, spot.bucket, "", doing)
        except Unsupported as error:  # the name is none for a bucket
            raise not_found(doing, location) from error
        return folder_entry(location.name)
    head = await head_of(store, location, spot, doing)
    if head is not None:
        return entry_of_head(location.name, head)
    if await is_folder(store, location, spot, doing):
        return folder_entry(location.name)
    raise not_found(doing, location)


async def head_of(store: Store, location: Location, spot: Spot, doing: str) -> dict[str, Any] | None:
    """Return what is told of a file; None where there is none. (Sizes: `size_of_head`.)"""
    try:
        if not store.answers_head:
            try:
                async with store.fetch(doing, location, Range="bytes=0-0", **spot.at) as (head, body):
                    await body.rest()  # so that the connection can be used again
                    return head
            except PlaceError as error:
                if not has_no_byte(error):
                    raise
        return await store.call("head_object", doing, location, **spot.at)
    except NotFound:
        return None


def has_no_byte(error: PlaceError) -> bool:
    """Say whether a range was refused because the file is there, and empty."""
    return code_of(error.__cause__) == "InvalidRange"


async def is_folder(store: Store, location: Location, spot: Spot, doing: str) -> bool:
    """Say whether anything lies below a key, be it only the mark of an empty folder."""
    return await _first_key(store, location, spot.bucket, spot.prefix, doing) is not None


async def refuse_folder(store: Store, location: Location, spot: Spot, doing: str, *, replace: bool) -> None:
    """Refuse to write a file where a folder is, or below a file. Who may write but not look is let write.

    Nothing is asked where the folder it goes into was just made or listed (`Store.known`).

    Raises:
        IsAFolder, AlreadyExists, NotAFolder.
    """
    if not spot.key:
        raise IsAFolder(f"cannot {doing} {location}: only folders (buckets) can be there", location=location)
    if store.known.is_no_folder(spot):
        return
    try:
        await _refuse_below_file(store, location, spot, doing)
        if not await is_folder(store, location, spot, doing):
            return
        if not replace:
            raise taken(doing, location)
        if await head_of(store, location, spot, doing) is None:
            raise IsAFolder(f"cannot {doing} {location}: it is a folder", location=location)
    except PermissionDenied:
        return


async def _refuse_below_file(store: Store, location: Location, spot: Spot, doing: str) -> None:
    """Refuse what would be out of sight: of a file and a folder of one name only the file is shown."""
    above = Spot(spot.bucket, spot.key.rpartition("/")[0])
    if not above.key or store.known.is_folder(above):
        return
    if await head_of(store, location.parent, above, doing) is not None:
        raise NotAFolder(f"cannot {doing} {location}: {location.parent} is a file", location=location)
    store.known.learn(above)


async def refuse_file(store: Store, location: Location, spot: Spot, doing: str) -> None:
    """Refuse to replace a file. It is asked for itself, as listings may lag behind (Swift).

    Raises:
        AlreadyExists.
    """
    if await head_of(store, location, spot, doing) is not None:
        raise taken(doing, location)


def not_found(doing: str, location: Location) -> NotFound:
    return NotFound(f"cannot {doing} {location}: no such file or folder", location=location)


def taken(doing: str, location: Location) -> AlreadyExists:
    return AlreadyExists(
        f"cannot {doing} {location}: something of that name is already there", location=location
    )


async def _first_key(store: Store, location: Location, bucket: str, prefix: str, doing: str) -> str | None:
    """Return the first key that begins so."""
    page = await store.keys(doing, location, Bucket=bucket, Prefix=prefix, MaxKeys=1)
    found = page.get("Contents", ())
    return str(found[0]["Key"]) if found else None
