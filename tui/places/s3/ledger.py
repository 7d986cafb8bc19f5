"""What is remembered of half uploads: a store does not show them under the names they are to get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.places.base import Identity


class Ledger(Protocol):
    """Keeps the ids of uploads that have begun and not ended, also over a crash."""

    async def find(self, url: str, identity: Identity) -> str | None:
        """Return the id of the upload that was begun for a location and an identity, or None."""
        ...

    async def keep(self, url: str, identity: Identity, upload_id: str) -> None:
        """Remember one. It must not be lost any more when this returns; an earlier one of the same is forgotten."""
        ...

    async def forget(self, url: str, upload_id: str) -> None:
        """Forget one: it was completed or given up. One that is not known is no error."""
        ...

    async def kept(self, tag: str) -> Sequence[tuple[str, str]]:
        """Return what is remembered of a job: (location's URL, upload id) pairs."""
        ...


class MemoryLedger:
    """Remembers as long as it lives: for tests, and where nothing is to outlast the process."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, Identity], str] = {}

    async def find(self, url: str, identity: Identity) -> str | None:
        return self._ids.get((url, identity))

    async def keep(self, url: str, identity: Identity, upload_id: str) -> None:
        self._ids[url, identity] = upload_id

    async def forget(self, url: str, upload_id: str) -> None:
        self._ids = {key: id for key, id in self._ids.items() if (key[0], id) != (url, upload_id)}

    async def kept(self, tag: str) -> Sequence[tuple[str, str]]:
        return [(url, id) for (url, identity), id in self._ids.items() if identity.tag == tag]
