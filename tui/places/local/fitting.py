"""Names that fit a filesystem with other rules: chosen by the names in one folder alone, so always the same again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby
from typing import TYPE_CHECKING, Protocol

from tui.model.exclusion import NOTHING, Exclusion
from tui.model.misfit import Names
from tui.places.local import syscalls
from tui.places.local.excluding import names_left
from tui.places.local.gathered import Gathered, Sifted, unless
from tui.places.local.name_rules import FORBIDDEN, NameRules, is_reserved
from tui.places.local.names import folded
from tui.places.local.new_names import Choices, new_names
from tui.places.local.pages import Pages, as_bytes, in_order
from tui.places.local.root import join, split
from tui.places.local.standing import cut, other_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from tui.places.local.hops import Brake
    from tui.places.local.new_names import Elsewhere, NewNames
    from tui.places.local.root import Root

_NUMBERED_BYTES = 16
"""Kept free in a name that had to be cut, for a number that may have to be added."""
_QUOTE = "\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}"
"""Before the two hexadecimal digits that stand for a byte that is no UTF-8, as rclone writes it."""
_LONGEST_SUFFIX = 32
_CHOICES = Choices()
"""Of all jobs: what is held while names are chosen is much."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How names are changed for a filesystem.

    Attributes:
        way: One that changes names: LOOKALIKE, UNDERSCORE or SKIP.
        exclude: What is not copied: it takes no name from anything.
    """

    rules: NameRules
    way: Names
    exclude: Exclusion = NOTHING

    def of(
        self, folder: int, path: bytes, leaning: Leaning | None = None, brake: Brake | None = None
    ) -> NewNames:
        """Return the names in an opened folder that are others at the target: None for what is left out.

        Args:
            path: From the folder that holds the tree.
        Raises:
            OSError: The folder cannot be read.
            Stopped: The brake went on.
        """
        names = self.names_in(folder, path, brake)
        if names.are_few or leaning is not None:
            return self.changed(names, leaning, brake)
        return _CHOICES.of(folder, (self, path), lambda: self.changed(names, None, brake), brake)

    def names_in(self, folder: int, path: bytes, brake: Brake | None = None) -> Gathered:
        """Return the names in an opened folder that are copied.

        Raises:
            OSError, Stopped: As `of`.
        """
        with closing(names_left(self.exclude, folder, path.partition(b"/")[2])) as names:
            return Gathered(names, brake)

    def changed(
        self, names: Gathered, leaning: Leaning | None = None, brake: Brake | None = None
    ) -> NewNames:
        """Return those of the names of one folder that are others at the target: None for what is left out.

        What may keep its name does; of two that would be one there, the first in the order of their bytes.

        Args:
            leaning: Is told which of the names are what they are because of others.
        Raises:
            Stopped: The brake went on.
        """
        if names.are_few:
            return self.chosen(set(names), leaning, brake)
        return new_names(self, names, leaning, brake)

    def alone(self, name: bytes, fit: bytes | None = None) -> bytes | None:
        """Return what a name becomes that has nothing in common with another; None: it is left out.

        Args:
            fit: It as the target takes it, where that is known.
        """
        fit = self.fit(name) if fit is None else fit
        return None if fit != name and self.way is Names.SKIP else fit

    def chosen(
        self,
        names: Collection[bytes],
        leaning: Leaning | None = None,
        brake: Brake | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> dict[bytes, bytes | None]:
        """Return the same of different names, all at once.

        Args:
            elsewhere: Knows what other names there are.
        """
        taken: dict[str | bytes, bytes] = {}
        changed: dict[bytes, bytes | None] = {}
        left: list[tuple[bytes, bytes]] = []
        for name in unless(brake, sorted(names)):
            fit = self.fit(name)
            if fit != name or taken.setdefault(self.key(name), name) != name:
                left.append((name, fit))
        rows: dict[bytes, _Row] = {}
        owners = leaning.owners if leaning is not None else {}
        for name, fit in unless(brake, left):
            row = rows.get(fit)
            if row is None:
                row = rows[fit] = _Row(chain((fit,), other_names(fit, folder=False)))
            if self.way is not Names.SKIP:
                changed[name] = self._next_free(name, row, taken, owners, elsewhere)
                continue
            changed[name] = None
            if fit == name:  # it would be copied, were the other not there
                owners.setdefault(taken[self.key(name)], []).append((row, 0))
                row.leaning.append((1, name))
        return changed

    def _next_free(
        self,
        name: bytes,
        row: _Row,
        taken: dict[str | bytes, bytes],
        owners: dict[bytes, list[tuple[_Row, int]]],
        elsewhere: Elsewhere | None,
    ) -> bytes | None:
        """Return the next name of a row that nobody has, and take it; None where there is none."""
        for candidate in row.others:
            key = self.key(candidate)
            if elsewhere is not None and key not in taken and elsewhere.may_have(key):
                row.passed += 1
                continue
            owner = taken.setdefault(key, name)
            owners.setdefault(owner, []).append((row, row.passed))
            if owner == name and row.passed:
                row.leaning.append((row.passed, name))
            row.passed += 1
            if owner == name:
                return candidate
        row.leaning.append((row.passed, name))
        return None

    def key(self, name: bytes) -> str | bytes:
        """Return what all names have in common that are one at the target."""
        return key_of(self.rules, name)

    def fit(self, name: bytes) -> bytes:
        """Return a name as the target takes it; one that fits stays, and so does what this returns."""
        if not self.rules.refuses(name):
            return name
        text = "".join(map(self._character, os.fsdecode(name)))
        if self.rules.devices and is_reserved(text):
            stem, dot, rest = text.partition(".")
            text = f"{stem}_{dot}{rest}"
        if self.rules.ends and text.endswith((".", " ")):
            text = text[:-1] + (self._lookalike(text[-1]) if self.way is not Names.UNDERSCORE else "_")
        return self._cut(os.fsencode(text))

    def _character(self, character: str) -> str:
        surrogate = "\udc80" <= character <= "\udcff"
        if not (surrogate and self.rules.utf8) and not (
            self.rules.characters and (character in FORBIDDEN or character < " ")
        ):
            return character
        return "_" if self.way is Names.UNDERSCORE else self._lookalike(character)

    @staticmethod
    def _lookalike(character: str) -> str:
        if "\udc80" <= character <= "\udcff":
            return f"{_QUOTE}{ord(character) & 0xFF:02X}"
        if character <= " ":
            return chr(0x2400 + ord(character))  # the pictures of control characters, and of the space
        return chr(0xFEE0 + ord(character))  # the full-width form

    def _cut(self, name: bytes) -> bytes:
        """Return a name that is not too long, with its suffix and room for a number."""
        if not self._is_too_long(name):
            return name
        stem, suffix = name, b""
        if (dot := name.rfind(b".")) > 0 and len(name) - dot <= _LONGEST_SUFFIX:
            stem, suffix = name[:dot], name[dot:]
        room = min(self.rules.most_name_bytes, len(name))
        while room > 0 and self._is_too_long(cut(stem, room) + suffix + b" " * _NUMBERED_BYTES):
            room -= 1
        # Where names are that short, none can be made of it: it will be told.
        return cut(stem, room).rstrip(b". ") + suffix if room > 0 else name

    def _is_too_long(self, name: bytes) -> bool:
        units, most = len(os.fsdecode(name)), self.rules.most_units
        if most is not None:
            units = len(os.fsdecode(name).encode("utf-16-le", "surrogatepass")) // 2
        return len(name) > self.rules.most_name_bytes or (most is not None and units > most)


@dataclass(slots=True)
class _Row:
    """A name and its numbered forms, as they are given away one after another.

    Attributes:
        passed: So many of them are taken.
        leaning: What got another than the first, and how many it passed over, in this order.
    """

    others: Iterator[bytes]
    passed: int = 0
    leaning: list[tuple[int, bytes]] = field(default_factory=list)


class Leaning:
    """Tells which entries of a folder have to stay there so that others in it keep their names at the target."""

    def __init__(self) -> None:
        self.owners: dict[bytes, list[tuple[_Row, int]]] = {}
        """By name: the rows it has a place in, and which one."""

    def may_need(self, name: bytes) -> bool:
        """Say whether another entry is called as it is because of this one."""
        return any(row.leaning and row.leaning[-1][0] > place for row, place in self.owners.get(name, ()))

    def needs(self, name: bytes, is_there: Callable[[bytes], bool]) -> bool:
        """Say whether one of those is still in the folder."""
        for row, place in self.owners.get(name, ()):
            while row.leaning and row.leaning[-1][0] > place and not is_there(row.leaning[-1][1]):
                row.leaning.pop()
            if row.leaning and row.leaning[-1][0] > place:
                return True
        return False


class Trail:
    """Follows a tree folder by folder: what each, and what is in it, is called at the target.

    Args:
        top: The path of the tree at the source, and at the target.
        leans: Find out what leans on what.
    """

    def __init__(self, fitting: Fitting | None, top: tuple[bytes, bytes], *, leans: bool = False) -> None:
        self._fitting, self._top, self._leans = fitting, top, leans
        self._levels: list[tuple[bytes, bytes, NewNames, Leaning | None]] = []

    def twin_of(self, path: bytes) -> bytes | None:
        """Return the path at the target of a folder that is in the one entered last, or above; None: left out."""
        if path == self._top[0]:
            return self._top[1]
        above, name = split(path)
        while self._levels and self._levels[-1][0] != above:
            self._levels.pop()
        if not self._levels:
            return self._top[1] + path[len(self._top[0]) :]
        _, twin, changed, _ = self._levels[-1]
        other = changed.get(name, name)
        return None if other is None else join(twin, other)

    def enter(self, folder: int, path: bytes, twin: bytes) -> None:
        """Go into a folder whose twin is known.

        Raises:
            OSError: It cannot be read.
        """
        if self._fitting is not None:
            leaning = Leaning() if self._leans else None
            self._levels.append((path, twin, self._fitting.of(folder, path, leaning), leaning))

    def leaning(self, path: bytes) -> Leaning | None:
        """Return what leans on what in a folder that was entered and not left; None where that is not known."""
        return next((level[3] for level in reversed(self._levels) if level[0] == path), None)

    def name(self, name: bytes) -> bytes | None:
        """Return the name at the target of an entry of the folder entered last; None where it is left out."""
        return self._levels[-1][2].get(name, name) if self._levels else name

    def order(self, name: bytes) -> tuple[bool, bytes]:
        """Return by what entries of the folder entered last are sorted: none leans on one that comes later."""
        return bool(self._levels) and name in self._levels[-1][2], name


def twin_of(fitting: Fitting, source: Root, top: tuple[bytes, bytes], path: bytes) -> bytes:
    """Return where an entry of a tree is at the target, found without having followed the tree down to it.

    Args:
        top: The path of the tree at the source, and at the target.
    Raises:
        PlaceError, OSError: A folder on the way cannot be opened or read.
    """
    trail, above, twin = Trail(fitting, top), top[0], top[1]
    for name in path[len(top[0]) + 1 :].split(b"/"):
        fd = source.folder(above)
        try:
            trail.enter(fd, above, twin)
        finally:
            syscalls.let_go(fd)
        above, twin = join(above, name), join(twin, trail.name(name) or name)
    return twin


def key_of(rules: NameRules, name: bytes) -> str | bytes:
    """Return what all names have in common that are one under some rules."""
    return folded(name) if rules.folds else name


def met(rules: NameRules, names: Iterable[bytes], brake: Brake | None = None) -> dict[bytes, bytes]:
    """Return the names that would be one with another that comes before, with the first of those.

    Raises:
        Stopped: The brake went on.
    """
    first: dict[str | bytes, bytes] = {}
    found: dict[bytes, bytes] = {}
    for name in unless(brake, names):
        if (other := first.setdefault(key_of(rules, name), name)) != name:
            found[name] = other
    return found


class Clashes(Protocol):
    """Names that would be one with another that comes before, with the first of those."""

    def get(self, name: bytes, /) -> bytes | None: ...


class _Clashes:
    """Implements `Clashes` for very many names.

    Args:
        firsts: By what several have in common, the first of them.
    """

    def __init__(self, rules: NameRules, firsts: Pages) -> None:
        self._rules, self._firsts = rules, firsts

    def get(self, name: bytes, /) -> bytes | None:
        first = self._firsts.get(as_bytes(key_of(self._rules, name)))
        return None if first == name else first


def clashing(
    rules: NameRules, names: Gathered, brake: Brake | None = None, *, as_they_came: bool = False
) -> Clashes:
    """Return the names of one folder that would be one with another: with that other, which comes first.

    Args:
        as_they_came: In the order they have, not in that of their bytes.
    Raises:
        Stopped: The brake went on.
    """
    if not rules.folds:
        return dict[bytes, bytes]()
    if names.are_few:
        return met(rules, names if as_they_came else sorted(names), brake)
    alike = Sifted(names, partial(key_of, rules), brake).repeated(brake=brake)
    marked = (
        b"%s\0%s%s" % (as_bytes(key_of(rules, name)), b"%020d\0" % at if as_they_came else b"", name)
        for at, name in enumerate(alike)
    )
    firsts = Pages(_firsts(in_order(marked, brake)))
    return _Clashes(rules, firsts) if firsts else dict[bytes, bytes]()


def _firsts(marked: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield what different names have in common with the first of them, from lines that begin and end with these."""
    for key, alike in groupby(marked, key=lambda line: line.partition(b"\0")[0]):
        names = (line.rpartition(b"\0")[2] for line in alike)
        first = next(names)
        if any(name != first for name in names):
            yield key, first
