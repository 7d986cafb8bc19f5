"""What may be set by hand while the engine runs, kept for the next one unless the configuration was changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.model.error import JournalDamaged

if TYPE_CHECKING:
    from tui.engine.shared import Shared


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration allows the engine."""

    slots: int = 2
    bytes_s: int | None = None


class Settings:
    """The engine's rate and slots; beside each is kept what the configuration said when it was set."""

    def __init__(self, shared: Shared, configured: Limits) -> None:
        self._shared, self._configured = shared, configured

    async def restore(self) -> None:
        """Set what was set last; what the configuration says, where that is newer."""
        configured = self._configured
        self._shared.bucket.bytes_s = await self._kept("limit", configured.bytes_s)
        self._shared.slots = await self._kept("slots", configured.slots) or configured.slots

    async def set_limit(self, bytes_s: int | None) -> None:
        await self._keep("limit", self._configured.bytes_s, bytes_s)
        self._shared.bucket.bytes_s = bytes_s
        self._shared.board.bump()

    async def set_slots(self, slots: int) -> None:
        await self._keep("slots", self._configured.slots, slots)
        self._shared.slots = slots
        self._shared.board.bump()

    async def _keep(self, name: str, configured: int | None, value: int | None) -> None:
        await self._shared.journal.set_setting(name, f"{configured} {value}")

    async def _kept(self, name: str, configured: int | None) -> int | None:
        then, _, value = (await self._kept_text(name)).partition(" ")
        if then == str(configured) and (value.isdecimal() or value == "None"):
            return None if value == "None" else int(value)
        return configured

    async def _kept_text(self, name: str) -> str:
        try:
            return await self._shared.journal.setting(name) or ""
        except JournalDamaged:  # it can be set anew
            return ""
