"""Many entries of one folder, as locations that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.model.location import Location

if TYPE_CHECKING:
    from collections.abc import Iterator


class Siblings(Sequence[Location]):
    """The locations of entries of one folder. A million of them take no more than their names do.

    Args:
        folder: Holds all of them.
        names: Plain names, as they were read from the folder.
    """

    def __init__(self, folder: Location, names: Sequence[str]) -> None:
        self.folder, self.names = folder, names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: Any) -> Any:
        found = self.names[index]
        return self.folder.child(found) if isinstance(found, str) else tuple(self.folder.children(found))

    def __iter__(self) -> Iterator[Location]:
        start, scheme, authority = (
            self.folder.path.rstrip("/") + "/",
            self.folder.scheme,
            self.folder.authority,
        )
        return (Location(start + name, scheme, authority) for name in self.names)

    def __contains__(self, location: object) -> bool:
        return (
            isinstance(location, Location) and location.parent == self.folder and location.name in self.names
        )

    def towards(self, location: Location) -> tuple[Location, ...]:
        """Return the one among them that is a location or holds it, if any does."""
        name = self.folder.relative(location).partition("/")[0] if self.folder.holds(location) else ""
        return (self.folder.child(name),) if name and name in self.names else ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Siblings, tuple, list)):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"{len(self)} entries of {self.folder}"


def common_folder(locations: Sequence[Location]) -> Location | None:
    """Return the folder of some locations where it is known without looking at each of them to be the same for all."""
    if isinstance(locations, Siblings):
        return locations.folder
    return locations[0].parent if len(locations) == 1 else None
