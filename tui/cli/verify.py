"""`ferry verify`: one tree against another, or files against their checksums. It reads, and writes nothing but sums."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui import format
from tui.cli import bar, events
from tui.cli.diagnostics import SHOWN_ERRORS, Status
from tui.cli.operands import locate, plan_transfer
from tui.cli.sums import algorithm_of, can_hold, read_line, write_line
from tui.model.error import (
    AlreadyExists,
    FerryError,
    NotFound,
    PlaceError,
    Unsupported,
    UsageError,
    from_os_error,
)
from tui.places.local.checking import Checked, Finding, TreeCheck, Verdict
from tui.places.local.hops import Brake
from tui.places.local.root import Root
from tui.places.local.summing import Algorithm, Sum, sum_of, sums_below
from tui.places.local.syscalls import rename_no_replace
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.model.location import Location

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
DRAW_EVERY_S = 0.25
_WHY = {"kind": "another kind", "link": "points elsewhere", "device": "another device"}


def run(session: Session, parsed: Parsed) -> int:
    """Do what the words ask for and return the exit status."""
    told = Told(session, json=parsed.has("--json"))
    if parsed.has("--write") and parsed.has("--check"):
        raise UsageError("--write and --check exclude each other")
    if (file := parsed.get("--check")) is not None:
        if parsed.operands:
            raise UsageError("--check takes no operands: the file names what is checked")
        return _check(told, file, _algorithm(parsed, file), guessed=not parsed.has("--algorithm"))
    usage = f"Write it as: ferry {parsed.command.name} {parsed.command.operands}"
    if (file := parsed.get("--write")) is not None:
        if not parsed.operands:
            raise UsageError("--write needs what is to be summed", usage)
        return _write(told, file, parsed.operands, _algorithm(parsed, file))
    if parsed.has("--algorithm"):
        raise UsageError("--algorithm says of --write or --check what kind of sums it is", usage)
    if len(parsed.operands) < 2:
        raise UsageError("ferry verify needs more than was given", usage)
    return _compare(told, parsed.operands, exact=parsed.has("--exact"))


@dataclass(slots=True)
class Counts:
    """How much was read, and how it was found."""

    files: int = 0
    size_bytes: int = 0
    differs: int = 0
    missing: int = 0
    extra: int = 0
    errors: int = 0

    @property
    def status(self) -> Status:
        return Status.ERRORS if self.differs or self.missing or self.extra or self.errors else Status.DONE


class Told:
    """What is said meanwhile: findings on standard output, errors and the progress line on standard error."""

    def __init__(self, session: Session, *, json: bool) -> None:
        self._session, self.json = session, json
        self.counts = Counts()
        self._began = self._drawn = time.monotonic()

    def finding(self, found: Finding) -> None:
        setattr(self.counts, found.verdict, getattr(self.counts, found.verdict) + 1)
        if self.json:
            self._session.out.json(events.finding(found))
            return
        why = f" ({_WHY.get(found.why, found.why)})" if found.why else ""
        self._session.messages.erase()
        self._session.out.line(f"{found.verdict:8} {visible(str(found.target))}{why}")

    def line(self, verdict: Verdict, name: bytes, location: Location) -> None:
        """Tell how a line of a checksum file does not hold."""
        setattr(self.counts, verdict, getattr(self.counts, verdict) + 1)
        if self.json:
            self._session.out.json(events.finding(Finding(verdict, location, location, "")))
            return
        self._session.messages.erase()
        self._session.out.line(f"{verdict:8} {visible(os.fsdecode(name))}")

    def error(self, error: FerryError, location: Location | None = None) -> None:
        self.counts.errors += 1
        if self.json:
            self._session.out.json(events.refusal(error, location))
        if self.counts.errors <= SHOWN_ERRORS:
            self._session.messages.error(error)

    def note(self, text: str) -> None:
        self._session.messages.note(text)

    def read(self, size_bytes: int, current: str) -> None:
        self.counts.size_bytes += size_bytes
        now = time.monotonic()
        if self._session.messages.is_terminal and now - self._drawn >= DRAW_EVERY_S:
            self._drawn = now
            counts = self.counts
            amount = f"{format.entries(counts.files)}  {format.size(counts.size_bytes)}"
            rate = format.rate(counts.size_bytes / (now - self._began))
            line = f"verifying  {amount}  {rate}  {visible(current)}"
            self._session.messages.draw(bar.cut(line, self._session.messages.columns() - bar.SPARE_CELLS))

    def end(self, done: str, *, alike: bool = True) -> int:
        """Say in one line what came of it, and return the exit status.

        Args:
            alike: Something was compared, so that no finding means that all is alike.
        """
        counts, session = self.counts, self._session
        session.messages.erase()
        if counts.errors > SHOWN_ERRORS:
            session.messages.say(f"… and {counts.errors - SHOWN_ERRORS:,} more")
        if self.json:
            session.out.json(events.verified(counts, int(counts.status)))
            return counts.status
        parts = (
            (counts.differs, "differs" if counts.differs == 1 else "differ"),
            (counts.missing, "missing"),
            (counts.extra, "extra"),
            (counts.errors, "not done, see above"),
        )
        text = ", ".join(f"{format.count(number)} {what}" for number, what in parts if number)
        text = text or ("all alike" if alike else "")
        files = f"{done} {format.entries(counts.files)}, {format.size(counts.size_bytes)}"
        session.out.line(f"{files}: {text}" if text else files)
        return counts.status


def _compare(told: Told, operands: list[str], *, exact: bool) -> int:
    plan = plan_transfer(operands, "verify", exact=exact)
    for refused in plan.refused:
        told.error(refused, refused.location)
    for source, final in plan.finals():
        check = TreeCheck(source, final, Brake())
        try:
            while not check.exhausted:
                _tell(told, check.step())
        except NotFound as error:
            told.error(error, error.location)
        except PlaceError as error:
            told.error(error, error.location)
        finally:
            check.close()
    return told.end("verified")


def _tell(told: Told, part: Checked) -> None:
    told.counts.files += part.files
    for finding in part.findings:
        told.finding(finding)
    for error in part.failures:
        told.error(error, error.location)
    told.read(part.size_bytes, part.current.name if part.current else "")


# Checksum files


def _algorithm(parsed: Parsed, file: str) -> Algorithm:
    said = parsed.get("--algorithm")
    return Algorithm(said) if said else algorithm_of(file)


def _write(told: Told, file: str, operands: list[str], algorithm: Algorithm) -> int:
    """Write the sums of files; the file appears when it is whole, and never over another one."""
    if file == "-":
        if told.json:
            raise UsageError("--json and --write - exclude each other", "Name a file for the sums.")
        _write_sums(told, sys.stdout.buffer, operands, algorithm)
        sys.stdout.buffer.flush()
        return told.counts.status
    place = locate(file)
    if os.path.lexists(place.path):
        raise AlreadyExists(f"cannot write {place}: something of that name is already there", location=place)
    name, partial = (
        os.fsencode(place.name),
        b".ferry-checksum-%d" % os.getpid(),
    )  # a name that is never summed
    with Root.open(place.parent.path) as folder:
        try:
            fd = os.open(partial, _NEW_FILE, 0o666, dir_fd=folder.fd)
            try:
                with open(fd, "wb") as out:
                    _write_sums(told, out, operands, algorithm)
                    out.flush()
                    os.fsync(fd)
                rename_no_replace(folder.fd, partial, folder.fd, name)
            except BaseException:
                os.unlink(partial, dir_fd=folder.fd)
                raise
        except OSError as error:
            raise from_os_error(error, place, "write") from error
    return told.end("summed", alike=False)


def _write_sums(told: Told, out: BinaryIO, operands: list[str], algorithm: Algorithm) -> None:
    for word in operands:
        source = locate(word)
        above = os.fsencode(word.rstrip("/")).rpartition(b"/")
        for piece in sums_below(source, algorithm):
            if isinstance(piece, PlaceError):
                told.error(piece, piece.location)
            elif isinstance(piece, Sum):
                name = above[0] + above[1] + piece.path
                if not can_hold(algorithm, name):
                    told.error(_no_name(source.parent.below(os.fsdecode(piece.path))))
                    continue
                told.counts.files += 1
                out.write(write_line(piece.digest, name))
            else:
                told.read(piece, source.name)


def _no_name(location: Location) -> Unsupported:
    message = f"cannot write the sum of {location}: b3sum takes no name that is not UTF-8"
    return Unsupported(message, "Use --algorithm sha256.", location=location)


def _check(told: Told, file: str, algorithm: Algorithm, *, guessed: bool) -> int:
    """Read files again and compare their sums with those written down; names go from the current folder.

    Args:
        guessed: Nobody said which sums these are: where not one agrees, they may be of the other kind.
    """
    wrong = 0
    for line in _lines(file):
        found = read_line(line)
        if found is None:
            wrong += 1
            continue
        told.counts.files += 1
        location = locate(os.fsdecode(found.name))
        try:
            if _sum(told, found.name, found.algorithm or algorithm) != found.digest:
                told.line(Verdict.DIFFERS, found.name, location)
        except NotFound:
            told.line(Verdict.MISSING, found.name, location)
        except PlaceError as error:
            told.error(error, error.location)
    if wrong or not told.counts.files:
        lines = format.entries(wrong, "line is no sum", "lines are no sums") if wrong else "it holds no sums"
        told.error(FerryError(f"{file}: {lines}", "Ferry reads what sha256sum and b3sum write."), None)
    counts = told.counts
    if guessed and counts.differs and counts.differs + counts.missing + counts.errors == counts.files:
        other = Algorithm.SHA256 if algorithm is Algorithm.BLAKE3 else Algorithm.BLAKE3
        told.note(f"they were taken for {algorithm} sums; if they are not, say --algorithm {other}")
    return told.end("checked")


def _sum(told: Told, name: bytes, algorithm: Algorithm) -> str:
    reading = sum_of(name, algorithm)
    while True:
        try:
            told.read(next(reading), os.fsdecode(name))
        except StopIteration as end:
            digest: str = end.value
            return digest


def _lines(file: str) -> Iterator[bytes]:
    """Yield the lines of a file of sums, without their ends; comments and empty lines are left out."""
    place = locate(file)
    try:
        with open(place.path, "rb") as lines:
            for line in lines:
                text = line.rstrip(b"\r\n")
                if text and not text.startswith(b"#"):
                    yield text
    except OSError as error:
        raise from_os_error(error, place, "read") from error
