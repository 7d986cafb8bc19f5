"""What a job leaves out, by patterns as in a .gitignore."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from tui.model.error import UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

REMEDY = "Patterns are those of a .gitignore: *.tmp, build/, /docs/**/*.o, !keep.tmp."


class Exclusion(Struct, frozen=True):
    """Leaves out names below the sources of a job; of what is left out, nothing below is looked at.

    A pattern is what it would be in a .gitignore that stands in the source folder
    (https://git-scm.com/docs/gitignore#_pattern_format): with a slash at its beginning or in its middle it is of a path
    from there, without one of a name at any depth; a slash at its end wants a folder; the last one that fits decides,
    and one that begins with "!" takes back.
    """

    patterns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def covers(self, path: bytes, *, folder: bool) -> bool:
        """Say whether an entry is left out.

        Args:
            path: From the source folder, without a slash at its beginning.
            folder: It is one, not a link to one.
        """
        return bool(self.patterns) and _fits(_spec(self.patterns), path, folder=folder)

    def covers_source(self, name: bytes, *, folder: bool) -> bool:
        """Say whether a source itself is left out: by the patterns that are of a name at any depth."""
        names = tuple(pattern for pattern in self.patterns if "/" not in pattern.removesuffix("/"))
        return bool(names) and _fits(_spec(names), name, folder=folder)

    def check(self) -> None:
        """Refuse what is no pattern.

        Raises:
            UsageError: One cannot be understood, or fits nothing.
        """
        if not self.patterns:
            return
        from pathspec.patterns.gitignore.base import GitIgnorePatternError

        for pattern in self.patterns:
            try:
                (found,) = _spec((pattern,)).patterns or (None,)
            except GitIgnorePatternError:
                found = None
            if found is None or found.include is None:
                raise UsageError(f"{pattern!r} is no pattern of names to leave out", REMEDY)


@lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # here: few jobs leave anything out

    return GitIgnoreSpec.from_lines(map(_in_one_line, patterns))


def _fits(spec: GitIgnoreSpec, path: bytes, *, folder: bool) -> bool:
    text = _in_one_line(os.fsdecode(path))
    entry = text + "/" if folder else text
    if all(pattern.include is not False for pattern in spec.patterns):
        return spec.match_file(entry)
    # The library has what is taken back stand for all below it, too. Git judges each level by itself, from the top.
    above = [text[: at + 1] for at, sign in enumerate(text) if sign == "/"]
    return any(_is_left_out(spec, each) for each in (*above, entry))


def _is_left_out(spec: GitIgnoreSpec, text: str) -> bool:
    """Say what the last pattern says that fits an entry itself, not only a folder it is in."""
    for pattern in reversed(spec.patterns):
        # Where the library tells a folder from what is below it, only a match to the end is one of the entry.
        for found in pattern.regex.finditer(text) if pattern.regex is not None else ():
            if "ps_d" not in found.groupdict() or found.end() == len(text):
                return bool(pattern.include)
    return False


def _in_one_line(text: str) -> str:
    """Put what no name holds in place of line breaks: the library's expressions stop at them."""
    return text.replace("\n", "\0")


NOTHING = Exclusion()
