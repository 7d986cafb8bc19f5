"""The queue's first line: how many jobs, how fast, under which limits, and whether the engine answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tui import format as fmt
from tui.config import rate_text
from tui.model.job import JobState
from tui.ui.terminal.cells import cells
from tui.ui.widgets.job_line import Line, Piece, cut, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.ui.queue_feed import QueueState
    from tui.ui.widgets.rate_graph import RateGraph

_COUNTED = {
    JobState.RUNNING: 10,
    JobState.WAITING: 9,
    JobState.QUEUED: 5,
    JobState.PAUSED: 4,
    JobState.FAILED: 8,
    JobState.DONE: 2,
    JobState.CANCELLED: 1,
}
"""How much each count matters."""


class Part(NamedTuple):
    """Something the line says; what matters least is left out first."""

    matters: int
    piece: Piece


def totals_line(
    state: QueueState, graph: RateGraph, position: str, width: int, chosen: Sequence[str] = ()
) -> Line:
    """Return the totals in exactly `width` cells; on a narrow screen what matters least is left out.

    Args:
        position: Where the cursor is.
        chosen: What was chosen about the list, such as its filter; nothing of an empty one.
    """
    left, right = _counts(state), _measures(state, graph, width)
    left = [*(Part(10, Piece(each, "mark")) for each in chosen if each), *left]
    if position:
        left.append(Part(3, Piece(position, "muted")))
    title = [Piece(" Queue  ", "title")]
    while left + right and _width(_joined(left)) + _width(_joined(right)) + 12 > width:
        least = min(part.matters for part in left + right)
        side = left if any(part.matters == least for part in left) else right
        side.remove(next(part for part in side if part.matters == least))
    line, end = [*title, *_joined(left, " · ")], _joined(right)
    gap = width - _width(line) - _width(end) - 1
    return cut([*line, Piece(" " * max(1, gap)), *end], width)


def engine_words(state: QueueState) -> tuple[str, str]:
    """Return how it stands with the engine, and the style to say it in."""
    if state.lost:
        return "engine lost: trying again", "lost"
    if state.silent:
        return "engine does not answer", "lost"
    if state.status is None:
        return "engine starting", "muted"
    if state.status.in_process:
        return "engine in this process", "paused"
    return "engine connected", "muted"


def _counts(state: QueueState) -> list[Part]:
    counted = ((each, matters, state.count(each)) for each, matters in _COUNTED.items())
    return [
        Part(matters, Piece(f"{fmt.count(count)} {each.value}", each.value))
        for each, matters, count in counted
        if count
    ]


def _measures(state: QueueState, graph: RateGraph, width: int) -> list[Part]:
    words, style = engine_words(state)
    parts: list[Part] = []
    if state.status is not None and state.is_heard:
        if state.rate_bytes_s or not graph.is_flat:
            parts.append(Part(5, Piece(graph.draw(_graph_cells(width)), "graph")))
            parts.append(Part(9, Piece(f"{fmt.rate(state.rate_bytes_s):>10}", "number")))
        parts += _left(state)
        limited = state.status.limit_bytes_s is not None
        limit = f"limit {rate_text(state.status.limit_bytes_s)}" if limited else "no limit"
        parts.append(Part(6 if limited else 1, Piece(limit, "paused" if limited else "muted")))
        parts.append(Part(2, Piece(f"{state.status.slots} at once", "muted")))
    parts.append(Part(1 if style == "muted" else 9, Piece(words, style)))
    return parts


def _left(state: QueueState) -> list[Part]:
    """Return how much is to be moved yet and how long that takes, in cells that keep their place."""
    left = state.left
    if not left.size_bytes:
        return []
    text = f"{fmt.size(left.size_bytes)}{'' if left.complete else '+'} left"
    parts = [Part(7, Piece(f"{text:>13}", "number"))]
    if left.time_s is not None:
        parts.append(Part(8, Piece(f"{time_text(left.time_s):>5}", "number")))
    return parts


def _graph_cells(width: int) -> int:
    return 60 if width >= 180 else 30 if width >= 130 else 12 if width >= 100 else 8


def _joined(parts: list[Part], mark: str = "   ") -> Line:
    line: Line = []
    for number, part in enumerate(parts):
        line += [Piece(mark, "muted"), part.piece] if number else [part.piece]
    return line


def _width(line: Line) -> int:
    return sum(cells(piece.text) for piece in line)
