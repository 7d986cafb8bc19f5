"""What `ferry verify` says: findings on standard output, errors and the progress line on standard error."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tui import format
from tui.cli import bar, events
from tui.cli.diagnostics import SHOWN_ERRORS
from tui.cli.tally import Tally
from tui.places.local.checking import Finding, Verdict
from tui.visible import visible

if TYPE_CHECKING:
    from tui.cli.operands import Plan
    from tui.cli.session import Session
    from tui.model.error import FerryError
    from tui.model.location import Location

DRAW_EVERY_S = 0.25
_WHY = {"kind": "another kind", "link": "points elsewhere", "device": "another device"}


class Told:
    """What is said meanwhile: findings on standard output, errors and the progress line on standard error."""

    def __init__(self, session: Session, *, json: bool) -> None:
        self._session, self.json = session, json
        self.counts = Tally()
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

    def sum(self, line: bytes) -> None:
        """Write a line of sums as it is; where nobody reads them any more, `unread` says so."""
        self._session.out.write(line)

    @property
    def unread(self) -> bool:
        return self._session.out.broken

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

    def missing_at_all(self, plan: Plan) -> None:
        """Say what may have been meant where the one source is not in the folder it was looked for in."""
        counts = self.counts
        found = counts.files or counts.differs or counts.extra or counts.errors
        if plan.into and len(plan.sources) == 1 and counts.missing and not found:
            (source,) = plan.sources
            self.note(f"{source.name} was looked for in {plan.target}; --exact compares with that itself")

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
