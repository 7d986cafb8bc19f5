"""Which entries of one folder are marked. A million entries may be: a mark takes one byte, and no name is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SLICE = 10_000
"""So many names are compared before keys are answered."""

_TURNED = bytes([1, 0]) + bytes(254)


def both(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    """Return a mask of what is in two masks of one length: bytes of 0 and 1."""
    return (int.from_bytes(one, "little") & int.from_bytes(other, "little")).to_bytes(len(one), "little")


def either(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    """Return a mask of what is in one of two masks at least."""
    return (int.from_bytes(one, "little") | int.from_bytes(other, "little")).to_bytes(len(one), "little")


def without(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    """Return a mask of what is in the first of two masks alone."""
    return both(one, other.translate(_TURNED))


class Marks(Set[str]):
    """The marked names of a folder whose names are being read, or were.

    Args:
        names: The names by position, as far as they were read; more are added to the list by its owner.
        before: The names that were marked when the folder was shown last.
    """

    def __init__(self, names: Sequence[str], before: Iterable[str] = ()) -> None:
        self._names = names
        self.flags: bytes | bytearray = bytearray()
        """By position, 1 for what is marked."""
        self.revision = 0
        """Raised with every change."""
        self._count = 0
        self._awaited: set[str] = set()
        """Names marked before that were not read yet."""
        self._before: Marks | None = None
        """Marks not taken over yet, for there are many: see `recall`."""
        if isinstance(before, Marks) and len(before) > SLICE:
            self._before = before
        else:
            self._awaited.update(before)

    # As a set of names.

    @classmethod
    def _from_iterable(cls, names: Iterable[str]) -> set[str]:  # type: ignore[override]
        return set(names)

    def __len__(self) -> int:
        return self._count + len(self._awaited) + (len(self._before) if self._before is not None else 0)

    def __iter__(self) -> Iterator[str]:
        yield from compress(self._names, self.flags)
        yield from self._awaited
        yield from self._before or ()

    def __contains__(self, name: object) -> bool:
        if name in self._awaited or (self._before is not None and name in self._before):
            return True
        return name in self._names and bool(self.flags[self._names.index(name)])

    @property
    def read(self) -> int:
        """How many of them are of names that were read: all but those that are awaited."""
        return self._count

    def copy(self) -> Marks:
        """Return the same marks, which stay as they are now."""
        made = Marks(self._names)
        made.flags, made._count = bytes(self.flags), self._count
        made._awaited, made._before = self._awaited.copy(), self._before
        return made

    def of_same(self, other: Marks) -> bool:
        """Say whether positions mean the same in both."""
        return self._names is other._names

    def kept(self) -> Set[str]:
        """Return what is to be remembered of a folder that is left."""
        return self if len(self) > SLICE else frozenset(self)

    # Reading.

    async def recall(self) -> None:
        """Take over marks from before, in steps; to be done before the first name is read."""
        before, names = self._before, iter(self._before or ())
        if before is None:
            return
        found: set[str] = set()
        while some := _some(names):
            found.update(some)
            await asyncio.sleep(0)
        if self._before is before:  # nobody has taken the marks off meanwhile
            self._awaited, self._before = found, None

    def read_more(self, names: Sequence[str]) -> bytes:
        """Take names that were read; return which of them are marked."""
        met = bytes(map(self._awaited.__contains__, names)) if self._awaited else bytes(len(names))
        if count := met.count(1):
            self._awaited.difference_update(compress(names, met))
            self._count += count
        self.flags = bytearray(self.flags) if isinstance(self.flags, bytes) else self.flags
        self.flags += met
        return met

    def settle(self) -> None:
        """Forget the names that were not read: they are not there any more."""
        self._awaited.clear()
        self._before = None

    async def take_over(self, other: Marks) -> int:
        """Mark what is marked elsewhere, as far as it is here, in steps; return the revision they are of."""
        while True:
            revision = other.revision
            wanted: set[str] = set()
            names = iter(other)
            while some := _some(names):
                wanted.update(some)
                await asyncio.sleep(0)
            flags = bytearray()
            for start in range(0, len(self._names) if wanted else 0, SLICE):
                flags += bytes(map(wanted.__contains__, self._names[start : start + SLICE]))
                await asyncio.sleep(0)
            if other.revision == revision:
                self.put(flags or bytes(len(self._names)))
                return revision

    # Changing.

    def set(self, position: int, on: bool) -> None:
        """Mark or unmark one entry, which must not be so already."""
        if isinstance(self.flags, bytes):
            self.flags = bytearray(self.flags)
        self.flags[position] = on
        self._count += 1 if on else -1
        self.revision += 1

    def put(self, flags: bytes | bytearray) -> None:
        """Mark just these positions of all that were read."""
        self.flags, self._count = flags, flags.count(1)
        self.revision += 1

    def put_names(self, names: Iterable[str]) -> None:
        """Mark just these names, those not read yet too."""
        self.settle()
        wanted = set(names)
        self.put(bytes(map(wanted.__contains__, self._names)))
        self._awaited = wanted.difference(compress(self._names, self.flags))

    def invert(self, mask: bytes | bytearray) -> None:
        """Turn the marks of some positions over."""
        self.put(either(without(self.flags, mask), without(mask, self.flags)))

    def forget(self, name: str) -> None:
        """Do not mark a name when it is read."""
        self._awaited.discard(name)

    def clear(self) -> None:
        self.settle()
        self.put(bytes(len(self.flags)))


def _some(names: Iterator[str]) -> list[str]:
    return list(islice(names, SLICE))


class MarkedNames(Sequence[str]):
    """The marked names in the order of a view, as they were when this was made. Nothing is copied but the marks.

    Args:
        ordered: Positions, in order.
        flags: By position, 1 for what is marked.
    """

    def __init__(self, names: Sequence[str], ordered: Sequence[int], flags: bytes | bytearray) -> None:
        self._names, self._ordered, self._flags = names, ordered, bytes(flags)
        self._count = flags.count(1, 0, len(ordered))  # more may have been read since they were put in order

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        """Return a name, or a tuple of some; those near the beginning are found at once."""
        if isinstance(index, slice):
            return tuple(islice(self, *index.indices(len(self))))
        index += len(self) if index < 0 else 0
        if not 0 <= index < len(self):
            raise IndexError(index)
        return next(islice(self, index, None))

    def __iter__(self) -> Iterator[str]:
        return map(self._names.__getitem__, self.positions())

    def positions(self) -> Iterator[int]:
        return compress(self._ordered, map(self._flags.__getitem__, self._ordered))

    def __contains__(self, name: object) -> bool:
        try:
            position = self._names.index(name)
        except ValueError:
            return False
        return position < len(self._ordered) and bool(self._flags[position])
