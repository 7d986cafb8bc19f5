"""Encode what has changed in a row as the fewest bytes that make a terminal show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from tui.ui.terminal.cells import CONTINUED, is_certain
from tui.ui.terminal.look import Look, transition

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_GAP: Final = 4
"""Unchanged cells that are sent again rather than stepped over: a cursor move costs about as many bytes."""

SHORTEST_ERASED_TO_END: Final = 4
SHORTEST_ERASED: Final = 10
"""Changed blanks, to the end of a row and inside it, that are cheaper to erase (and step over) than to send."""

_WORTH_A_LOOK: Final = " " * SHORTEST_ERASED_TO_END

Row: TypeAlias = "tuple[list[str], list[Look]]"
"""Texts and looks of the cells of one row."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a terminal can do that not every one can."""

    erases_in_color: bool = True
    """Erased cells take the background that is set, as nearly everywhere but in GNU screen."""
    erases_characters: bool = True
    """ECH is known."""
    synchronized: bool = False
    """Mode 2026 is known: a frame is shown when it is complete."""


class Encoder:
    """Writes rows for a terminal whose cursor and look it knows, or knows that it does not know (None)."""

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities
        self.look: Look | None = None
        self._x: int | None = None
        self._out: list[str] = []

    def take(self) -> str:
        """Return what has been written, and begin anew; the cursor may be anywhere by then."""
        text = "".join(self._out)
        self._out.clear()
        self._x = None
        return text

    def write(self, text: str) -> None:
        self._out.append(text)

    def row(self, y: int, old: Row, new: Row) -> None:
        """Write what makes the old row the new one."""
        self._x = None
        texts, looks = new
        changed = _resent(_changed(old, new), old[0], texts)
        if not changed:
            return
        blanks = _blank_ends(texts, looks)
        x = 0
        for start, end in _spans(changed, looks):
            x = max(x, start)
            while x < end:
                x = self._step(x, y, end, new, blanks)

    def _step(self, x: int, y: int, end: int, row: Row, blanks: list[int]) -> int:
        """Write one run of a span that ends at `end`; return the column after it."""
        texts, looks = row
        text = texts[x]
        if text == CONTINUED:
            return x + 1
        if self._x != x:
            self._go(x, y)
        if text == " " and self._erase(x, min(end, blanks[x]) - x, blanks[x], looks[x].blank, len(texts)):
            return blanks[x]
        if not text.isascii():
            return self._wide_or_rare(x, y, texts, looks[x])
        stop = self._run_end(x, end, row, blanks)
        run = "".join(texts[x:stop])
        self._set(looks[x], blank=run.isspace())
        self._advance(run, stop, len(texts))
        return stop

    def _run_end(self, x: int, end: int, row: Row, blanks: list[int]) -> int:
        """Return where the cells end that can be sent as one text: of one look, ASCII, no blanks better erased."""
        texts, looks = row
        look = looks[x]
        stop = x + 1
        while stop < end and looks[stop] is look:
            stop += 1
        run = "".join(texts[x:stop])
        if len(run) == stop - x and run.isascii() and _WORTH_A_LOOK not in run:
            return stop
        for column in range(x + 1, stop):
            text = texts[column]
            if not text.isascii() or text == CONTINUED:
                return column
            if text == " " and self._pays(min(end, blanks[column]) - column, blanks[column] == len(texts)):
                return column
        return stop

    def _advance(self, text: str, x: int, width: int) -> None:
        """Write text that ends before a column; past the last one terminals differ on where the cursor is."""
        self._out.append(text)
        self._x = x if x < width else None

    def _wide_or_rare(self, x: int, y: int, texts: list[str], look: Look) -> int:
        text = texts[x]
        self._set(look, blank=False)
        end = x + 1
        while end < len(texts) and texts[end] == CONTINUED:
            end += 1
        if is_certain(text):
            self._advance(text, end, len(texts))
            return end
        # Blanks first: a terminal that takes the character for a narrower one would leave old cells beside it.
        self._out.append(" " * (end - x) + f"\x1b[{y + 1};{x + 1}H" + text)
        self._x = None
        return end

    def _go(self, x: int, y: int) -> None:
        """Bring the cursor to a cell."""
        at = self._x
        if at is None or at > x:
            self._out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        else:
            self._out.append(f"\x1b[{x - at}C" if x - at > 1 else "\x1b[C")
        self._x = x

    def _pays(self, changed: int, to_end: bool) -> bool:
        """Tell whether erasing so many changed blanks is shorter than sending them."""
        return changed >= (SHORTEST_ERASED_TO_END if to_end else SHORTEST_ERASED)

    def _erase(self, x: int, changed: int, end: int, blank: Look, width: int) -> bool:
        """Erase the blanks from a cell to `end` where that saves bytes, and tell whether it did."""
        if not self._pays(changed, end == width) or not blank.erasable:
            return False
        if blank.background and not self.abilities.erases_in_color:
            return False
        if end < width and not self.abilities.erases_characters:
            return False
        self._set(blank, blank=True)
        self._out.append("\x1b[K" if end == width else f"\x1b[{end - x}X")
        return True

    def _set(self, look: Look, *, blank: bool) -> None:
        known = self.look
        if known is look or (blank and known is not None and known.blank is look.blank):
            return
        self._out.append(transition(known, look))
        self.look = look


def _changed(old: Row, new: Row) -> list[int]:
    """Return the columns that look different, from left to right."""
    return [
        x
        for x, (text, was_text, look, was_look) in enumerate(zip(new[0], old[0], new[1], old[1], strict=True))
        if text != was_text or (look is not was_look and (text != " " or look.blank is not was_look.blank))
    ]


def _resent(changed: list[int], old: list[str], new: list[str]) -> list[int]:
    """Add the rest of the row after the first change to or from a character of doubtful width.

    From there on nobody knows what the terminal shows.
    """
    if "".join(new).isascii() and "".join(old).isascii():
        return changed
    for x in changed:
        for text in (old[x], new[x]):
            if text > "\u02ff" and not is_certain(text):
                return [column for column in changed if column < x] + list(range(x, len(new)))
    return changed


def _spans(columns: list[int], looks: list[Look]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the runs of columns, over gaps that are cheaper to send again than to step over."""
    start = end = columns[0]
    for x in columns:
        if x > end and not (x - end <= LONGEST_GAP and all(look is looks[x] for look in looks[end - 1 : x])):
            yield start, end
            start = x
        end = x + 1
    yield start, end


def _blank_ends(texts: list[str], looks: list[Look]) -> list[int]:
    """Return, for each column, where the blanks of one look that begin there end; 0 for no blank."""
    ends = [0] * len(texts)
    end = 0
    after: Look | None = None
    for x in range(len(texts) - 1, -1, -1):
        if texts[x] != " ":
            after = None
            continue
        blank = looks[x].blank
        if blank is not after:
            after, end = blank, x + 1
        ends[x] = end
    return ends
