"""Many entries of one folder, as locations that are made when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.model.location import S3, SAFE, Location

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

    def urls(self) -> Iterator[str]:
        """Yield the URL of each, as `Location.url` has it."""
        start = self.folder.child("x").url[:-1]
        if self.folder.scheme == S3:  # a bucket's name is written in another way than a key's
            return (location.url for location in self)
        return (start + quote(os.fsencode(name), safe=SAFE) for name in self.names)

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
