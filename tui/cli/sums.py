"""Files of checksums, in the format that `sha256sum` writes and reads."""

from __future__ import annotations

import re
from typing import NamedTuple

_ESCAPES = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"))
_UNESCAPED = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
_LINE = re.compile(rb"(\\?)([0-9a-fA-F]{64}) [ *](.+)", re.DOTALL)
_TAGGED = re.compile(rb"(\\?)SHA256 \((.+)\) = ([0-9a-fA-F]{64})", re.DOTALL)
"""As `sha256sum --tag` and the BSDs write it."""


class Line(NamedTuple):
    """One line: a file by its name as written, and the sum it should have."""

    name: bytes
    digest: str


def write_line(digest: str, name: bytes) -> bytes:
    """Return a line: a name with a backslash or an end of a line in it is escaped, and a backslash begins its line."""
    escaped = name
    for raw, shown in _ESCAPES:
        escaped = escaped.replace(raw, shown)
    return b"%b%b  %b\n" % (b"\\" if escaped != name else b"", digest.encode(), escaped)


def read_line(text: bytes) -> Line | None:
    """Return what a line (without its end) says; None where it is none of these."""
    if match := _LINE.fullmatch(text):
        escaped, digest, name = match.groups()
    elif match := _TAGGED.fullmatch(text):
        escaped, name, digest = match.groups()
    else:
        return None
    if escaped:
        if re.fullmatch(rb"(?:[^\\]|\\[\\nr])+", name, re.DOTALL) is None:
            return None
        name = re.sub(rb"\\[\\nr]", lambda found: _UNESCAPED[found[0]], name)
    return Line(name, digest.decode().lower())
