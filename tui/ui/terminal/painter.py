"""Turn Textual's updates into a frame, and the difference to what the terminal shows into its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual._compositor import ChopsUpdate, LayoutUpdate

from tui.ui.terminal.difference import Abilities, Encoder
from tui.ui.terminal.frame import Frame, cells_of
from tui.ui.terminal.look import PLAIN

if TYPE_CHECKING:
    from rich.color import ColorSystem
    from rich.console import RenderableType
    from rich.segment import Segment

BEGIN_SYNCHRONIZED: Final = "\x1b[?2026h"
END_SYNCHRONIZED: Final = "\x1b[?2026l"
CLEAR: Final = "\x1b[m\x1b[2J"


class Painter:
    """Holds the frame that is wanted and the one that was sent. Neither grows while the terminal does not read."""

    def __init__(self, width: int, height: int, abilities: Abilities) -> None:
        self._wanted = Frame(width, height)
        self._sent: Frame | None = None
        self._encoder = Encoder(abilities)
        self._changed: set[int] = set()
        self._cursor: tuple[int, int] | None = None
        self._cursor_sent: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        return self._wanted.width, self._wanted.height

    @property
    def abilities(self) -> Abilities:
        return self._encoder.abilities

    @abilities.setter
    def abilities(self, abilities: Abilities) -> None:
        self._encoder.abilities = abilities

    def resize(self, width: int, height: int) -> None:
        """Take another size; nobody knows what the terminal has made of its contents."""
        self._wanted = self._wanted.resized(width, height)
        self.forget()

    def forget(self) -> None:
        """Forget what was sent, so that everything is sent again."""
        self._sent = None

    def apply(self, update: RenderableType, colors: ColorSystem) -> None:
        """Bring an update of Textual's compositor into the wanted frame."""
        if isinstance(update, LayoutUpdate):
            self._apply_layout(update, colors)
        elif isinstance(update, ChopsUpdate):
            self._apply_chops(update, colors)
        else:
            raise TypeError(f"A full-screen update was expected, not {type(update).__name__}")

    def _apply_layout(self, update: LayoutUpdate, colors: ColorSystem) -> None:
        for y, strips in enumerate(update.strips, update.region.y):
            segments: list[Segment] = []
            for strip in strips:
                segments.extend(strip)
            self._put(y, update.region.x, update.region.right, segments, colors)

    def _apply_chops(self, update: ChopsUpdate, colors: ColorSystem) -> None:
        for y, first, last in update.spans:
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is not None and x <= last and end > first:
                    self._put(y, x, min(end, last), list(strip), colors)

    def _put(self, y: int, x: int, end: int, segments: list[Segment], colors: ColorSystem) -> None:
        texts, looks = cells_of(segments, colors)
        self._wanted.put(y, x, texts[: end - x], looks[: end - x])
        self._changed.add(y)

    def place_cursor(self, x: int, y: int) -> None:
        """Put the (hidden) cursor where input methods should open, once the next frame is sent."""
        self._cursor = (x, y)

    def encode(self) -> str:
        """Return what makes the terminal show the wanted frame; from then on it counts as sent."""
        wanted, encoder = self._wanted, self._encoder
        sent = self._sent
        cleared = sent is None
        if sent is None:
            sent = self._sent = Frame(wanted.width, wanted.height)
            self._changed.update(range(wanted.height))
            self._cursor_sent = None
            encoder.look = PLAIN
            encoder.write(CLEAR)
        rows = 0
        for y in sorted(self._changed):
            if y < wanted.height:
                rows += self._encode_row(y, wanted, sent)
        self._changed.clear()
        text = encoder.take()
        if self._cursor is not None and (text or self._cursor != self._cursor_sent):
            text += f"\x1b[{self._cursor[1] + 1};{self._cursor[0] + 1}H"
            self._cursor_sent = self._cursor
        if (rows > 1 or cleared) and encoder.abilities.synchronized:
            return BEGIN_SYNCHRONIZED + text + END_SYNCHRONIZED
        return text

    def _encode_row(self, y: int, wanted: Frame, sent: Frame) -> bool:
        texts, looks = wanted.texts[y], wanted.looks[y]
        if texts == sent.texts[y] and looks == sent.looks[y]:
            return False
        self._encoder.row(y, (sent.texts[y], sent.looks[y]), (texts, looks))
        sent.texts[y] = texts[:]
        sent.looks[y] = looks[:]
        return True
