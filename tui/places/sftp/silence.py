"""How long a host may say nothing before somebody who waits is told: the time before a connection was given up counts,
as does that for the next."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE_S = 10.0
"""So long somebody who waits is left without a word from the host."""
_LEAST_S = 1.0
"""So long it has for its first word in any case: who is there at all has said it by then, also a long way off."""
_SILENT_S = 2.0
"""Who was silent for less before a connection was lost may be there again at once."""
_AT_ONCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence that ended a connection: how long somebody waited for an answer in vain, and until when.

    (By the clock of the loop.)
    """

    lasted_s: float
    until: float

    def counts(self, now: float) -> bool:
        """Say whether somebody who connects now has waited for so long already."""
        return self.lasted_s >= _SILENT_S and now - self.until <= _AT_ONCE_S

    @property
    def word_s(self) -> float:
        """How long the host has for its first word on a new connection, where it counts."""
        return max(_LEAST_S, PATIENCE_S - self.lasted_s)
