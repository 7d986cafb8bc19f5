"""Single steps done at once, without the queue, and how each is undone: the screen's part of what `u` takes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.model.location import Location
from tui.visible import visible

if TYPE_CHECKING:
    from tui.client.base import Places

RENAME, FOLDER = "rename", "folder"
KEPT = 50


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry that was renamed, or one folder that was made.

    Attributes:
        location: Where it is now.
        before: Of a rename, where it was; of a folder, the topmost of those made on the way to it.
        identity: What it is known by, as `Places.identity` tells.
        at: When it was done, in seconds since 1970.
    """

    kind: str
    location: Location
    before: Location
    identity: str
    at: float

    @property
    def undone(self) -> str:
        """What to say when it was undone."""
        if self.kind == RENAME:
            return f"{visible(self.location.name)} is {visible(self.before.name)} again."
        return f"The folder {visible(self.location.name)} is gone again."

    async def undo(self, places: Places) -> None:
        """Take it back.

        Raises:
            PlaceError: The world has changed; nothing was done.
        """
        if self.kind == RENAME:
            await places.rename_back(self.location, self.before, self.identity)
        else:
            await places.remove_made(self.location, self.before, self.identity)

    def as_data(self) -> list[Any]:
        """Return it as JSON can hold it."""
        return [self.kind, self.location.url, self.before.url, self.identity, self.at]

    @classmethod
    def from_data(cls, data: list[Any]) -> Deed:
        """Undo `as_data`; raises ValueError or TypeError where its shape is not ours."""
        kind, location, before, identity, at = data
        if kind not in (RENAME, FOLDER) or not isinstance(identity, str):
            raise ValueError(f"not something done: {data!r}")
        return cls(kind, Location.from_url(location), Location.from_url(before), identity, float(at))
