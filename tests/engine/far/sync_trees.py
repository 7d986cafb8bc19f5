"""Two folders to be synced, which differ in every way, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hosts_harness import Hosts, HostsHarness, at

from tui.model.job import Conflict, JobKind

if TYPE_CHECKING:
    from tui.places.memory_store import MemoryStore

S = 1_000_000_000


def plant(hosts: Hosts) -> tuple[MemoryStore, MemoryStore]:
    """Make a source, and a target that differs from it in every way but clashes."""
    here, there = hosts.store(), hosts.store("other")
    for store in (here, there):
        store.write("/data/tree/same", b"text", mtime_ns=5 * S)
        store.write("/data/tree/inner/changed", b"text", mtime_ns=5 * S)
        store.write("/data/tree/inner/older", b"text", mtime_ns=5 * S)
        store.write("/data/tree/private", b"text", mtime_ns=5 * S)
    here.write("/data/tree/inner/changed", b"new text", mtime_ns=6 * S)
    there.write("/data/tree/inner/older", b"tixt", mtime_ns=9 * S)
    here.write("/data/tree/fresh/file", b"text", mtime_ns=5 * S)
    here.link("/data/tree/link", "nowhere")
    here.find("/data/tree/private").mode = 0o600
    there.write("/data/tree/extra", b"extra")
    there.write("/data/tree/inner/more/extra", b"extra")
    there.link("/data/tree/inner/more/link", "/data/kept")
    there.write("/data/kept/file", b"kept")
    return here, there


EXTRA = {
    "tree/extra": b"extra",
    "tree/inner/more": None,
    "tree/inner/more/extra": b"extra",
    "tree/inner/more/link": "/data/kept",
}
KEPT = {"kept": None, "kept/file": b"kept"}


async def sync(queue: HostsHarness, *, delete_extra: bool = True, **rest: object) -> int:
    return await queue.add(
        JobKind.SYNC,
        at("/data/tree"),
        target=at("/data/tree", "other"),
        into=False,
        conflict=Conflict.OVERWRITE,
        delete_extra=delete_extra,
        **rest,
    )


def mirrored(here: MemoryStore) -> dict[str, bytes | str | None]:
    return here.tree("/data") | KEPT
