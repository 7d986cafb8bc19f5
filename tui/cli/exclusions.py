"""`--exclude` and `--exclude-from`: what a copy, a sync or a comparison leaves out."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui.cli.listed import listed
from tui.model.error import UsageError
from tui.model.exclusion import Exclusion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.cli.arguments import Parsed
    from tui.cli.operands import Plan
    from tui.model.location import Location


def exclusion_of(parsed: Parsed) -> Exclusion:
    """Return what the options leave out, in the order in which they were given.

    Raises:
        UsageError: A pattern cannot be understood, or a file of patterns not be read.
    """
    exclude = Exclusion(tuple(_patterns(parsed)))
    exclude.check()
    return exclude


def leave_out_sources(plan: Plan, exclude: Exclusion) -> None:
    """Take from a plan the sources that are left out themselves.

    Raises:
        UsageError: That leaves none.
    """
    if not exclude or not plan.sources:
        return
    kept = [each for each in plan.sources if not _is_left_out(plan, each, exclude)]
    if not kept:
        raise UsageError("nothing is left to do: --exclude leaves out every SRC")
    plan.sources = kept


def _is_left_out(plan: Plan, source: Location, exclude: Exclusion) -> bool:
    if source.is_local:
        try:
            folder = stat.S_ISDIR(os.lstat(source.path).st_mode)
        except OSError:
            folder = False
    else:
        folder = source in plan.far_folders
    return exclude.covers_source(os.fsencode(source.name), folder=folder)


def _patterns(parsed: Parsed) -> Iterator[str]:
    for option, value in parsed.repeated:
        if option == "--exclude":
            yield value
        elif option == "--exclude-from":
            lines = listed(option, value)
            yield from (
                line.removesuffix("\r") for line in lines if line.strip() and not line.startswith("#")
            )
