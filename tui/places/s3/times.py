"""Times as stores tell them: what a file was given is kept as rclone keeps it, so that both see the same.

What s3cmd has uploaded has the time that s3cmd keeps.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MTIME = "mtime"
"""Name of the metadata (`x-amz-meta-mtime`) with the time of last change."""

S3CMD, _S3CMD_MTIME = "s3cmd-attrs", re.compile(r"(?:^|/)mtime:(\d{1,10})(?=/|$)")
"""Name and form ("…/mtime:SECONDS/…") of what s3cmd adds."""

_SECONDS = re.compile(r"(-?)(\d{1,11})(?:\.(\d*))?")


def mtime_text(mtime_ns: int) -> str:
    """Return a time as rclone writes it: decimal seconds since 1970, without zeros at the end."""
    sign = "-" if mtime_ns < 0 else ""
    seconds, nanoseconds = divmod(abs(mtime_ns), 1_000_000_000)
    return f"{sign}{seconds}.{nanoseconds:09}".rstrip("0").rstrip(".")


def mtime_of_text(text: str) -> int | None:
    """Return the time some metadata tells, to the nanosecond; None where it tells none."""
    found = _SECONDS.fullmatch(text.strip())
    if found is None:
        return None
    sign, seconds, fraction = found.groups()
    value = int(seconds) * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))
    return -value if sign else value


def given_ns(metadata: Mapping[str, str]) -> int | None:
    """Return the time a file was given, by rclone, by s3cmd, or here; None where it was given none."""
    told = mtime_of_text(metadata.get(MTIME, ""))
    if told is None and (found := _S3CMD_MTIME.search(metadata.get(S3CMD, ""))) is not None:
        return int(found[1]) * 1_000_000_000
    return told


def stored_ns(text: str) -> int:
    """Return when something was stored: as a listing tells it (ISO 8601) or as HTTP does; 0 where it is neither."""
    try:
        when = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
    except ValueError:
        return 0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp() * 1_000) * 1_000_000
