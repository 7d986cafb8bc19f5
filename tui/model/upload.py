"""Uploads that a store holds half: out of sight, and paid for."""

from __future__ import annotations

from msgspec import Struct

from tui.model.location import Location


class Unfinished(Struct, frozen=True):
    """An upload that was begun and neither completed nor given up.

    Attributes:
        location: Where the file would be.
        upload_id: What the store calls it.
        began_ns: When it was begun, in ns since 1970.
    """

    location: Location
    upload_id: str
    began_ns: int
