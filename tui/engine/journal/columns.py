"""How values stand in the journal: places as URLs, text that may hold lone surrogates (names of files) as bytes."""

from __future__ import annotations

import json

from tui.model.entry import EntryKind, Facts
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.fidelity import ALL_TRAITS, Trait
from tui.model.location import Location

JOB_COLUMNS = frozenset(
    "state conflict priority position limit_bytes_s started_at ended_at note stage_for walk failed_only cleanup"
    " files_done files_total bytes_done bytes_total files_same files_skipped"
    " files_verified bytes_verified files_removed reversible losses bytes_flushed bytes_half doubtful unflushed"
    " checkpoint names name_rules".split()
)


def as_names(traits: frozenset[Trait]) -> str | None:
    return None if traits == ALL_TRAITS else " ".join(sorted(traits))


def as_traits(names: str | None) -> frozenset[Trait]:
    return ALL_TRAITS if names is None else frozenset(Trait(name) for name in names.split())


def as_words(facts: Facts | None) -> str:
    return "" if facts is None else f"{facts.kind:d} {facts.size_bytes} {facts.mtime_ns}"


def as_facts(words: str) -> Facts | None:
    if not words:
        return None
    kind, size_bytes, mtime_ns = map(int, words.split())
    return Facts(EntryKind(kind), size_bytes, mtime_ns)


def as_list(exclude: Exclusion) -> str:
    return json.dumps(exclude.patterns) if exclude else ""


def as_exclusion(text: str) -> Exclusion:
    return Exclusion(tuple(json.loads(text))) if text else NOTHING


def as_location(url: str | None) -> Location | None:
    return Location.from_url(url) if url else None


def as_bytes(text: str) -> bytes:
    """Return text that may hold lone surrogates in a form SQLite takes."""
    return text.encode("utf-8", "surrogatepass")


def as_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
