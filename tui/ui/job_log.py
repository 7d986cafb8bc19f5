"""What the engine's log has of one job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[,.]\d+ ([A-Z]+) +[\w.]+: (.*)")
_ENGINE = re.compile("engine .*(starts|stops)")


class Note(NamedTuple):
    """One line of the log: a time of this machine, whether it tells of trouble, and the text."""

    at: str
    is_trouble: bool
    text: str


def read_log(path: Path, job: int) -> list[Note]:
    """Return what is noted of a job, the oldest first, with the engine's starts and stops meanwhile. Reads the disk.

    The log is two files of a megabyte at most: what is older is gone.

    Raises:
        OSError: There is a log, and it cannot be read.
    """
    of_job = f"job {job}: "
    notes = [
        note
        for note in _notes(path)
        if note.text.startswith(of_job) or (note.text.startswith("engine ") and _ENGINE.match(note.text))
    ]
    own = [number for number, note in enumerate(notes) if note.text.startswith(of_job)]
    if not own:
        return []
    return [note._replace(text=note.text.removeprefix(of_job)) for note in notes[own[0] : own[-1] + 1]]


def _notes(path: Path) -> Iterator[Note]:
    for file in (path.with_name(f"{path.name}.1"), path):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
        for line in text.split("\n"):
            if found := _LINE.fullmatch(line):
                yield Note(found[1], found[2] not in ("DEBUG", "INFO"), found[3])
