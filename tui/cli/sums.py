"""Files of checksums, in the formats that `sha256sum` and `b3sum` write and read.

A line of either looks the same: a sum, and a name. Only the form that `--tag` writes says which of the two it is.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from tui.places.local.summing import Algorithm

_ESCAPES = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"))
_UNESCAPED = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
_LINE = re.compile(rb"(\\?)([0-9a-fA-F]{64}) [ *](.+)", re.DOTALL)
_TAGGED = re.compile(rb"(\\?)(SHA256|BLAKE3) \((.+)\) = ([0-9a-fA-F]{64})", re.DOTALL)
"""As `sha256sum --tag`, `b3sum --tag` and the BSDs write it."""
_OF_BLAKE3 = re.compile(r"(?<![a-z0-9])(?:b3|blake3)(?:sums?)?(?![a-z0-9])", re.IGNORECASE)


class Line(NamedTuple):
    """One line: a file by its name as written, the sum it should have, and the kind of that, where the line says it."""

    name: bytes
    digest: str
    algorithm: Algorithm | None = None


def algorithm_of(file: str) -> Algorithm:
    """Return what kind of sums a file of this name is taken to hold: BLAKE3 by a word as b3, b3sums, blake3 in it."""
    return Algorithm.BLAKE3 if _OF_BLAKE3.search(os.path.basename(file)) else Algorithm.SHA256


def can_hold(algorithm: Algorithm, name: bytes) -> bool:
    """Say whether a file of such sums can hold a name: those of `b3sum` are UTF-8, and it takes no U+FFFD in them."""
    if algorithm is Algorithm.SHA256:
        return True
    try:
        return "\ufffd" not in name.decode()
    except UnicodeDecodeError:
        return False


def write_line(digest: str, name: bytes) -> bytes:
    """Return a line: a name with a backslash or an end of a line in it is escaped, and a backslash begins its line."""
    escaped = name
    for raw, shown in _ESCAPES:
        escaped = escaped.replace(raw, shown)
    return b"%b%b  %b\n" % (b"\\" if escaped != name else b"", digest.encode(), escaped)


def read_line(text: bytes) -> Line | None:
    """Return what a line (without its end) says; None where it is none of these."""
    algorithm = None
    if match := _LINE.fullmatch(text):
        escaped, digest, name = match.groups()
    elif match := _TAGGED.fullmatch(text):
        escaped, tag, name, digest = match.groups()
        algorithm = Algorithm(tag.decode().lower())
    else:
        return None
    if escaped:
        if re.fullmatch(rb"(?:[^\\]|\\[\\nr])+", name, re.DOTALL) is None:
            return None
        name = re.sub(rb"\\[\\nr]", lambda found: _UNESCAPED[found[0]], name)
    return Line(name, digest.decode().lower(), algorithm)
