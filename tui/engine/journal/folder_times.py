"""Table `folder_time`: the times of folders that a far move takes things out of, until they stand at the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.journal.store import Store, on_thread
from tui.engine.rows import FolderTime

if TYPE_CHECKING:
    from collections.abc import Iterable


class FolderTimes(Store):
    """What the source folders of a move can no longer tell: the time each had before something was taken out of it."""

    @on_thread
    def keep_folder_times(
        self, job: int, times: Iterable[FolderTime], gone: Iterable[tuple[int, bytes]]
    ) -> None:
        """Write times down, unless there are some of the same folders; forget those of folders that are `gone`."""
        with self.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO folder_time (job, idx, path, target_path, mtime_ns) VALUES (?, ?, ?, ?, ?)",
                [(job, each.idx, each.path, each.target_path, each.mtime_ns) for each in times],
            )
            db.executemany(
                "DELETE FROM folder_time WHERE job = ? AND idx = ? AND path = ?",
                [(job, idx, path) for idx, path in gone],
            )

    @on_thread
    def folder_times(self, job: int) -> list[FolderTime]:
        """Return all that was written down for a job, in no order."""
        cursor = self._db.execute(
            "SELECT idx, path, target_path, mtime_ns FROM folder_time WHERE job = ?", (job,)
        )
        return [FolderTime(*row) for row in cursor]

    @on_thread
    def forget_folder_times(self, job: int) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM folder_time WHERE job = ?", (job,))
