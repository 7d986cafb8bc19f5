"""`ferry verify`: one tree against another, or files against their checksums. It reads, and writes nothing but sums."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui import format
from tui.cli import bar, checksums, events
from tui.cli.diagnostics import SHOWN_ERRORS, Status
from tui.cli.operands import plan_transfer
from tui.cli.urls import is_far
from tui.model.error import (
    FerryError,
    NotFound,
    PlaceError,
    UsageError,
)
from tui.places.local.checking import Checked, Finding, TreeCheck, Verdict
from tui.places.local.hops import Brake
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.model.location import Location

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
        return checksums.check(
            told, file, checksums.algorithm(parsed, file), guessed=not parsed.has("--algorithm")
        )
    usage = f"Write it as: ferry {parsed.command.name} {parsed.command.operands}"
    if (file := parsed.get("--write")) is not None:
        if not parsed.operands:
            raise UsageError("--write needs what is to be summed", usage)
        refuse_far(parsed.operands)
        return checksums.write(told, file, parsed.operands, checksums.algorithm(parsed, file))
    if parsed.has("--algorithm"):
        raise UsageError("--algorithm says of --write or --check what kind of sums it is", usage)
    if len(parsed.operands) < 2:
        raise UsageError("ferry verify needs more than was given", usage)
    if any(map(is_far, parsed.operands)):
        from tui.cli import far_verify

        return far_verify.run(session, told, parsed.operands, exact=parsed.has("--exact"))
    return _compare(told, parsed.operands, exact=parsed.has("--exact"))


def refuse_far(words: Sequence[str]) -> None:
    """Refuse URLs where files are read from the disk only.

    Raises:
        UsageError: There is one.
    """
    if any(map(is_far, words)):
        raise UsageError(
            "sums are taken of files on this machine", "Compare SRC with DST, of which either may be a URL."
        )


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
