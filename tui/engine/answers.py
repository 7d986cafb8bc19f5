"""What people decided about single entries of a job, for its walk to find."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tui.engine.rows import Decision
    from tui.model.job import Conflict

_NOTHING: Mapping[bytes, Conflict] = MappingProxyType({})
"""The case of nearly every folder."""


class Answers:
    """Rules for single entries: by source and folder, by name. They go before the rule of the job."""

    def __init__(self) -> None:
        self._rules: dict[tuple[int, bytes], dict[bytes, Conflict]] = {}

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self._rules)

    def learn(self, decisions: Iterable[Decision]) -> None:
        """Take answers to what has not been come by yet."""
        for decision in decisions:
            folder, _, name = decision.path.rpartition(b"/")
            self._rules.setdefault((decision.idx, folder), {})[name] = decision.rule

    def rule_for(self, idx: int, path: bytes) -> Conflict | None:
        """Return what was decided about one entry of a source; None: nothing."""
        folder, _, name = path.rpartition(b"/")
        return self._rules.get((idx, folder), _NOTHING).get(name)

    def in_folder(self, owners: Mapping[bytes, int], folder: bytes) -> Mapping[bytes, Conflict]:
        """Return what was decided about entries of a folder, by name.

        Args:
            owners: The source an entry belongs to, by the first part of its path.
        """
        if not self._rules:
            return _NOTHING
        if folder:
            return self._rules.get((owners.get(folder.partition(b"/")[0], -1), folder), _NOTHING)
        top = ((name, self.rule_for(idx, name)) for name, idx in owners.items())
        return {name: rule for name, rule in top if rule is not None}
