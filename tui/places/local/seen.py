"""Names that were met, in as little memory for a million of them as for one."""

from __future__ import annotations

import mmap

BITS = 1 << 25
"""4 MiB of them, of which the system gives those that are used: with a million names, 3 in 100 seem to be known."""


class SeenNames:
    """Remembers names. One that was never met may seem to be known; one that was met always is.

    (A Bloom filter with one hash: Burton H. Bloom, *Space/Time Trade-offs in Hash Coding with Allowable Errors*, 1970.)
    """

    def __init__(self) -> None:
        # (A bytearray would write all of its zeros.)
        self._bits = mmap.mmap(-1, BITS >> 3, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def meet(self, name: str | bytes) -> bool:
        """Remember a name; say whether it may have been met before."""
        return self.meet_hash(hash(name))

    def meet_hash(self, number: int) -> bool:
        """Do the same for what a name is known by: its hash."""
        at, bit = divmod(number % BITS, 8)
        known = self._bits[at] >> bit & 1
        self._bits[at] |= 1 << bit
        return bool(known)

    def copy(self) -> SeenNames:
        """Return one that knows the same, and learns nothing more when this one does."""
        other = SeenNames()
        other._bits[:] = self._bits[:]
        return other

    def knows(self, name: str | bytes) -> bool:
        """Say whether a name may have been met."""
        return self.knows_hash(hash(name))

    def knows_hash(self, number: int) -> bool:
        at, bit = divmod(number % BITS, 8)
        return bool(self._bits[at] >> bit & 1)
