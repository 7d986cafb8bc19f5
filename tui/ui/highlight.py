"""Syntax colours for the lines in view: a lexer by the file's name or its first line, run off the event loop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.ui.view_source import Row

_logger = logging.getLogger(__name__)

LONGEST = 2000
"""Characters of one row that are looked at; a longer one is no source that people read."""
KEPT_ROWS = 4000
Span = tuple[int, int, str]

STYLES = (
    ("Comment", "comment"),
    ("Keyword", "keyword"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Literal.Date", "number"),
    ("Name.Function", "name"),
    ("Name.Class", "name"),
    ("Name.Tag", "keyword"),
    ("Name.Decorator", "name"),
    ("Name.Attribute", "name"),
    ("Name.Builtin", "builtin"),
    ("Name.Exception", "builtin"),
    ("Name.Constant", "number"),
    ("Name.Namespace", "name"),
    ("Operator.Word", "keyword"),
    ("Generic.Heading", "heading"),
    ("Generic.Subheading", "heading"),
    ("Generic.Strong", "heading"),
    ("Generic.Inserted", "inserted"),
    ("Generic.Deleted", "deleted"),
)
"""(kind of token, name of a style); the first that matches holds for kinds below it too."""


class Highlighter:
    """Colours rows of one file, and remembers them.

    Args:
        name: The file's name.
        head: Its first bytes, for the line that names an interpreter.
    """

    def __init__(self, name: str, head: bytes) -> None:
        self._name, self._head = name, head
        self._lexer: Any = None
        self._looked = False
        self._spans: dict[int, tuple[Span, ...]] = {}

    def spans(self, row: Row) -> tuple[Span, ...]:
        """Return (first, last, style) of a row's characters, as far as they are known."""
        return self._spans.get(row.start, ())

    def knows(self, rows: Sequence[Row]) -> bool:
        """Whether nothing would be gained by looking at these rows."""
        if self._looked and self._lexer is None:
            return True
        return all(row.start in self._spans for row in rows)

    def forget(self) -> None:
        """The file has changed."""
        self._spans.clear()

    async def learn(self, rows: Sequence[Row]) -> None:
        """Colour rows that follow each other; those known already keep their colours."""
        found = await asyncio.to_thread(self._lex, [row.text[:LONGEST] for row in rows])
        if len(self._spans) > KEPT_ROWS:
            self._spans.clear()
        for row, spans in zip(rows, found, strict=False):
            self._spans.setdefault(row.start, spans)

    def _lex(self, lines: list[str]) -> list[tuple[Span, ...]]:
        if not self._looked:
            self._lexer, self._looked = _lexer_for(self._name, self._head), True
        if self._lexer is None:
            return []
        try:
            tokens = self._lexer.get_tokens("\n".join(lines))
            return _by_line(tokens, len(lines))
        except Exception:  # a lexer that fails on some text must cost nothing but the colours
            _logger.exception("no colours for %r", self._name)
            self._lexer = None
            return []


def _lexer_for(name: str, head: bytes) -> Any:
    from pygments.lexers import find_lexer_class_for_filename, get_lexer_by_name
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    found = find_lexer_class_for_filename(name)
    if found is not None and found.name != "Text only":
        return found(**options)
    if head.startswith(b"#!"):
        words = head.split(b"\n", 1)[0][2:].decode("utf-8", "replace").split()
        programs = [word.rpartition("/")[2] for word in words if not word.startswith("-")]
        program = programs[1] if programs[:1] == ["env"] and len(programs) > 1 else "".join(programs[:1])
        for alias in (program, program.rstrip("0123456789.")):
            try:
                return get_lexer_by_name(alias, **options)
            except ClassNotFound:
                continue
    return None


def _by_line(tokens: Any, count: int) -> list[tuple[Span, ...]]:
    """Return the spans of each line; positions are characters of the line."""
    lines: list[list[Span]] = [[]]
    styles: dict[Any, str] = {}
    at = 0
    for kind, text in tokens:
        if kind not in styles:
            styles[kind] = _style_of(str(kind).removeprefix("Token."))
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
                at = 0
            if part and styles[kind]:
                lines[-1].append((at, at + len(part), styles[kind]))
            at += len(part)
    return [tuple(spans) for spans in lines[:count]]


def _style_of(kind: str) -> str:
    for known, style in STYLES:
        if kind == known or kind.startswith(known + "."):
            return style
    return ""
