"""What was set by hand while the engine ran, kept for the next one unless the configuration was changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.engine.journal import Journal


class Settings:
    """Numbers by name; beside each is kept what the configuration said when it was set."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def keep(self, name: str, configured: int | None, value: int | None) -> None:
        """Keep what was set."""
        await self._journal.set_setting(name, f"{configured} {value}")

    async def kept(self, name: str, configured: int | None) -> int | None:
        """Return what was set last; what the configuration says, where that is newer."""
        then, _, value = (await self._journal.setting(name) or "").partition(" ")
        if not value or then != str(configured):
            return configured
        return None if value == "None" else int(value)
