"""The journal as the ledger in which stores look up uploads that a crash cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.journal import Journal
    from tui.places.base import Identity


class JournalLedger:
    """Implements `tui.places.s3.ledger.Ledger`: what is kept here outlasts the engine."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def find(self, url: str, identity: Identity) -> str | None:
        return await self._journal.upload(url, _text(identity))

    async def keep(self, url: str, identity: Identity, upload_id: str) -> None:
        await self._journal.add_upload(url, _text(identity), identity.tag, upload_id)

    async def forget(self, url: str, upload_id: str) -> None:
        await self._journal.forget_upload(url, upload_id)

    async def kept(self, tag: str) -> Sequence[tuple[str, str]]:
        return await self._journal.uploads(tag)


def _text(identity: Identity) -> str:
    return f"{identity.tag} {identity.size_bytes} {identity.mtime_ns}"
