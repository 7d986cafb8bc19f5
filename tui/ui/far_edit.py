"""Editing a file of a far place: fetched into a private folder, edited there, put back through the queue."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiofiles.os import wrap

from tui.format import size
from tui.model.entry import Entry, EntryKind
from tui.model.error import PlaceError, SourceChanged, UsageError
from tui.model.fidelity import Trait
from tui.model.job import Conflict, JobKind, JobState, Request
from tui.model.location import Location
from tui.visible import visible

if TYPE_CHECKING:
    from tui.client.base import Client

MOST_BYTES = 64 << 20
_CHUNK = 1 << 20
_ASK_AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A copy of a far file, as it was when it was fetched."""

    location: Location
    entry: Entry
    copy: Path
    digest: bytes


async def fetch(client: Client, location: Location, folder: Path) -> Fetched:
    """Copy a far file into a private folder of its own, made in `folder`.

    Raises:
        UsageError: It is no regular file, or too big to be edited this way.
    """
    entry = await client.stat(location)
    name = visible(location.name)
    if entry.kind.is_link:
        raise UsageError(f"{name} is a link", "Go to where it leads, and edit that.")
    if entry.kind is not EntryKind.FILE:
        raise UsageError(f"{name} is not a file", "Only files can be edited.")
    if entry.size_bytes > MOST_BYTES:
        raise UsageError(
            f"{name} has more than {size(MOST_BYTES)}", "Copy it here first, edit it, and copy it back."
        )
    data = bytearray()
    while part := await client.read(location, len(data), _CHUNK):
        data += part
        if len(part) < _CHUNK or len(data) > MOST_BYTES:
            break
    if len(data) != entry.size_bytes:
        raise SourceChanged(f"cannot fetch {location}: it changed meanwhile", "Try again.", location=location)
    copy = await wrap(_keep)(folder, location.name, bytes(data), stat.S_IMODE(entry.mode))
    return Fetched(location, entry, copy, hashlib.sha256(data).digest())


def _keep(folder: Path, name: str, data: bytes, mode: int) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = Path(tempfile.mkdtemp(dir=folder, prefix="edit-"))  # mode 0700: nobody else gets in
    copy = own / name
    with open(copy, "wb", opener=lambda path, flags: os.open(path, flags | os.O_EXCL, 0o600)) as file:
        file.write(data)
    copy.chmod(stat.S_IRUSR | stat.S_IWUSR | mode)
    return copy


async def has_changed(fetched: Fetched) -> bool:
    """Say whether the copy was edited.

    Raises:
        UsageError: The editor has left no file there.
    """
    try:
        data = await wrap(fetched.copy.read_bytes)()
    except OSError as error:
        raise UsageError(
            f"the edited file cannot be read: {error.strerror}", f"It was {fetched.copy}."
        ) from error
    return hashlib.sha256(data).digest() != fetched.digest


def kept_as(fetched: Fetched) -> str:
    """Return where an edited copy is that was not put back."""
    return f"Your version is kept as {fetched.copy}."


async def put_back(client: Client, fetched: Fetched) -> Request:
    """Return the request that puts the edited copy in the place of the far file.

    Raises:
        SourceChanged: Somebody else changed the far file meanwhile, or removed it.
    """
    location = fetched.location
    remedy = kept_as(fetched)
    try:
        now = await client.stat(location)
    except PlaceError as error:
        raise SourceChanged(
            f"cannot put {location} back: {error.message}", remedy, location=location
        ) from error
    if now.facts != fetched.entry.facts:
        raise SourceChanged(
            f"cannot put {location} back: it changed there meanwhile", remedy, location=location
        )
    mode = stat.S_IMODE(fetched.entry.mode)
    if mode & stat.S_IRUSR:  # a store keeps none; and the copy has to be read
        await wrap(fetched.copy.chmod)(mode)
    return Request(
        kind=JobKind.COPY,
        sources=(Location.local(fetched.copy),),
        target=location,
        into=False,
        conflict=Conflict.OVERWRITE,
        preserve=frozenset({Trait.TIMES}),
        expects=now.facts,
        by_content=True,  # clocks differ: what was edited may seem to be as old as what is there
    )


async def forget(fetched: Fetched) -> None:
    """Remove the copy and the folder made for it."""
    await wrap(shutil.rmtree)(fetched.copy.parent, ignore_errors=True)


async def forget_when_done(client: Client, fetched: Fetched, job: int) -> None:
    """Remove the copy as soon as its job has put it back; a job that fails or is cancelled leaves it."""
    with contextlib.suppress(Exception):  # then the copy stays, and nothing else depends on it
        seen = await client.job(job, _ASK_AGAIN_S)
        while not seen.state.is_final:
            await asyncio.sleep(1)  # a paused job is told at once
            seen = await client.job(job, _ASK_AGAIN_S)
        if seen.state is JobState.DONE:
            await forget(fetched)
