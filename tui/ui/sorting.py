"""The order of a folder's entries. It may run in a thread: it lets others in every few milliseconds."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Protocol

from tui.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_split_numbers = re.compile("([0-9]+)").split
_BUCKET = 4096
FOLDERS = frozenset({EntryKind.FOLDER, EntryKind.FOLDER_LINK})


class Columns(Protocol):
    """What the order of a folder's entries depends on: what is known of them, by position."""

    @property
    def names(self) -> Sequence[str]: ...
    @property
    def kinds(self) -> Sequence[int]: ...
    @property
    def sizes_bytes(self) -> Sequence[int]: ...
    @property
    def mtimes_ns(self) -> Sequence[int]: ...
    @property
    def measured(self) -> Mapping[str, int]:
        """Counted sizes of subfolders, by name."""

    def shown_names(self) -> Sequence[str]: ...


def natural_key(name: str) -> str:
    """Return text by which names sort as people count: "file2" before "File10".

    Each number is written with its length before it, so that plain comparison of text puts 9 before 10; no two names
    have the same key.
    """
    parts = _split_numbers(name.casefold())
    for n in range(1, len(parts), 2):
        digits = parts[n].lstrip("0")
        length = len(digits)
        if length < 9:
            parts[n] = f"{length}{digits}"
        else:
            parts[n] = f"{'9' * ((length - 1) // 8)}{(length - 1) % 8 + 1}{digits}"
    key = "".join(parts)
    return key if key == name else f"{key}\0{name}"


def extension(name: str) -> str:
    """Return what stands after the last dot; nothing for ".profile"."""
    stem, _, ending = name.rpartition(".")
    return ending if stem else ""


def in_order(positions: Sequence[int], keys: list[Any]) -> list[int]:
    """Return positions sorted by their keys (`keys[i]` is that of `positions[i]`), equal ones as they stood.

    The keys are used up. The sort of a long list holds the interpreter for its whole time, so it is done in buckets:
    no step of it takes more than some milliseconds, and keys are answered meanwhile.
    """
    if len(positions) <= 2 * _BUCKET:
        return [positions[n] for n in sorted(range(len(positions)), key=keys.__getitem__)]
    count = len(keys) // _BUCKET
    sample = sorted(keys[:: max(1, len(keys) // (count * 32))])
    dividers = sample[31::32]
    buckets: list[list[int]] = [[] for _ in range(len(dividers) + 1)]
    for n, key in enumerate(keys):
        buckets[bisect_right(dividers, key)].append(n)
    ordered: list[int] = []
    for bucket in buckets:
        bucket.sort(key=keys.__getitem__)
        ordered += [positions[n] for n in bucket]
    while keys:
        del keys[-_BUCKET:]  # to free them all at once would take as long as a sort
    return ordered


def sort_entries(folder: Columns, count: int, by: str, *, reverse: bool, folders_first: bool) -> list[int]:
    """Return the positions of a folder's first `count` entries in order.

    Args:
        by: "name", "size" (largest first), "time" (latest first) or "extension"; equal ones go by name.
    """
    kinds = folder.kinds
    if folders_first:
        groups = [
            [n for n in range(count) if kinds[n] in FOLDERS],
            [n for n in range(count) if kinds[n] not in FOLDERS],
        ]
    else:
        groups = [list(range(count))]
    ordered: list[int] = []
    for group in groups:
        part = _sort_group(folder, group, by)
        if reverse:
            part.reverse()
        ordered += part
    return ordered


def _sort_group(folder: Columns, group: list[int], by: str) -> list[int]:
    names = folder.shown_names()
    if by == "extension":
        return in_order(group, [(extension(names[n]).casefold(), natural_key(names[n])) for n in group])
    by_name = in_order(group, [natural_key(names[n]) for n in group])
    if by == "size":
        return in_order(by_name, [-_size(folder, n) for n in by_name])
    if by == "time":
        times = folder.mtimes_ns
        return in_order(by_name, [-times[n] for n in by_name])
    return by_name


def _size(folder: Columns, position: int) -> int:
    """Return the size to sort by. What a folder itself takes says nothing: it counts once it is measured."""
    if folder.kinds[position] in FOLDERS:
        return folder.measured.get(folder.names[position], -1)
    return folder.sizes_bytes[position]
