"""What very many names of one folder become: only what depends on other names of it is kept, the rest is told anew."""

from __future__ import annotations

import os
import threading
import time
from itertools import chain
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from tui.model.misfit import Names
from tui.places.local.content import Stopped
from tui.places.local.gathered import Gathered, Sifted, unless
from tui.places.local.pages import Pages, Taken, as_bytes, in_order
from tui.places.local.seen import SeenNames
from tui.places.local.standing import other_names

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from tui.places.local.fitting import Fitting, Leaning
    from tui.places.local.hops import Brake


_MANY_PASSED = 16
"""Of a name that so many others became one with, it is kept which numbers were given."""
_JUST_CHANGED_S = 10.0
"""A folder that was changed so lately may be changed again without a look at it showing that."""
_LOOK_S = 0.05
"""Between two looks at the brake."""


class NewNames(Protocol):
    """Names of one folder that are others at the target; None for what is left out."""

    def get(self, name: bytes, default: bytes, /) -> bytes | None: ...

    def __contains__(self, name: object, /) -> bool: ...


def new_names(
    fitting: Fitting, names: Gathered, leaning: Leaning | None, brake: Brake | None = None
) -> NewNames:
    """Return what `Fitting.changed` does, of names that are too many to be looked at all at once.

    A name that has nothing in common with another gets the same alone. So only those are looked at together that may
    have; and, of those whose place is wanted for a number, the ones that have it.

    Raises:
        Stopped: The brake went on.
    """
    refused, any_refused = SeenNames(), False

    def key(name: bytes) -> str | bytes | None:
        nonlocal any_refused
        fit = fitting.fit(name)
        if fit != name:
            refused.meet(name)
            any_refused = True
        return fitting.key(fit) if fitting.alone(name, fit) is not None else None

    elsewhere = Elsewhere(Sifted(names, key, brake))
    while True:
        looked_at = elsewhere.looked_at(brake)
        if leaning is None:
            chosen = Pages(_others(fitting, _chosen(fitting, looked_at, elsewhere, brake)))
        else:
            leaning.owners.clear()
            all_at_once = fitting.chosen(set(looked_at), leaning, brake, elsewhere)
            chosen = Pages(_others(fitting, sorted(all_at_once.items())))
        if not elsewhere.is_asked_more:
            break
    return _NewNames(fitting, chosen, refused) if chosen or any_refused else dict[bytes, bytes | None]()


def _others(fitting: Fitting, chosen: Iterable[tuple[bytes, bytes | None]]) -> Iterator[tuple[bytes, bytes]]:
    """Yield what is not what it would be alone; empty for what is left out."""
    return ((name, new or b"") for name, new in chosen if new != fitting.alone(name))


def _chosen(
    fitting: Fitting, names: Iterable[bytes], elsewhere: Elsewhere, brake: Brake | None
) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield what `Fitting.chosen` returns, in order, in little memory."""
    ordered = Gathered(in_order(names, brake))
    taken, left = Taken(len(ordered)), Gathered()
    for name in unless(brake, ordered):
        if fitting.fit(name) != name or not taken.take(as_bytes(fitting.key(name))):
            left.append(name)
    rows: dict[bytes, Iterator[bytes]] = {}
    for name in unless(brake, left):
        if fitting.way is Names.SKIP:
            yield name, None
        else:
            yield name, _next_free(fitting, fitting.fit(name), rows, taken, elsewhere)


def _next_free(
    fitting: Fitting,
    fit: bytes,
    rows: dict[bytes, Iterator[bytes]],
    taken: Taken,
    elsewhere: Elsewhere,
) -> bytes | None:
    """Return the first of a name and its numbered forms that nobody has, and take it; None where there is none.

    Args:
        rows: Forms that are still to be given, where many were: else all are tried anew.
    """
    row = rows.get(fit) or chain((fit,), other_names(fit, folder=False))
    for passed, candidate in enumerate(row):
        if passed == _MANY_PASSED:
            rows[fit] = row
        key = fitting.key(candidate)
        if not (taken.has(as_bytes(key)) or elsewhere.may_have(key)):
            taken.take(as_bytes(key))
            return candidate
    return None


class Elsewhere:
    """Tells whether a name that is not looked at may have what a number is wanted for: then it has to be, too."""

    def __init__(self, sifted: Sifted) -> None:
        self._sifted = sifted
        self._wanted, self._open = SeenNames(), SeenNames()
        self.is_asked_more = False
        """Whether it was asked for something it did not know."""

    def looked_at(self, brake: Brake | None) -> Iterator[bytes]:
        """Return the names that have to be looked at, as far as is known now, and a few others."""
        self._wanted = self._open.copy() if self.is_asked_more else SeenNames()
        self.is_asked_more = False
        return self._sifted.repeated(self._wanted, brake)

    def may_have(self, key: str | bytes) -> bool:
        if not self._sifted.may_have(key) or self._sifted.has_repeated(key) or self._wanted.knows(key):
            return False
        self._open.meet(key)
        self.is_asked_more = True
        return True


class _NewNames:
    """Implements `NewNames`."""

    def __init__(self, fitting: Fitting, chosen: Pages, refused: SeenNames) -> None:
        self._fitting, self._chosen, self._refused = fitting, chosen, refused

    def get(self, name: bytes, default: bytes, /) -> bytes | None:
        if (new := self._chosen.get(name)) is not None:
            return new or None
        # One that came later stays as it is: what it would become may be another's by now.
        return self._fitting.alone(name) if self._refused.knows(name) else default

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, bytes) and self.get(name, name) != name


class Choices:
    """Has very many names of a folder chosen by one at a time, and only once while anybody goes by them.

    A copy and the count of what it brings go by the same ones.
    """

    def __init__(self) -> None:
        self._choosing = threading.Lock()
        self._chosen = WeakValueDictionary[tuple["Hashable", ...], _NewNames]()

    def of(
        self, folder: int, wanted: Hashable, choose: Callable[[], NewNames], brake: Brake | None
    ) -> NewNames:
        """Return what was chosen of an opened folder that has not changed since, or choose.

        Args:
            wanted: What else the choice depends on.
        Raises:
            OSError: The folder cannot be looked at.
            Stopped: The brake went on.
        """
        while not self._choosing.acquire(timeout=_LOOK_S):
            if brake is not None and brake.on:
                raise Stopped
        try:
            before = _state(folder)
            known = None if before is None else self._chosen.get((wanted, *before))
            if known is not None:
                return known
            chosen = choose()
            if before is not None and before == _state(folder) and isinstance(chosen, _NewNames):
                self._chosen[(wanted, *before)] = chosen
            return chosen
        finally:
            self._choosing.release()


def _state(folder: int) -> tuple[int, ...] | None:
    """Return what is another one once names in an opened folder have changed; None where that is not sure."""
    info = os.fstat(folder)
    if time.time() - info.st_mtime < _JUST_CHANGED_S:
        return None
    return info.st_dev, info.st_ino, info.st_mtime_ns, info.st_ctime_ns
