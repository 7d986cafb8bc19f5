"""The names of one folder, gone through as often as it takes: a million of them in some megabytes."""

from __future__ import annotations

import zlib
from array import array
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from tui.places.local.content import Stopped
from tui.places.local.seen import BITS, SeenNames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tui.places.local.hops import Brake

FEW = 8192
"""So many names are kept as they are, and may be looked at all at once."""
_PACK = 4096
"""So many are packed together."""
_LOOK_EVERY = 64
"""Names between two looks at the brake."""

T = TypeVar("T")


class Gathered:
    """Names in the order they came; many are packed (no name holds a zero byte)."""

    def __init__(self, names: Iterable[bytes] = (), brake: Brake | None = None) -> None:
        self._packs: list[bytes] = []
        self._loose: list[bytes] = []
        self._count = 0
        self.add(names, brake)

    def add(self, names: Iterable[bytes], brake: Brake | None = None) -> None:
        """Take in more of them.

        Raises:
            Stopped: The brake went on.
        """
        for name in unless(brake, names):
            self.append(name)

    def append(self, name: bytes) -> None:
        self._loose.append(name)
        if len(self._loose) > FEW:
            self._pack()

    def _pack(self) -> None:
        some, self._loose = self._loose[:_PACK], self._loose[_PACK:]
        self._packs.append(zlib.compress(b"\0".join(some), 1))
        self._count += len(some)

    @property
    def are_few(self) -> bool:
        return not self._packs

    def __len__(self) -> int:
        return self._count + len(self._loose)

    def __iter__(self) -> Iterator[bytes]:
        packed = (zlib.decompress(pack).split(b"\0") for pack in self._packs)
        return chain(chain.from_iterable(packed), self._loose)


class Sifted:
    """Finds, among very many names, those that may have something in common with another.

    Args:
        key: Says what names have in common that are one; None: this one is one with no other.
    Raises:
        Stopped: The brake went on.
    """

    def __init__(
        self, names: Gathered, key: Callable[[bytes], str | bytes | None], brake: Brake | None = None
    ) -> None:
        self._names = names
        self._once, self._again = SeenNames(), SeenNames()
        self._hashes = array("i")
        """By name, the part of its key's hash that is looked at; -1 for one without a key."""
        for name in unless(brake, names):
            if (found := key(name)) is None:
                self._hashes.append(-1)
                continue
            number = hash(found) % BITS
            self._hashes.append(number)
            if self._once.meet_hash(number):
                self._again.meet_hash(number)

    def may_have(self, key: str | bytes) -> bool:
        """Say whether one of the names may have a key."""
        return self._once.knows_hash(hash(key))

    def has_repeated(self, key: str | bytes) -> bool:
        """Say whether names with a key are among those that `repeated` yields, whatever is wanted."""
        return self._again.knows_hash(hash(key))

    def repeated(self, wanted: SeenNames | None = None, brake: Brake | None = None) -> Iterator[bytes]:
        """Yield all names whose key is that of another, or wanted, in order; and a few others that only may be.

        Raises:
            Stopped: The brake went on.
        """
        repeats = self._again.knows_hash
        for name, number in zip(unless(brake, self._names), self._hashes, strict=True):
            if number >= 0 and (repeats(number) or (wanted is not None and wanted.knows_hash(number))):
                yield name


def unless(brake: Brake | None, items: Iterable[T]) -> Iterator[T]:
    """Yield items until a brake is on, which is looked at now and then.

    Raises:
        Stopped: It is.
    """
    for seen, item in enumerate(items):
        if brake is not None and brake.on and seen % _LOOK_EVERY == 0:
            raise Stopped
        yield item
