"""By what an entry of any place is known again: its kind, size and time, for no host tells more of it.

A tree that was copied is known by all that is in it: names, sizes and times, as one sum. A folder that was just renamed
or made is known by its own time, which changes when something is put into it or taken out; looking through it would
take longer than what is to be undone.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from tui.engine.far.ends import look
from tui.engine.far.many import each
from tui.engine.far.reaching import listing
from tui.engine.traces import NotedStep
from tui.model.entry import EntryKind
from tui.model.error import PlaceError, PlaceUnavailable
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from tui.model.entry import Entry
    from tui.model.job import JobKind
    from tui.model.location import Location
    from tui.places.base import Place

FOLDERS_AT_ONCE = 24

_TREE, _FOLDER = "tree", "folder"


def identify(entry: Entry) -> str:
    """Return what an entry is known by, as short text: its kind, and what of it would change with it."""
    match entry.kind:
        case EntryKind.FILE:
            return f"file {entry.size_bytes} {entry.mtime_ns}"
        case EntryKind.FOLDER:
            return f"{_FOLDER} {entry.mtime_ns}"
        case kind if kind.is_link:
            return f"link {quote(os.fsencode(entry.link_target or ''), safe='')}"
        case kind:
            return f"{kind.name.lower()} {entry.mtime_ns}"


async def identify_copy(place: Place, where: Location) -> str:
    """Return what a copy is known by that is complete; of a tree, all that is in it.

    Raises:
        PlaceError: It cannot be looked at.
    """
    entry = await place.stat(where)
    return await _tree(place, where) if entry.kind is EntryKind.FOLDER else identify(entry)


async def step_at(place: Place, kind: JobKind, location: Location, before: Location) -> NotedStep:
    """Return something that was just done at once, with what it is known by.

    Raises:
        PlaceError: It is not there any more.
    """
    where, was = await place.resolve(location), await place.resolve(before)
    return NotedStep(kind, where, was, identify(await place.stat(where)))


def is_of_tree(identity: str) -> bool:
    """Say whether a whole tree has to be gone through to tell whether it is still the same."""
    return identity.startswith(_TREE)


async def why_not_it(place: Place, where: Location, identity: str) -> str | None:
    """Say why what stands at a place is not what was left there; None where it is, as far as can be told.

    Raises:
        PlaceUnavailable: The place does not answer.
    """
    try:
        entry = await look(place, where)
        if entry is None:
            return f"{where} is not there any more"
        kept, now = identity.partition(" ")[0], identify(entry)
        if kept == _TREE and entry.kind is EntryKind.FOLDER:
            same = await _tree(place, where) == identity
            return None if same else f"something in {where} was changed, added or removed since"
    except PlaceUnavailable:
        raise
    except PlaceError as error:
        return error.message
    if now == identity:
        return None
    if now.partition(" ")[0] != kept:
        return f"{where} is another one now"
    if kept == _FOLDER:
        return f"the folder {where} was changed since (there it is known by its time alone)"
    return f"{where} was changed since"


async def _tree(place: Place, top: Location) -> str:
    """Return the sum over all that is below a folder, in whatever order it is told."""
    total = files = size_bytes = 0
    waiting = [top]

    async def read(folder: Location) -> None:
        nonlocal total, files, size_bytes
        async with listing(place, folder) as pages:
            async for page in pages:
                for entry in page:
                    if is_partial(os.fsencode(entry.name)):
                        continue
                    where = folder.child(entry.name)
                    total += _sum_of(top.relative(where), entry)
                    if entry.kind is EntryKind.FOLDER:
                        below.append(where)
                    else:
                        files += 1
                        size_bytes += entry.size_bytes

    while waiting:
        below: list[Location] = []
        await each(waiting, read, FOLDERS_AT_ONCE)
        waiting = below
    return f"{_TREE} {files} {size_bytes} {total % (1 << 128):032x}"


def _sum_of(path: str, entry: Entry) -> int:
    is_folder = entry.kind is EntryKind.FOLDER
    # A folder's own time tells nothing that its entries do not.
    facts = "" if is_folder else f"{entry.size_bytes} {entry.mtime_ns}"
    kind = EntryKind.LINK if entry.kind.is_link else entry.kind
    told = b"%s\0%d\0%s" % (os.fsencode(path), kind, facts.encode())
    return int.from_bytes(hashlib.blake2b(told, digest_size=16).digest())
