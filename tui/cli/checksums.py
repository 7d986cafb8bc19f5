"""`ferry verify --write` and `--check`: files against their checksums."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

from tui import format
from tui.cli.operands import locate
from tui.cli.sum_log import SumLog
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
from tui.places.local.checking import Verdict
from tui.places.local.root import Root
from tui.places.local.summing import Algorithm, sum_of, sums_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.cli.arguments import Parsed
    from tui.cli.findings import Told
    from tui.model.location import Location
    from tui.places.local.summing import Sum


def algorithm(parsed: Parsed, file: str) -> Algorithm:
    said = parsed.get("--algorithm")
    return Algorithm(said) if said else algorithm_of(file)


def write(told: Told, file: str, operands: list[str], algorithm: Algorithm) -> int:
    """Write the sums of files; the file appears when it is whole, and never over another one."""
    if file == "-":
        if told.json:
            raise UsageError("--json and --write - exclude each other", "Name a file for the sums.")
        _add_sums(told, _Output(told), operands, algorithm)
        return told.counts.status
    place = locate(file)
    if os.path.lexists(place.path):
        raise AlreadyExists(f"cannot write {place}: something of that name is already there", location=place)
    with Root.open(place.parent.path) as folder:
        try:
            log = SumLog(folder.fd, os.fsencode(place.name), _header(operands, algorithm))
            try:
                _add_sums(told, log, operands, algorithm)
                log.publish()
            finally:
                if log.close():
                    told.note(f"{place} is not written; the same command goes on where this one was")
        except OSError as error:
            raise from_os_error(error, place, "write") from error
    return told.end("summed", alike=False)


def _header(operands: list[str], algorithm: Algorithm) -> bytes:
    return json.dumps([algorithm, os.getcwd(), operands]).encode()


class Target(Protocol):
    """Takes sums, one after another."""

    def known(self, name: bytes, mark: str) -> str | None: ...

    def add(self, name: bytes, found: Sum) -> None: ...


class _Output:
    """Standard output: what was written there is not known any more."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def known(self, name: bytes, mark: str) -> str | None:
        return None

    def add(self, name: bytes, found: Sum) -> None:
        self._told.sum(write_line(found.digest, name))


def _add_sums(told: Told, target: Target, operands: list[str], algorithm: Algorithm) -> None:
    for word in operands:
        source = locate(word)
        folder, slash, _ = os.fsencode(word.rstrip("/")).rpartition(b"/")

        def known(path: bytes, mark: str, above: bytes = folder + slash) -> str | None:
            return target.known(above + path, mark) if can_hold(algorithm, above + path) else None

        for piece in sums_below(source, algorithm, known):
            if told.unread:
                return
            if isinstance(piece, PlaceError):
                told.error(piece, piece.location)
            elif isinstance(piece, int):
                told.read(piece, source.name)
            elif not can_hold(algorithm, folder + slash + piece.path):
                told.error(_no_name(source.parent.below(os.fsdecode(piece.path))))
            else:
                told.counts.files += 1
                told.read(piece.size_bytes, source.name)
                target.add(folder + slash + piece.path, piece)


def _no_name(location: Location) -> Unsupported:
    message = f"cannot write the sum of {location}: b3sum takes no name that is not UTF-8"
    return Unsupported(message, "Use --algorithm sha256.", location=location)


def check(told: Told, file: str, algorithm: Algorithm, *, guessed: bool) -> int:
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
    """Yield the lines of a file of sums ("-": standard input), without ends; comments and empty ones are left out."""
    place = locate(file)
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else open(place.path, "rb") as lines:
            for line in lines:
                text = line.rstrip(b"\r\n")
                if text and not text.startswith(b"#"):
                    yield text
    except OSError as error:
        raise from_os_error(error, place, "read") from error
