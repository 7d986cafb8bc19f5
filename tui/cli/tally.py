"""How much a verification has read so far, and how it was found."""

from __future__ import annotations

from msgspec import Struct

from tui.cli.diagnostics import Status


class Tally(Struct):
    """Files and bytes read, and how many names are not alike."""

    files: int = 0
    size_bytes: int = 0
    differs: int = 0
    missing: int = 0
    extra: int = 0
    errors: int = 0

    @property
    def status(self) -> Status:
        return Status.ERRORS if self.differs or self.missing or self.extra or self.errors else Status.DONE
