"""Files copied by the far end itself, without passing through here (OpenSSH's copy-data)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.error import SourceChanged
from tui.places.sftp import reasons
from tui.places.sftp.answers import taken
from tui.places.sftp.errors import Lost, Refused, from_refusal, told
from tui.places.sftp.protocol import Kind
from tui.places.sftp.reading import open_regular
from tui.places.sftp.writing import mode_of_partial

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.base import Attributes
    from tui.places.sftp.protocol import Attrs
    from tui.places.sftp.tools import Tools

_RANGE_BYTES = 64 << 20
"""Copied by one request: what others ask of the server meanwhile waits for no more than that."""


async def copy(
    tools: Tools,
    paths: tuple[bytes, bytes, bytes],
    source: Location,
    target: Location,
    wanted: Attributes,
    *,
    replace: bool,
) -> None:
    """Copy a file within the server.

    Args:
        paths: Of the source, of the half file and of the target.
    """
    session, (path, partial, new) = tools.session, paths
    try:
        handle, found = await open_regular(session, path, source, "copy")
    except (Refused, Lost) as refused:
        raise from_refusal(refused, source, "copy") from refused
    named = False
    try:
        if await _filled(tools, handle, found, partial, wanted) != found:
            raise told(SourceChanged, "copy", source, "it was written to meanwhile")
        await tools.naming.give(partial, new, target, "copy to", replace=replace)
        named = True
        await tools.dressing.prove(new, wanted)
    except (Refused, Lost) as refused:
        raise await reasons.not_written(
            session, refused, target, new, "copy to", found.size_bytes
        ) from refused
    finally:
        session.close(handle)
        if not named:
            await session.drop(partial)


async def _filled(tools: Tools, source: bytes, found: Attrs, partial: bytes, wanted: Attributes) -> Attrs:
    """Copy the content into a half file and close it; return what the source is afterwards."""
    session, dressing = tools.session, tools.dressing
    half = await session.create(partial, mode_of_partial(dressing.wanted(wanted).mode))
    try:
        for offset in range(0, found.size_bytes, _RANGE_BYTES):
            size = min(_RANGE_BYTES, found.size_bytes - offset)
            taken(await session.send_copy(source, half, offset, size), Kind.STATUS)
        await dressing.settle(dressing.send(half, wanted), partial, wanted)
        after, copied = await session.fstat(source), await session.fstat(half)
        return (
            after if copied.size_bytes == found.size_bytes else after._replace(size_bytes=copied.size_bytes)
        )
    finally:
        session.close(half)
