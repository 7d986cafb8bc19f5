"""Reading folders, a page of the store's at a time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tui.model.error import NotAFolder, NotListed
from tui.places.s3.entries import file_entry, folder_entry
from tui.places.s3.looking import head_of, not_found
from tui.places.s3.spots import spot_of
from tui.places.s3.times import stored_ns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.s3.store import Store

logger = logging.getLogger(__name__)

_DOING = "read the folder"


async def buckets(store: Store, root: Location) -> AsyncIterator[Sequence[Entry]]:
    """Yield the buckets there are as folders, in pages."""
    request: dict[str, Any] = {}
    while True:
        page = await store.call("list_buckets", _DOING, root, **request)
        if found := page.get("Buckets"):
            yield [folder_entry(it["Name"], stored_ns(it["CreationDate"])) for it in found]
        if not (token := page.get("ContinuationToken")):
            return
        request["ContinuationToken"] = token


async def entries(store: Store, folder: Location, page_keys: int) -> AsyncIterator[Sequence[Entry]]:
    """Yield what is directly in a bucket or below a prefix, in pages.

    Keys that cannot be told by a path (an empty name, dots, a slash at the end of what holds data) are left out. Of a
    file and a folder of the same name only the file is shown.

    Raises:
        NotListed: Something was left out, or is not shown. All else was yielded.
    """
    spot = spot_of(folder, _DOING)
    request: dict[str, Any] = {"Bucket": spot.bucket, "Prefix": spot.prefix, "Delimiter": "/"}
    request["MaxKeys"] = page_keys
    files: set[str] = set()
    known = store.known.learn(spot)
    is_there, not_told, one_of_them = not spot.key, 0, ""
    while True:
        page = await store.keys(_DOING, folder, **request)
        found, left_out = _entries_of(page, len(spot.prefix), files)
        known.add(it["Prefix"][len(spot.prefix) : -1] for it in page.get("CommonPrefixes", ()))
        if left_out:
            logger.info("%s: %d keys there are no file names: left out", folder, len(left_out))
            one_of_them = one_of_them or left_out[0]
        not_told += len(left_out)
        is_there = is_there or bool(page.get("Contents") or page.get("CommonPrefixes"))
        if found:
            yield found
        if not page.get("IsTruncated"):
            break
        request["ContinuationToken"] = page["NextContinuationToken"]
    known.complete = True
    if not is_there:
        store.known.forget(spot)
        if await head_of(store, folder, spot, _DOING) is not None:
            raise NotAFolder(f"cannot {_DOING} {folder}: not a folder", location=folder)
        raise not_found(_DOING, folder)
    if not_told:
        some = f"the key {one_of_them!a}" if not_told == 1 else f"{not_told} keys (such as {one_of_them!a})"
        message = f"cannot read all of {folder}: {some} cannot be told by names"
        raise NotListed(message, location=folder, keys=not_told, example=one_of_them)


def _entries_of(page: dict[str, Any], start: int, files: set[str]) -> tuple[list[Entry], list[str]]:
    """Return the entries of a page, and the keys that had to be left out.

    Args:
        start: Where names begin in keys.
        files: Names of files on earlier pages that the folder of the same name may still follow; changed in place.
    """
    found: list[Entry] = []
    left_out: list[str] = []
    for it in page.get("Contents", ()):
        name = it["Key"][start:]
        if _is_name(name):
            found.append(file_entry(name, it["Size"], stored_ns(it["LastModified"])))
        elif name or it["Size"]:  # else the mark of this folder itself: that holds nothing
            left_out.append(it["Key"])
    files.update([entry.name for entry in found])
    last = found[-1].name if found else ""
    for it in page.get("CommonPrefixes", ()):
        name = it["Prefix"][start:-1]
        last = max(last, name)
        if not _is_name(name) or name in files:
            left_out.append(it["Prefix"])
        else:
            found.append(folder_entry(name))
    # Keys come in order: all that lie between "a" and "a/" begin with "a".
    files.intersection_update([name for name in files if last.startswith(name)])
    return found, left_out


def _is_name(name: str) -> bool:
    return bool(name) and name not in (".", "..") and "\0" not in name and "/" not in name
