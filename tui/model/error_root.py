"""The root of the error tree (`tui.model.error`), and the one error that a `Location` raises itself."""

from __future__ import annotations

from typing import ClassVar


class FerryError(Exception):
    """Anything Ferry reports to a person. `str()` is one sentence; `remedy` says what to do, or is empty."""

    remedy: str = ""
    transient: ClassVar[bool] = False
    """Whether trying again by itself, a little later, may help."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        if remedy:
            self.remedy = remedy

    @property
    def code(self) -> str:
        """The name by which the wire, the journal and scripts know this kind of error."""
        return type(self).__name__


class UsageError(FerryError):
    """What was asked makes no sense as it stands."""
