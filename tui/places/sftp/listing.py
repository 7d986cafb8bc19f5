"""Folders at the far end, page by page as the server reads them out."""

from __future__ import annotations

import os
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.model.error import PlaceError
from tui.places.sftp import reasons
from tui.places.sftp.answers import names_of
from tui.places.sftp.errors import Lost, Refused, told
from tui.places.sftp.protocol import Kind, text
from tui.places.sftp.spreading import FAR_S

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.sftp.channel import Answer
    from tui.places.sftp.protocol import Named
    from tui.places.sftp.session import Session

_AHEAD, _MOST_AHEAD = 3, 64
"""Pages asked for at once: a page is some hundred names, and each costs a round trip.

Over a long way one more is asked for with each page that came: a large folder takes few round trips then, and of a
small one not much is asked in vain.
"""
_DOING = "read the folder"
_DOTS = (b".", b"..")


async def list_folder(
    session: Session, path: bytes, location: Location
) -> AsyncGenerator[Sequence[Entry], None]:
    """Yield the entries of a folder, links as links. Closing the iterator closes the folder."""
    try:
        handle = await session.open_folder(path)
    except (Refused, Lost) as refused:
        raise await reasons.not_listed(session, refused, location, path, _DOING) from refused
    asked: deque[Answer] = deque()
    ahead, most = _AHEAD, _MOST_AHEAD if session.distance_s >= FAR_S else _AHEAD
    try:
        while True:
            while len(asked) < ahead:
                asked.append(session.send(Kind.READDIR, text(handle)))
            ahead = min(ahead + 1, most)
            page = names_of(await asked.popleft())
            if not page:
                return
            if entries := [_entry(named, location) for named in page if named.name not in _DOTS]:
                yield entries
    except (Refused, Lost) as refused:  # there are servers that open whatever it is
        raise await reasons.not_listed(session, refused, location, path, _DOING) from refused
    finally:
        session.close(handle)


def _entry(named: Named, folder: Location) -> Entry:
    if not named.name or b"/" in named.name or b"\0" in named.name:
        # Joined to a folder here it could lead anywhere: whoever says such a thing means harm.
        raise told(PlaceError, _DOING, folder, f"the server names {named.name!r} in it, which is no name")
    entry = named.attrs.entry(os.fsdecode(named.name))
    words = named.line.split(None, 4)
    if len(words) < 5 or not words[1].isdigit() or words[0][:1] not in b"-dlbcps":
        return entry
    # As `ls -l` writes it: mode, links, owner, group.
    return replace(
        entry,
        links=int(words[1]),
        owner=_who(words[2]),
        group=_who(words[3]),
    )


@lru_cache(256)
def _who(word: bytes) -> str:
    """Return the name of a user or group: one text for all entries that are theirs."""
    return word.decode(errors="replace")
