"""The profiles AWS's own tools know, read without the library: that is too large to be loaded for a list."""

from __future__ import annotations

import os
from configparser import Error, RawConfigParser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILES = (("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"))


def profiles(environment: Mapping[str, str]) -> list[str]:
    """Return the names of all profiles, in order; of a file that cannot be read none. Blocks: run it in a thread."""
    names: set[str] = set()
    for variable, below_home in _FILES:
        given = environment.get(variable)
        path = Path(os.path.expanduser(given)) if given else Path(environment.get("HOME", "/")) / below_home
        names |= {_profile(section) for section in _sections(path)}
    return sorted(names - {""})


def _sections(path: Path) -> list[str]:
    parser = RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(path.read_text(errors="replace"))
    except (OSError, Error):
        return []
    return parser.sections()


def _profile(section: str) -> str:
    """Return the profile a section is about; empty where it is about something else (a sign-in, a set of services)."""
    kind, space, name = section.partition(" ")
    if not space:
        return section
    return name.strip().strip("'\"") if kind == "profile" else ""
