"""`ferry verify`: one tree against another, or files against their checksums. It reads, and writes nothing but sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli import checksums
from tui.cli.exclusions import exclusion_of, leave_out_sources
from tui.cli.findings import Told
from tui.cli.operands import plan_transfer
from tui.cli.urls import is_far
from tui.model.error import PlaceError, UsageError
from tui.places.local.checking import TreeCheck
from tui.places.local.hops import Brake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.arguments import Parsed
    from tui.cli.session import Session
    from tui.model.exclusion import Exclusion
    from tui.places.local.checking import Checked


def run(session: Session, parsed: Parsed) -> int:
    """Do what the words ask for and return the exit status."""
    told = Told(session, json=parsed.has("--json"))
    if parsed.has("--write") and parsed.has("--check"):
        raise UsageError("--write and --check exclude each other")
    if parsed.has("--write") or parsed.has("--check"):
        comparing = [option for option in ("--exact", "--exclude", "--exclude-from") if parsed.has(option)]
        if comparing:
            raise UsageError(f"{comparing[0]} is for comparing SRC with DST, not for sums")
    if (file := parsed.get("--check")) is not None:
        if parsed.operands:
            raise UsageError("--check takes no operands: the file names what is checked")
        return checksums.check(
            told, file, checksums.algorithm(parsed, file), guessed=not parsed.has("--algorithm")
        )
    usage = f"Write it as: ferry {parsed.command.name} {parsed.command.operands}"
    if (file := parsed.get("--write")) is not None:
        if not parsed.operands:
            raise UsageError(
                "--write needs what is to be summed", "Write it as: ferry verify --write FILE PATH…"
            )
        refuse_far(parsed.operands)
        return checksums.write(told, file, parsed.operands, checksums.algorithm(parsed, file))
    if parsed.has("--algorithm"):
        raise UsageError("--algorithm says of --write or --check what kind of sums it is", usage)
    if len(parsed.operands) < 2:
        raise UsageError("ferry verify needs more than was given", usage)
    exclude = exclusion_of(parsed)
    if any(map(is_far, parsed.operands)):
        from tui.cli import far_verify

        return far_verify.run(session, told, parsed.operands, exact=parsed.has("--exact"), exclude=exclude)
    return _compare(told, parsed.operands, exact=parsed.has("--exact"), exclude=exclude)


def refuse_far(words: Sequence[str]) -> None:
    """Refuse URLs where files are read from the disk only.

    Raises:
        UsageError: There is one.
    """
    if any(map(is_far, words)):
        raise UsageError(
            "sums are taken of files on this machine", "Compare SRC with DST, of which either may be a URL."
        )


def _compare(told: Told, operands: list[str], *, exact: bool, exclude: Exclusion) -> int:
    plan = plan_transfer(operands, "verify", exact=exact)
    leave_out_sources(plan, exclude)
    for refused in plan.refused:
        told.error(refused, refused.location)
    for source, final in plan.finals():
        check = TreeCheck(source, final, Brake(), exclude=exclude)
        try:
            while not check.exhausted:
                _tell(told, check.step())
        except PlaceError as error:
            told.error(error, error.location)
        finally:
            check.close()
    told.missing_at_all(plan)
    return told.end("verified")


def _tell(told: Told, part: Checked) -> None:
    told.counts.files += part.files
    for finding in part.findings:
        told.finding(finding)
    for error in part.failures:
        told.error(error, error.location)
    told.read(part.size_bytes, part.current.name if part.current else "")
