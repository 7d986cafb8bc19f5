"""Table `link`: where files with several names stand at the target, of which a move has taken names away already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.journal.store import Store, on_thread
from tui.places.local.links import Group, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

_AS_FOUND = "as-found"


class Links(Store):
    """What the sources of a move can no longer tell: that a name left there belongs to a file that was moved."""

    @on_thread
    def add_links(self, job: int, groups: Iterable[Group]) -> None:
        """Write down where files stand. (Whoever then says durably that it removes originals makes them so too.)"""
        with self.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO link (job, device, inode, path, identity) VALUES (?, ?, ?, ?, ?)",
                [
                    (job, str(group.device), str(group.inode), group.standing.path, _as_text(group.standing))
                    for group in groups
                ],
            )

    @on_thread
    def links(self, job: int) -> list[Group]:
        """Return all that was written down for a job, in no order."""
        cursor = self._db.execute("SELECT device, inode, path, identity FROM link WHERE job = ?", (job,))
        return [
            Group(int(device), int(inode), _standing(path, identity))
            for device, inode, path, identity in cursor
        ]

    @on_thread
    def forget_links(self, job: int) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM link WHERE job = ?", (job,))


def _as_text(standing: Standing) -> str | None:
    """Return what is kept of a file but its path: its inode, where that counts, and whether it is as it was found."""
    words = [str(number) for number in standing.inode or ()] + [_AS_FOUND] * standing.as_found
    return " ".join(words) or None


def _standing(path: bytes, identity: str | None) -> Standing:
    words = (identity or "").split()
    as_found = _AS_FOUND in words[-1:]
    inode = tuple(map(int, words[:-1] if as_found else words))
    return Standing(path, (inode[0], inode[1]) if inode else None, as_found)
