"""When to try something again by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.model.error import FerryError

TRIES = 3
FIRST_WAIT_S = 0.5
GROWTH = 4.0


def wait_before_retry(error: FerryError, attempt: int) -> float | None:
    """Return the seconds to wait before trying again, or None to give up.

    Args:
        attempt: How many times it has been tried already, counted from 1.
    """
    if not error.transient or attempt >= TRIES:
        return None
    return float(FIRST_WAIT_S * GROWTH ** (attempt - 1))
