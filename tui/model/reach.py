"""How far the engine is with getting an answer from another place."""

from __future__ import annotations

from enum import StrEnum


class Reach(StrEnum):
    CONNECTING = "connecting"
    CONNECTING_ANEW = "connecting_anew"
    """The connection there was has been lost."""
    CONNECTED = "connected"
    """An answer is waited for, if anything is."""
