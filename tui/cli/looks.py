"""`ferry ls`, `cat`, `du`, `mkdir` and `hosts`: what is where, here and on other hosts, without a job."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

from tui import format
from tui.cli import events
from tui.cli.diagnostics import Status
from tui.cli.operands import locate
from tui.cli.urls import is_far, is_home, scp_hint
from tui.model.entry import EntryKind
from tui.model.error import NotFound, NotListed, PlaceError
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tui.cli.arguments import Parsed
    from tui.cli.session import OpenClient, Session
    from tui.model.location import Location

    Row = tuple[str, int, int, int, int]
    """Name, kind, size in bytes, time in ns, mode."""
    Look = Callable[[Session, Parsed, OpenClient, Location], Awaitable[Status]]

BATCH = 2000
"""Entries whose columns are asked for at once."""
PIECE_BYTES = 1 << 20
ALL_THE_TIME_S = 7 * 24 * 3600.0

_LETTERS = {
    EntryKind.FILE: stat.S_IFREG,
    EntryKind.FOLDER: stat.S_IFDIR,
    EntryKind.FIFO: stat.S_IFIFO,
    EntryKind.SOCKET: stat.S_IFSOCK,
    EntryKind.BLOCK_DEVICE: stat.S_IFBLK,
    EntryKind.CHARACTER_DEVICE: stat.S_IFCHR,
}


def run(session: Session, parsed: Parsed) -> int:
    """Do one of these commands and return the exit status."""
    if _is_quick(parsed):
        from tui.client.quick import QuickClient, at_once

        return at_once(_on_each(session, parsed, QuickClient(None)))
    import asyncio

    return asyncio.run(_run(session, parsed))


def _is_quick(parsed: Parsed) -> bool:
    """Say whether a command asks the local disk for names alone: no event loop is loaded for that."""
    word = parsed.command.words[0]
    names_alone = word == "ls" and not (parsed.has("--long") or parsed.has("--json"))
    return (names_alone or word == "mkdir") and not any(map(is_far, parsed.operands))


async def _run(session: Session, parsed: Parsed) -> int:
    client = session.engines.client()
    try:
        if parsed.command.words[0] == "hosts":
            return await _hosts(session, parsed, client)
        return await _on_each(session, parsed, client)
    finally:
        await client.close()


async def _on_each(session: Session, parsed: Parsed, client: OpenClient) -> Status:
    """Look at each operand; one that fails does not hold up the others."""
    looks: dict[str, Look] = {"ls": _ls, "cat": _cat, "du": _du, "mkdir": _mkdir}
    look = looks[parsed.command.words[0]]
    words = parsed.operands or ["."]
    locations = [(word, locate(word)) for word in words]
    status = Status.DONE
    for word, location in locations:
        if session.out.broken:
            break
        try:
            status = max(status, await _reached(session, parsed, client, look, location))
        except PlaceError as error:
            if isinstance(error, NotFound) and location.is_local:
                error.remedy = scp_hint(word) or error.remedy
            if parsed.has("--json"):
                session.out.json(events.refusal(error, error.location or location))
            session.messages.error(error)
            status = max(status, Status.ERRORS)
    return status


async def _reached(
    session: Session, parsed: Parsed, client: OpenClient, look: Look, location: Location
) -> Status:
    """Look at a location, and meanwhile put what its host asks."""
    if location.is_local:
        return await look(session, parsed, client, location)
    from tui.cli.reaching import reach

    async def resolved() -> Status:
        where = await client.resolve(location) if is_home(location) else location
        return await look(session, parsed, client, where)

    return await reach(client, session.messages, [location], resolved())


# ls


async def _ls(session: Session, parsed: Parsed, client: OpenClient, location: Location) -> Status:
    """Write what a folder holds, by name; of what is none, its own line.

    Raises:
        NotListed: Of a store, some of it cannot be told by names. All else was written.
    """
    entry = await client.stat(location, follow=True)
    if entry.kind is not EntryKind.FOLDER:
        row = (entry.name or location.name, int(entry.kind), entry.size_bytes, entry.mtime_ns, entry.mode)
        _write_rows(session, parsed, location.parent, [row])
        return Status.DONE
    names: list[tuple[str, int]] = []
    untold = ""
    async for page in client.list(location):
        untold = page.untold
        names += zip(page.names, page.kinds, strict=True)
    if not parsed.has("--all"):
        names = [pair for pair in names if not pair[0].startswith(".")]
    names.sort()
    plain = not (parsed.has("--long") or parsed.has("--json"))
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        rows = [(*pair, 0, 0, 0) for pair in batch] if plain else await _rows(client, location, batch)
        _write_rows(session, parsed, location, rows)
        if session.out.broken:
            break
    if untold:
        raise NotListed(untold, location=location)
    return Status.DONE


async def _rows(client: OpenClient, folder: Location, batch: list[tuple[str, int]]) -> list[Row]:
    names = [name for name, _ in batch]
    details = await client.details(folder, names)
    columns = zip(names, details.kinds, details.sizes_bytes, details.mtimes_ns, details.modes, strict=True)
    return [row for row in columns if row[2] >= 0]  # Those of size -1 have gone meanwhile.


def _write_rows(session: Session, parsed: Parsed, folder: Location, rows: Iterable[Row]) -> None:
    for name, kind, size_bytes, mtime_ns, mode in rows:
        if parsed.has("--json"):
            session.out.json(
                {
                    "name": events.text(name),
                    "kind": EntryKind(kind).name.lower(),
                    "size_bytes": size_bytes,
                    "mtime_ns": mtime_ns,
                    "mode": stat.S_IMODE(mode),
                    **events.place("path", folder.below(name)),
                }
            )
            continue
        prefix = ""
        if parsed.has("--long"):
            size = "-" if kind == EntryKind.FOLDER else format.size(size_bytes)
            moment = format.moment(mtime_ns / 1e9) if mtime_ns else "-"
            prefix = f"{_mode(EntryKind(kind), mode)}  {size:>10}  {moment:19}  "
        slash = "/" if kind in (EntryKind.FOLDER, EntryKind.FOLDER_LINK) else ""
        session.out.name(name, prefix, slash)


def _mode(kind: EntryKind, mode: int) -> str:
    letter = stat.S_IFLNK if kind.is_link else _LETTERS.get(kind, 0)
    text = stat.filemode(letter | stat.S_IMODE(mode))
    return text if stat.S_IMODE(mode) else text[0] + "         "  # The place knows no permissions.


# cat


async def _cat(session: Session, parsed: Parsed, client: OpenClient, location: Location) -> Status:
    """Write a file to standard output, byte for byte, a piece at a time."""
    import asyncio

    offset = 0
    while not session.out.broken:
        data = await client.read(location, offset, PIECE_BYTES)
        if not data:
            break
        await asyncio.to_thread(session.out.write, data)
        offset += len(data)
    return Status.DONE


# du


async def _du(session: Session, parsed: Parsed, client: OpenClient, location: Location) -> Status:
    """Write how much lies at and below a location.

    Raises:
        NotListed: Of a store, some of it cannot be told by names. All else was counted.
    """
    await client.stat(location)
    totals = await client.measure([location], time_limit_s=ALL_THE_TIME_S)
    if parsed.has("--json"):
        told: dict[str, Any] = {
            "files": totals.files,
            "folders": totals.folders,
            "size_bytes": totals.size_bytes,
            "unreadable": totals.unreadable,
            **events.place("path", location),
        }
        session.out.json(told)
    else:
        files, folders = format.entries(totals.files), format.entries(totals.folders, "folder")
        unread = (
            f", {format.entries(totals.unreadable, 'folder')} not to be read" if totals.unreadable else ""
        )
        session.out.line(
            f"{format.size(totals.size_bytes):>10}  {files}, {folders}{unread}  {visible(str(location))}"
        )
    if totals.untold:
        some = f"{totals.untold} {'key' if totals.untold == 1 else 'keys'} (such as {totals.untold_key!a})"
        message = f"cannot count all of {location}: {some} cannot be told by names"
        raise NotListed(message, location=location)
    return Status.ERRORS if totals.unreadable or not totals.complete else Status.DONE


# mkdir, hosts


async def _mkdir(session: Session, parsed: Parsed, client: OpenClient, location: Location) -> Status:
    await client.make_folder(location)
    return Status.DONE


async def _hosts(session: Session, parsed: Parsed, client: OpenClient) -> Status:
    """List what may be connected to."""
    hosts = await client.hosts()
    if parsed.has("--json"):
        for host in hosts:
            session.out.json(
                {
                    "title": events.text(host.title),
                    "detail": events.text(host.detail),
                    "url": host.location.url,
                }
            )
        return Status.DONE
    rows = [(visible(host.title), visible(str(host.location)), visible(host.detail)) for host in hosts]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    for title, url, detail in rows:
        session.out.line(f"{title:{widths[0]}}  {url:{widths[1]}}  {detail}".rstrip())
    if not rows and session.out.is_terminal:
        session.messages.note(
            "no hosts are known: name some in ~/.ssh/config, or stores in the configuration"
        )
    return Status.DONE
