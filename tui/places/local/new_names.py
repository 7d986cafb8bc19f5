"""What very many names of one folder become: only what depends on other names of it is kept, the rest is told anew."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from tui.places.local.gathered import Sifted
from tui.places.local.seen import SeenNames

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.places.local.fitting import Fitting, Leaning
    from tui.places.local.gathered import Gathered
    from tui.places.local.hops import Brake


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

    elsewhere = Elsewhere(Sifted(names, key, brake), lambda name: fitting.key(fitting.fit(name)))
    while True:
        if leaning is not None:
            leaning.owners.clear()
        chosen = fitting.chosen(elsewhere.looked_at(brake), leaning, brake, elsewhere)
        if not elsewhere.is_asked_more:
            break
    chosen = {name: new for name, new in chosen.items() if new != fitting.alone(name)}
    return _NewNames(fitting, chosen, refused) if chosen or any_refused else chosen


class Elsewhere:
    """Tells whether a name that is not looked at may have what a number is wanted for: then it has to be, too."""

    def __init__(self, sifted: Sifted, key: Callable[[bytes], str | bytes]) -> None:
        self._sifted, self._key = sifted, key
        self._known: set[str | bytes] = set()
        """All names that have these are looked at."""
        self._wanted: set[str | bytes] = set()
        self._open: set[str | bytes] = set()

    @property
    def is_asked_more(self) -> bool:
        """Whether it was asked for something it did not know."""
        return bool(self._open)

    def looked_at(self, brake: Brake | None) -> set[bytes]:
        """Return the names that have to be looked at, as far as is known now."""
        self._wanted |= self._open
        self._open = set()
        names = set(self._sifted.repeated(self._wanted, brake))
        counts = Counter(map(self._key, names))
        self._known = {key for key, count in counts.items() if count > 1} | self._wanted
        return {name for name in names if self._key(name) in self._known}

    def may_have(self, key: str | bytes) -> bool:
        if key in self._known or not self._sifted.may_have(key):
            return False
        self._open.add(key)
        return True


class _NewNames:
    """Implements `NewNames`."""

    def __init__(self, fitting: Fitting, chosen: dict[bytes, bytes | None], refused: SeenNames) -> None:
        self._fitting, self._chosen, self._refused = fitting, chosen, refused

    def get(self, name: bytes, default: bytes, /) -> bytes | None:
        if name in self._chosen:
            return self._chosen[name]
        # One that came later stays as it is: what it would become may be another's by now.
        return self._fitting.alone(name) if self._refused.knows(name) else default

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, bytes) and self.get(name, name) != name
