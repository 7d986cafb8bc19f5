"""Table `setting`: what was set by hand and outlives the engine."""

from __future__ import annotations

from tui.engine.journal.store import Store, on_thread


class Settings(Store):
    """Values by name."""

    @on_thread
    def setting(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    @on_thread
    def set_setting(self, name: str, value: str) -> None:
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))
