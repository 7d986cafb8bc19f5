"""One job as text: what stands in which cells, whatever the width. Pure: colours are names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from tui import format as fmt
from tui.config import rate_text
from tui.model.job import JobKind, JobState
from tui.ui.addresses import same_place, short_host, shortened
from tui.ui.terminal.cells import cells, fit
from tui.visible import visible

if TYPE_CHECKING:
    from tui.model.job import Job, Progress
    from tui.model.location import Location


class Piece(NamedTuple):
    """Some text in one style."""

    text: str
    style: str = "text"


Line = list[Piece]

SIGNS: dict[JobState, str] = {
    JobState.QUEUED: "○",
    JobState.RUNNING: "►",
    JobState.PAUSED: "‖",
    JobState.WAITING: "?",
    JobState.DONE: "✓",
    JobState.FAILED: "✗",
    JobState.CANCELLED: "–",
}
PRIORITY_SIGNS = {1: "⇓", 2: "↓", 3: " ", 4: "↑", 5: "⇑"}
PRIORITY_WORDS = {1: "lowest", 2: "low", 3: "normal", 4: "high", 5: "highest"}
_EIGHTHS = " ▏▎▍▌▋▊▉"
_BY_FILES = (JobKind.DELETE, JobKind.TRASH, JobKind.CHMOD, JobKind.RENAME, JobKind.MAKE)
_HEAD = 23
"""Cells beside the name: mark, priority with a space, sign, state, kind, and a space after it."""
_STATE, _KIND = 10, 7
"""Cells of these in the head: left to the sign, and to the details, where names would have no room."""
_WITH_STATE = 76
"""Below this width a line tells its state by the sign alone."""
_SHORT = 60
"""Below this width it tells no kind either, and no time left."""
_NARROW = 100
"""Below this width the bar stands in the second line."""
_ON_THE_SAME = " on the same "
_REMEDY = ": "
"""Between what a job lacks and what to do about it."""
_WORDS = 34
"""Cells an ended or queued job has at least to say how it stands."""

_BETWEEN = 3
"""Cells between two remarks."""
_WORTH_A_PIECE = 8
"""Cells from which on the part of a remark says something."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What stands in a job's first line at some width, and how wide its bar is."""

    width: int
    bar: int
    with_bar: bool
    with_bytes: bool
    with_files: bool

    @classmethod
    def for_width(cls, width: int) -> Columns:
        bar = 14 if width < _NARROW else 16 if width < 170 else 24
        return cls(width, bar, width >= _NARROW, width >= 110, width >= 140)

    @property
    def numbers(self) -> int:
        """Cells of bar and numbers, right of the name."""
        return (
            (self.bar + 1 if self.with_bar else 0)
            + 4
            + (20 if self.with_files else 0)
            + (19 if self.with_bytes else 0)
            + (11 if self.short else 20)
        )

    @property
    def short(self) -> bool:
        return self.width < _SHORT

    @property
    def with_state(self) -> bool:
        return self.width >= _WITH_STATE

    def name(self, right: int) -> int:
        """Return the cells of the name where so many stand right of it."""
        head = _HEAD - (0 if self.with_state else _STATE) - (_KIND if self.short else 0)
        return max(8, self.width - head - right)


def sources(job: Job) -> str:
    """Return the name of what a job is about, and how many more there are."""
    more = f" + {fmt.count(job.source_count - 1)} more" if job.source_count > 1 else ""
    return visible(job.first_source.name or str(job.first_source)) + more


def fraction(job: Job) -> float:
    """Return how much is done, 0 to 1: by bytes where bytes are moved, else by files."""
    if job.state is JobState.DONE:
        return 1.0
    progress = job.progress
    done, total = progress.bytes_done, progress.bytes_total
    if job.kind in _BY_FILES or not total:
        done, total = progress.files_done, progress.files_total
    return min(1.0, done / total) if total else 0.0


def percent(job: Job) -> str:
    """Return four cells: " 63%", never 100% before the end; a dash where it would be of a total that still grows."""
    known = job.progress.files_total or job.progress.bytes_total
    if not job.state.is_final and (job.progress.counting or not known):
        return "   –"
    whole = 100 if job.state is JobState.DONE else min(99, int(fraction(job) * 100))
    return f"{whole}%".rjust(4)


def bar(share: float, width: int) -> tuple[str, str]:
    """Return the filled cells of a bar, to an eighth, and its empty ones."""
    eighths = int(max(0.0, min(1.0, share)) * width * 8)
    filled = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return filled, " " * (width - len(filled))


