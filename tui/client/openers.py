"""What connects an engine to places, by scheme; each is imported when the first of its kind is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui.config import Settings
    from tui.engine.journal import Journal
    from tui.model.ask import KnownHost
    from tui.places.base import Opener


def openers(settings: Settings, journal: Journal) -> Mapping[str, Callable[[], Opener]]:
    """Return what makes an opener for each scheme there is."""
    return {}


def known_hosts(settings: Settings) -> tuple[KnownHost, ...]:
    """Return what may be connected to."""
    return ()
