"""Looks: the colours and attributes of a cell, and the shortest way for a terminal from one to another."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from textual.strip import Strip

if TYPE_CHECKING:
    from rich.color import ColorSystem
    from rich.style import Style

# SGR code that sets an attribute -> code that takes it away.
_ENDS: Final = {
    **{"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29"},
    **{"21": "24", "51": "54", "52": "54", "53": "55"},
}
_SEEN_ON_BLANKS: Final = frozenset({"4", "7", "9", "21", "51", "52", "53"})


class Look:
    """Foreground, background and attributes, as SGR codes; one object for each look, so that `is` compares them."""

    __slots__ = ("attributes", "background", "blank", "erasable", "foreground")

    def __init__(self, foreground: str, background: str, attributes: frozenset[str]) -> None:
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
        seen = attributes & _SEEN_ON_BLANKS
        key = (foreground if seen else "", background, seen)
        self.blank: Look = self if key == (foreground, background, attributes) else look(*key)
        """How a blank of this look is seen: without foreground, unless it is underlined or reversed."""
        self.erasable = not seen
        """Whether erasing with this look leaves what blanks of this look would."""

    def __repr__(self) -> str:
        return f"Look({self.codes!r})"

    @property
    def codes(self) -> str:
        return ";".join(code for code in (*sorted(self.attributes), self.foreground, self.background) if code)


_looks: dict[tuple[str, str, frozenset[str]], Look] = {}
_looks_by_codes: dict[str, Look] = {}


def look(foreground: str, background: str, attributes: frozenset[str]) -> Look:
    """Return the one object for a look."""
    key = (foreground, background, attributes)
    if (found := _looks.get(key)) is None:
        found = _looks[key] = Look(*key)
    return found


PLAIN: Final = look("", "", frozenset())


def look_of(style: Style | None, colors: ColorSystem) -> Look:
    """Return the look of a Rich style in a terminal's colours. Links are left out: they hold raw text."""
    if style is None:
        return PLAIN
    codes = style._ansi
    if codes is None:
        codes = Strip.render_ansi(style, colors)
    if (found := _looks_by_codes.get(codes)) is None:
        found = _looks_by_codes[codes] = _parse(codes)
    return found


def _parse(codes: str) -> Look:
    foreground = background = ""
    attributes: set[str] = set()
    parts = iter(codes.split(";"))
    for part in parts:
        if part in ("38", "48"):
            kind = next(parts)
            color = ";".join((part, kind, *(next(parts) for _ in range(3 if kind == "2" else 1))))
            foreground, background = (color, background) if part == "38" else (foreground, color)
        elif part in _ENDS:
            attributes.add(part)
        elif part and part not in ("39", "49"):
            number = int(part)
            if 30 <= number <= 37 or 90 <= number <= 97:
                foreground = part
            else:
                background = part
    return look(foreground, background, frozenset(attributes))


@lru_cache(maxsize=16384)
def transition(old: Look | None, new: Look) -> str:
    """Return the shortest SGR sequence from one look to another; from None, an unknown one, a whole one."""
    whole = ";".join(("0", new.codes)) if new.codes else ""
    if old is None:
        return f"\x1b[{whole}m"
    if old is new:
        return ""
    removed = old.attributes - new.attributes
    ends = {_ENDS[code] for code in removed}
    # One code ends bold and dim, or both underlines: what stays of such a pair is set again.
    added = {code for code in new.attributes if code not in old.attributes or _ENDS[code] in ends}
    steps = [*sorted(ends), *sorted(added)]
    if old.foreground != new.foreground:
        steps.append(new.foreground or "39")
    if old.background != new.background:
        steps.append(new.background or "49")
    step = ";".join(steps)
    return f"\x1b[{min(step, whole, key=len)}m"
