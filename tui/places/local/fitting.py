"""Names that fit a filesystem with other rules: chosen by the names in one folder alone, so always the same again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.model.misfit import Names
from tui.places.local import syscalls
from tui.places.local.name_rules import FORBIDDEN, NameRules, is_reserved, listed
from tui.places.local.names import folded
from tui.places.local.root import join, split
from tui.places.local.standing import cut, other_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tui.places.local.root import Root

_NUMBERED_BYTES = 16
"""Kept free in a name that had to be cut, for a number that may have to be added."""
_QUOTE = "\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}"
"""Before the two hexadecimal digits that stand for a byte that is no UTF-8, as rclone writes it."""
_LONGEST_SUFFIX = 32


@dataclass(frozen=True, slots=True)
class Fitting:
    """How names are changed for a filesystem.

    Attributes:
        way: One that changes names: LOOKALIKE, UNDERSCORE or SKIP.
    """

    rules: NameRules
    way: Names

    def of(self, folder: int) -> dict[bytes, bytes | None]:
        """Return the names in an opened folder that are others at the target: None for what is left out.

        Raises:
            OSError: The folder cannot be read.
        """
        return self.changed(listed(folder))

    def changed(self, names: Iterable[bytes]) -> dict[bytes, bytes | None]:
        """Return those of the names of one folder that are others at the target: None for what is left out.

        What may keep its name does; of two that would be one there, the first in the order of their bytes.
        """
        taken: set[str | bytes] = set()
        changed: dict[bytes, bytes | None] = {}
        left: list[tuple[bytes, bytes]] = []
        for name in sorted(names):
            fit = self.fit(name)
            if fit == name and (key := self.key(name)) not in taken:
                taken.add(key)
            else:
                left.append((name, fit))
        for name, fit in left:
            changed[name] = None if self.way is Names.SKIP else self.free(fit, taken)
        return changed

    def free(self, fit: bytes, taken: set[str | bytes]) -> bytes:
        """Return a name, with a number where it is taken, and take it."""
        if self.key(fit) in taken:
            fit = next(other for other in other_names(fit, folder=False) if self.key(other) not in taken)
        taken.add(self.key(fit))
        return fit

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
        while self._is_too_long(cut(stem, room) + suffix + b" " * _NUMBERED_BYTES):
            room -= 1
        return cut(stem, room).rstrip(b". ") + suffix

    def _is_too_long(self, name: bytes) -> bool:
        units, most = len(os.fsdecode(name)), self.rules.most_units
        if most is not None:
            units = len(os.fsdecode(name).encode("utf-16-le", "surrogatepass")) // 2
        return len(name) > self.rules.most_name_bytes or (most is not None and units > most)


class Trail:
    """Follows a tree folder by folder: what each, and what is in it, is called at the target.

    Args:
        top: The path of the tree at the source, and at the target.
    """

    def __init__(self, fitting: Fitting | None, top: tuple[bytes, bytes]) -> None:
        self._fitting, self._top = fitting, top
        self._levels: list[tuple[bytes, bytes, Mapping[bytes, bytes | None]]] = []

    def twin_of(self, path: bytes) -> bytes | None:
        """Return the path at the target of a folder that is in the one entered last, or above; None: left out."""
        if path == self._top[0]:
            return self._top[1]
        above, name = split(path)
        while self._levels and self._levels[-1][0] != above:
            self._levels.pop()
        if not self._levels:
            return self._top[1] + path[len(self._top[0]) :]
        _, twin, changed = self._levels[-1]
        other = changed.get(name, name)
        return None if other is None else join(twin, other)

    def enter(self, folder: int, path: bytes, twin: bytes) -> None:
        """Go into a folder whose twin is known.

        Raises:
            OSError: It cannot be read.
        """
        if self._fitting is not None:
            self._levels.append((path, twin, self._fitting.of(folder)))

    def name(self, name: bytes) -> bytes | None:
        """Return the name at the target of an entry of the folder entered last; None where it is left out."""
        return self._levels[-1][2].get(name, name) if self._levels else name


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


def clashing(rules: NameRules, names: Iterable[bytes]) -> Mapping[bytes, bytes]:
    """Return the names of one folder that would be one with another: with that other, which comes first."""
    if not rules.folds:
        return {}
    first: dict[str | bytes, bytes] = {}
    clashes: dict[bytes, bytes] = {}
    for name in sorted(names):
        if (other := first.setdefault(key_of(rules, name), name)) != name:
            clashes[name] = other
    return clashes