def what(job: Job, width: int) -> str:
    """Return what is moved where, in exactly `width` cells."""
    more = f" + {fmt.count(job.source_count - 1)} more" if job.source_count > 1 else ""
    if job.target is None:
        name, rest = (
            visible(job.first_source.name or "/"),
            f"{more} in {visible(str(job.first_source.parent))}",
        )
        if cells(name) + cells(rest) <= width:
            return _padded(name + rest, width)
        name_width = width - cells(more)
        return _padded(
            fit(name, name_width, "extension") + more if name_width > 7 else fit(name, width), width
        )
    source, target = visible(job.first_source.name or "/"), _target(job)
    if not (job.first_source.is_local or same_place(job.first_source, job.target)):
        there = f"{visible(short_host(job.first_source))}:{source}"
        source = there if cells(there) + cells(more) + 3 + cells(target) <= width else source
    room = width - cells(more) - 3
    if room < 12:
        more, room = ("…" if more else ""), width - 3 - bool(more)
    source_width = min(cells(source), max(room // 2, room - cells(target)))
    shown = fit(source, source_width, "extension")
    if more == shown[-1:] == "…":  # it says already that something is missing
        more, room = "", room + 1
    text = f"{shown}{more} → {shortened(target, room - source_width)}"
    return _padded(text, width)


def first_line(job: Job, columns: Columns, marked: bool) -> Line:
    """Return the cells of a job's one line, or its first."""
    words = job.state.is_final or not has_begun(job)
    room = max(columns.numbers, columns.width // 2 if columns.short else _WORDS) if words else columns.numbers
    said = (outcome(job, room) if job.state.is_final else fit(_note(job, room), room)) if words else ""
    right = cells(said) if words else room
    line = [
        Piece("●" if marked else " ", "mark"),
        Piece(f"{PRIORITY_SIGNS.get(job.priority, ' ')} ", "priority"),
        Piece(
            f"{SIGNS[job.state]} " + (f"{job.state.value:9} " if columns.with_state else ""), job.state.value
        ),
        Piece("" if columns.short else f"{job.title:6} ", "muted"),
        Piece(what(job, columns.name(right)), "muted" if job.state.is_final else "text"),
        Piece(" "),
    ]
    if words:
        return [*line, Piece(said, job.state.value if job.state.is_final else "muted")]
    return line + _numbers(job, columns)


def _note(job: Job, room: int) -> str:
    """Return why a job does not go on; where what it waits for is only if there is room for all."""
    note = visible(job.note)
    if job.wants_room:  # what to do about it is said already
        note = note.rpartition(_REMEDY)[0] or note
    return note if cells(note) <= room else note.partition(_ON_THE_SAME)[0]


def _numbers(job: Job, columns: Columns) -> Line:
    progress = job.progress
    running = job.state is JobState.RUNNING
    return [
        *(_bar(job, columns) if columns.with_bar else []),
        Piece(percent(job), "number"),
        Piece(f" {files(progress, 9)}" if columns.with_files else ""),
        Piece(f" {moved(progress)}" if columns.with_bytes else ""),
        Piece(f" {fmt.rate(progress.rate_bytes_s) if running else '':>10}", "number"),
        Piece("" if columns.short else f" {time_left(progress) if running else '':>8}", "muted"),
    ]


def _bar(job: Job, columns: Columns) -> Line:
    # A share of what was counted so far would start near the whole, and fall.
    filled, empty = bar(0.0 if job.progress.counting else fraction(job), columns.bar)
    style = "bar" if job.state is JobState.RUNNING else "bar-still"
    return [Piece(filled, style), Piece(empty, "track"), Piece(" ")]


def second_line(job: Job, columns: Columns) -> Line:
    """Return what else there is to say of a job that has begun: numbers left out above, trouble, the current file.

    Returns:
        Pieces, or nothing where there is nothing to say.
    """
    pieces = _remarks(job, columns)
    # What is to be done needs the room that a bar would take.
    told = (columns.short and job.asks) or (job.wants_room and not job.progress.bytes_done)
    line = [Piece("     "), *([] if columns.with_bar or told else _bar(job, columns))]
    if len(line) == 1 and not pieces:
        return []
    room = columns.width - sum(cells(piece.text) for piece in line)
    for number, piece in enumerate(pieces):
        if number:
            room -= _BETWEEN
            if room < min(cells(piece.text), _WORTH_A_PIECE):
                break
            line.append(Piece(" · ", "muted"))
        line.append(piece)
        room -= cells(piece.text)
    return cut(line, columns.width)


def _remarks(job: Job, columns: Columns) -> Line:
    progress = job.progress
    pieces: Line = []
    if progress.questions:
        asks = fmt.entries(progress.questions, "question waits", "questions wait")
        pieces.append(Piece(f"{asks}: press a", "waiting"))
    if job.wants_host:
        pieces.append(Piece("waits for an answer: press a", "waiting"))
    if job.wants_names:
        pieces.append(Piece("names do not fit: press a", "waiting"))
    if job.wants_room:
        pieces.append(Piece("make room, press p", "waiting"))
    if columns.short and job.state is JobState.RUNNING and (left := time_left(progress)):
        pieces.append(Piece(left, "muted"))
    if progress.errors:
        pieces.append(Piece(fmt.entries(progress.errors, "error"), "failed"))
    if job.note and not job.wants_host:  # it would say the same once more
        note = _note(job, columns.width if columns.with_bar else 0)
        pieces.append(Piece(note, "waiting" if job.state is JobState.WAITING else "muted"))
    if not columns.with_files:
        pieces.append(Piece(f"{files(progress)} files"))
    if not columns.with_bytes and progress.bytes_total:
        pieces.append(Piece(moved(progress).strip()))
    if job.limit_bytes_s is not None:
        pieces.append(Piece(f"limit {rate_text(job.limit_bytes_s)}", "muted"))
    if progress.current is not None and job.state is JobState.RUNNING:
        if progress.verifying:
            pieces.append(Piece(f"verifying, {fmt.size(progress.bytes_verified)} so far", "muted"))
        pieces.append(Piece(_shown_below(job, progress.current), "current"))
    return pieces


def has_begun(job: Job) -> bool:
    """Whether a job's numbers are worth a bar."""
    progress = job.progress
    return job.state in (JobState.RUNNING, JobState.WAITING) or bool(progress.files_total or progress.errors)


def needs_two(job: Job, columns: Columns) -> bool:
    """Whether a second line is worth its room; a running job always has one, so that lines do not come and go."""
    if job.state.is_final or not has_begun(job):
        return False
    return job.state is JobState.RUNNING or bool(second_line(job, columns))


def outcome(job: Job, width: int) -> str:
    """Return how an ended job ended: as much as fits, what matters most first."""
    progress = job.progress
    done, total = fmt.count(progress.files_done), fmt.entries(progress.files_total)
    parts = [fmt.entries(progress.files_done) if job.state is JobState.DONE else f"{done} of {total}"]
    if job.undone_by:
        parts.insert(0, "undone")
    if progress.errors:
        parts.insert(0, fmt.entries(progress.errors, "error"))
    if progress.files_skipped:
        parts.append(f"{fmt.count(progress.files_skipped)} skipped")
    if progress.files_verified:
        parts.append(f"{fmt.count(progress.files_verified)} verified")
    if progress.files_removed:
        parts.append(f"{fmt.count(progress.files_removed)} removed")
    if progress.bytes_done and progress.files_done and job.kind not in _BY_FILES:  # half files were removed
        parts.append(fmt.size(progress.bytes_done))
    if job.started_at is not None and job.ended_at is not None:
        parts.append(took(job.ended_at - job.started_at))
    while len(parts) > 1 and cells(" · ".join(parts)) > width:
        parts.pop()
    return fit(" · ".join(parts), width)


def files(progress: Progress, width: int = 0) -> str:
    """Return "  12/5,678", a "+" behind a total that still grows; padded to 2 * width + 1 cells."""
    total = fmt.count(progress.files_total) + ("+" if progress.counting else "")
    return f"{fmt.count(progress.files_done):>{width or len(total)}}/{total:<{width}}"


def moved(progress: Progress) -> str:
    """Return bytes done of bytes in all, in 18 cells."""
    total = fmt.size(progress.bytes_total) + ("+" if progress.counting else "")
    return f"{fmt.size(progress.bytes_done):>8}/{total:<9}"


def time_left(progress: Progress) -> str:
    """Return the time left in eight cells at most, or nothing where nobody knows."""
    if progress.time_left_s is None or progress.counting:
        return "counting" if progress.counting else ""
    return time_text(progress.time_left_s)


def took(seconds: float) -> str:
    """Return how long something took that is over."""
    return fmt.duration(seconds) if seconds >= 1 else "<1 s"


def time_text(seconds: float) -> str:
    """Return a time that is left in nine cells at most."""
    days = seconds / fmt.SECONDS_A_DAY
    return fmt.duration(seconds) if days < 10 else f"{min(days, 9999):.0f} days"


def cut(line: Line, width: int) -> Line:
    """Return a line cut to `width` cells; the last piece that fits partly keeps its end."""
    out: Line = []
    for piece in line:
        room = width - sum(cells(done.text) for done in out)
        if room <= 0:
            break
        keep: Literal["start", "end"] = "end" if piece.style == "current" else "start"
        out.append(piece if cells(piece.text) <= room else Piece(fit(piece.text, room, keep), piece.style))
    return out


def _target(job: Job) -> str:
    target = visible(str(job.target))
    return target if not job.into or target.endswith("/") else f"{target}/"


def _shown_below(job: Job, current: Location) -> str:
    """Return the current file as seen from the folder that holds the first source, where it lies there."""
    folder = job.first_source.parent
    return visible(folder.relative(current) if folder.holds(current) else str(current))


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - cells(text))
