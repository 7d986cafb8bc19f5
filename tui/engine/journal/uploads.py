"""Table `upload`: uploads a store keeps that are not complete, so that they can be gone on with, or given up."""

from __future__ import annotations

from tui.engine.journal.store import Store, on_thread


class Uploads(Store):
    """What stores call unfinished uploads, by where they go (a URL) and what they are of (an identity)."""

    @on_thread
    def upload(self, url: str, identity: str) -> str | None:
        """Return what the store calls an upload, or None where none is known."""
        row = self._db.execute(
            "SELECT upload FROM upload WHERE url = ? AND identity = ?", (url, identity)
        ).fetchone()
        return row[0] if row else None

    @on_thread
    def uploads(self, tag: str) -> list[tuple[str, str]]:
        """Return (url, upload) of all that a job began and did not end."""
        return self._db.execute(
            "SELECT url, upload FROM upload WHERE tag = ? ORDER BY url", (tag,)
        ).fetchall()

    @on_thread
    def add_upload(self, url: str, identity: str, tag: str, upload: str) -> None:
        with self.transaction(durable=True) as db:
            db.execute("INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?)", (url, identity, tag, upload))

    @on_thread
    def forget_upload(self, url: str, upload: str) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM upload WHERE url = ? AND upload = ?", (url, upload))
