"""The queue drawn line by line: a line of totals, then one or two lines a job. Only cells that changed are painted."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tui.format import count
from tui.model.job import JobState
from tui.ui.key_scope import KeyScope
from tui.ui.queue_feed import QueueState
from tui.ui.queue_order import QueueOrder
from tui.ui.terminal.cells import fit, split
from tui.ui.widgets.job_line import (
    Columns,
    Line,
    Piece,
    cut,
    first_line,
    needs_two,
    second_line,
    sources,
)
from tui.ui.widgets.queue_totals import totals_line
from tui.ui.widgets.rate_graph import RateGraph
from tui.visible import visible

if TYPE_CHECKING:
    from tui.model.job import Job

NEAR_CELLS = 8
"""Changed cells closer than this are sent in one go: a cursor move costs about as much."""
_OWN_GROUND = ("bar", "bar-still", "track")
_WAITS_FOR = re.compile("waits for job ([0-9]+)")
TALL_LINES = 5
"""From this height on, jobs that have begun get a second line."""


class QueueLines(KeyScope, can_focus=True):
    """Draws a `QueueState` with a cursor and marks; `paint` takes over what changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "queue--text",
        "queue--muted",
        "queue--number",
        "queue--title",
        "queue--mark",
        "queue--priority",
        "queue--current",
        "queue--cursor",
        "queue--bar",
        "queue--bar-still",
        "queue--track",
        "queue--graph",
        "queue--lost",
        "queue--queued",
        "queue--running",
        "queue--paused",
        "queue--waiting",
        "queue--done",
        "queue--failed",
        "queue--cancelled",
    }

    hint = ""
    """What stands in an empty queue."""
    filter = ""
    """Only jobs that it fits are shown; empty: all."""
    order = QueueOrder()
    """How they are listed."""
    lines_below = 0
    """Lines at the bottom that are another's."""

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.state = QueueState()
        self.graph = RateGraph()
        self.marked: set[int] = set()
        self._jobs: tuple[Job, ...] = ()
        self._rows: list[tuple[int, int]] = []
        """(index of the job, 0 or 1: which of its lines), top to bottom."""
        self._cursor = 0
        self._top = 0
        self._shown: list[Strip] = []
        self._styles_known: dict[str, Style] = {}

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs as they are shown, top to bottom."""
        return self._jobs

    @property
    def current(self) -> Job | None:
        """The job under the cursor."""
        return self._jobs[self._cursor] if self._jobs else None

    @property
    def chosen(self) -> list[Job]:
        """The marked jobs in their order, else the one under the cursor."""
        marked = [job for job in self._jobs if job.id in self.marked]
        return marked or ([self.current] if self.current else [])

    @property
    def page(self) -> int:
        """Lines below the totals."""
        return max(1, self.size.height - 1 - self.lines_below)

    @property
    def lines_wanted(self) -> int:
        """Lines that show every job, the running ones with two; a filter changes nothing, it would be jumpy."""
        columns = Columns.for_width(self.size.width)
        return 1 + sum(2 if needs_two(job, columns) else 1 for job in self.state.jobs)

    def move_cursor(self, to: int) -> None:
        """Put the cursor on the job of an index, the nearest there is."""
        self._cursor = max(0, min(to, len(self._jobs) - 1))
        self._scroll_to_cursor()
        self.paint()

    def move_cursor_by(self, jobs: int) -> None:
        self.move_cursor(self._cursor + jobs)

    def move_cursor_by_page(self, pages: int) -> None:
        per_job = max(1, len(self._rows)) / max(1, len(self._jobs))
        self.move_cursor_by(pages * max(1, int(self.page / per_job) - 1))

    def scroll_by(self, lines: int) -> None:
        """Show other lines; the cursor stays in sight."""
        self._top = max(0, min(self._top + lines, len(self._rows) - self.page))
        whole = self._jobs_in_sight()
        if whole:
            self._cursor = max(whole[0], min(self._cursor, whole[-1]))
        self.paint()

    def _jobs_in_sight(self) -> list[int]:
        """Return the indexes of the jobs all of whose lines are on the page."""
        seen, rest = self._rows[self._top :][: self.page], self._rows[self._top + self.page :][:1]
        cut = {index for index, part in seen[:1] if part} | {index for index, part in rest if part}
        return [index for index, part in seen if not part and index not in cut]

    def job_at(self, y: int) -> int | None:
        """Return the index of the job drawn at a line of the widget."""
        row = y - 1 + self._top
        return self._rows[row][0] if y > 0 and row < len(self._rows) else None

    def take_over(self) -> None:
        """Show the jobs as they are now: the cursor stays on its job, or near where that was.

        Where nobody is at the queue it goes to a job just added: that is the one meant by who comes here next. And it
        does not go with a job that is done, to where those are, but to the first that is not: what runs stays in sight.
        """
        before, ids_before = self.current, {job.id for job in self._jobs}
        line = self._first_line_of_cursor() - self._top
        self._jobs = self.order.of(self.fitting(self.state.jobs))
        if not ids_before:
            before = self._first_not_ended()
        elif not (self.has_focus or self.lines_below):
            added = [job for job in self._jobs if job.id not in ids_before]
            before = max(added, key=lambda job: job.id, default=self._not_done(before))
        known = {job.id: index for index, job in enumerate(self._jobs)}
        self.marked &= known.keys()
        self._cursor = known.get(before.id, self._cursor) if before else 0
        self._cursor = max(0, min(self._cursor, len(self._jobs) - 1))
        columns = Columns.for_width(self.size.width)
        tall = self.size.height >= TALL_LINES
        self._rows = [
            (index, part)
            for index, job in enumerate(self._jobs)
            for part in range(2 if tall and needs_two(job, columns) else 1)
        ]
        if self._top:  # what moved up or down above the page moves nothing on it
            self._top = max(0, self._first_line_of_cursor() - line)
        self._scroll_to_cursor()
        self.paint()

    def fitting(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        """Return those of the jobs that the filter fits."""
        return jobs

    def _first_line_of_cursor(self) -> int:
        return next((row for row, (index, _) in enumerate(self._rows) if index == self._cursor), 0)

    def _not_done(self, job: Job | None) -> Job | None:
        """Return the job, unless it has ended just now and needs nobody: then the first that has not ended."""
        now = self.state.get(job.id) if job else None
        if job is None or job.state.is_final or now is None or not now.state.is_final:
            return job
        return now if now.state is JobState.FAILED else self._first_not_ended()

    def _first_not_ended(self) -> Job | None:
        return next((job for job in self._jobs if not job.state.is_final), next(iter(self._jobs), None))

    def paint(self) -> None:
        """Draw all lines, and ask the screen for those cells that differ from what it shows."""
        width, height = self.size
        if not self._styles_known:
            self._shown = []
        drawn = [self._draw(y, width) for y in range(height)]
        before, self._shown = self._shown, drawn
        if len(before) != height or any(strip.cell_length != width for strip in before):
            self.refresh()
            return
        regions = [
            Region(x, y, length, 1)
            for y, (old, new) in enumerate(zip(before, drawn, strict=True))
            for x, length in changed_spans(old, new)
        ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Return a line as `paint` drew it."""
        if y < len(self._shown) and self._shown[y].cell_length == self.size.width and self._styles_known:
            return self._shown[y]
        return self._draw(y, self.size.width)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_known = {}
        if self.is_mounted:
            self.call_later(self.paint)

    def _scroll_to_cursor(self) -> None:
        """Leaving the page shows half a page more, so that the next steps paint two lines only."""
        rows = [row for row, (index, _) in enumerate(self._rows) if index == self._cursor]
        if rows and (rows[0] < self._top or rows[-1] >= self._top + self.page):
            half = self.page // 2
            self._top = rows[0] - half if rows[0] < self._top else rows[-1] - self.page + 1 + half
        self._top = max(0, min(self._top, len(self._rows) - self.page))

    def _draw(self, y: int, width: int) -> Strip:
        if y == 0:
            chosen = (self._filter_text(), self.order.shown)
            totals = totals_line(self.state, self.graph, self._position(), width, chosen)
            return self._strip(totals, width, "title")
        row = y - 1 + self._top
        if row >= len(self._rows):
            text = self._empty_line(y - 1) if not self._rows else ""
            return self._strip(cut([Piece("  "), Piece(text, "muted")], width) if text else [], width)
        index, part = self._rows[row]
        job = named_blocker(self.state.shown(self._jobs[index]), self.state)
        columns = Columns.for_width(width)
        line = second_line(job, columns) if part else first_line(job, columns, job.id in self.marked)
        return self._strip(cut(line, width), width, under="cursor" if index == self._cursor else "text")

    def _filter_text(self) -> str:
        """Return what is filtered by and how many fit, as a pane says it."""
        if not self.filter:
            return ""
        return f"{fit(visible(self.filter), 20)}: {count(len(self._jobs))} of {count(len(self.state.jobs))}"

    def _position(self) -> str:
        """Return where the cursor is among the jobs, where not all can be seen."""
        return f"{self._cursor + 1}/{len(self._jobs)}" if len(self._rows) > self.page else ""

    def _empty_line(self, number: int) -> str:
        """Return one of the lines that say why there are no jobs; the last one there is room for has all the rest."""
        lines = textwrap.wrap(self._empty_text(), max(20, self.size.width - 3))
        if number == self.page - 1:
            return " ".join(lines[number:])
        return lines[number] if number < len(lines) else ""

    def _empty_text(self) -> str:
        if self.state.lost:
            return self.state.lost
        if self.filter:
            return "Nothing fits the filter."
        return self.hint if self.state.status is not None else "Asking the engine for its jobs"

    def _strip(self, line: Line, width: int, under: str = "text") -> Strip:
        ground = self._style(under)
        over = Style(bgcolor=ground.bgcolor)
        if under == "cursor" and (self.has_focus or self.lines_below):
            over += Style(color=ground.color)  # colours of states may not be readable on the cursor's
        segments = [
            Segment(piece.text, self._style(piece.style) + (Style() if piece.style in _OWN_GROUND else over))
            for piece in line
        ]
        return Strip(segments).adjust_cell_length(width, ground).simplify()

    def _style(self, name: str) -> Style:
        if name not in self._styles_known:
            self._styles_known[name] = self.get_component_rich_style(f"queue--{name}")
        return self._styles_known[name]


def named_blocker(job: Job, state: QueueState) -> Job:
    """Return a job whose note tells the one it waits for by what that is about, as the list shows no numbers."""
    found = _WAITS_FOR.match(job.note)
    blocker = state.get(int(found[1])) if found else None
    if found is None or blocker is None:
        return job
    return replace(job, note=f"waits for {blocker.title} {sources(blocker)}{job.note[found.end() :]}")


def changed_spans(old: Strip, new: Strip) -> list[tuple[int, int]]:
    """Return (first cell, number of cells) of what differs between two lines of one length, left to right."""
    if old == new:
        return []
    spans: list[tuple[int, int]] = []
    for x, (before, after) in enumerate(zip(_cells(old), _cells(new), strict=True)):
        if before == after:
            continue
        if spans and x - sum(spans[-1]) < NEAR_CELLS:
            spans[-1] = (spans[-1][0], x + 1 - spans[-1][0])
        else:
            spans.append((x, 1))
    return spans


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """Return what stands in each cell; both cells of a wide character hold it, so that both change."""
    out: list[tuple[str, Style | None]] = []
    for text, style, _ in strip:
        for cell in split(text):
            out.append((cell or out[-1][0], style))
    return out
