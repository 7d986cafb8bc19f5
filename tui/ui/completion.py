"""Completing a path while it is typed: the folders that go on from what is there."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from tui.model.entry import EntryKind
from tui.model.error import FerryError, UsageError
from tui.model.location import Location
from tui.ui.addresses import S3, is_url, parse_url
from tui.ui.names import escape, unescape
from tui.ui.sorting import natural_key

if TYPE_CHECKING:
    from tui.client.base import Places

LIMIT = 50
_LOOK_AT = 50_000
"""So many names of a folder are looked at; nobody picks from more."""
_TIME_S, _FAR_TIME_S = 1.0, 4.0


async def complete(places: Places, text: str, base: Location) -> list[str]:
    """Return what a typed path may become: `text` with its last part completed to a folder and a slash.

    Names with the same case come first; hidden folders only where the last part begins with a dot. A folder that
    cannot be read, or does not answer within a second (a far one: four), has no completions.

    Args:
        text: As typed (see `names`): absolute, with "~", or relative to `base`.
    """
    if text == "~":
        return ["~/"]
    write, read = (_as_url, _from_url) if is_url(text) else (escape, unescape)
    typed_folder, prefix = _split(text)
    try:
        folder = _folder(typed_folder, base)
        async with asyncio.timeout(_TIME_S if folder.is_local else _FAR_TIME_S):
            names = await _folders(places, folder, read(prefix))
    except (FerryError, TimeoutError):
        return []
    names.sort(key=lambda name: (not write(name).startswith(prefix), natural_key(name)))
    return [f"{typed_folder}{write(name)}/" for name in names[:LIMIT]]


def _split(text: str) -> tuple[str, str]:
    """Return the folder that is typed whole, and the beginning of a name in it."""
    at = text.rfind("/") + 1
    if text.startswith(f"{S3}://") and at == len(f"{S3}://"):
        at = max(at, text.rfind("@") + 1)  # a bucket stands behind the name of its endpoint
    return text[:at], text[at:]


def _as_url(name: str) -> str:
    return Location("/").child(name).url.rpartition("/")[2]


def _from_url(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))


def _folder(typed: str, base: Location) -> Location:
    if is_url(typed):
        if typed.endswith("://") and not typed.startswith(S3):
            raise UsageError("a host is needed")
        return parse_url(typed)
    typed = unescape(typed)
    if typed.startswith("~"):
        typed = os.path.expanduser(typed) if base.is_local else f"/{typed}"
    if not typed:
        return base
    return Location(Location.local(typed, base.path).path, base.scheme, base.authority)


async def _folders(places: Places, folder: Location, prefix: str) -> list[str]:
    """Return the names of subfolders, and of links to such, that begin with a prefix in any case."""
    wanted = prefix.casefold()
    found: list[str] = []
    links: list[str] = []
    looked_at = 0
    pages: Any = places.list(folder)
    async with aclosing(pages):
        async for page in pages:
            for name, kind in zip(page.names, page.kinds, strict=True):
                if not name.casefold().startswith(wanted) or (name[0] == "." and prefix[:1] != "."):
                    continue
                if kind in (EntryKind.FOLDER, EntryKind.FOLDER_LINK):
                    found.append(name)
                elif kind in (EntryKind.LINK, EntryKind.UNKNOWN) and len(links) < LIMIT:
                    links.append(name)
            looked_at += len(page.names)
            if looked_at >= _LOOK_AT:
                break
    if links:
        details = await places.details(folder, links)
        found += [
            name for name, kind in zip(links, details.kinds, strict=True) if EntryKind(kind).opens_as_folder
        ]
    return found
