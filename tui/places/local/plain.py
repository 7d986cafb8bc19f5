"""Copying small files that have nothing but content, owner, mode and times: most of what there is."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from typing import TYPE_CHECKING

from tui.model.job import Flush
from tui.places.local import syscalls
from tui.places.local.attributes import xattr_names
from tui.places.local.content import SMALL_BYTES
from tui.places.local.hops import LOOKS_A_COPY
from tui.places.local.landing import Again
from tui.places.local.making import unchanged
from tui.places.local.standing import READ_FLAGS

if TYPE_CHECKING:
    from collections.abc import Generator

    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.decision import Decider
    from tui.places.local.hops import Batch, Brake
    from tui.places.local.landing import Landing
    from tui.places.local.standing import TargetNames

Looks = tuple[os.stat_result, os.stat_result]
"""The states of a file and of what stands under its name at the target."""

Item = tuple[bytes, bytes, bool]
"""Source name, target name, and whether the folder says it is a regular file."""

BREATH = LOOKS_A_COPY
"""After so many plain files somebody else has a look at the clock: all complete, they count as one that is copied."""
_MISSES = 8
"""After so many files of a folder that were opened and not plain, it is not tried with the others."""


class PlainFiles:
    """Deals with the plain files of one folder, with as few calls as can be: for most files, calls are all there is.

    A file is read, and seen to be as it was, before anything is made. What is not plain, or does not hold still, is
    left to `EntryCopy`, as if nobody had looked.
    """

    def __init__(
        self, source: int, landing: Landing, names: TargetNames, decider: Decider, brake: Brake
    ) -> None:
        self._source, self._landing, self._names, self._decider = source, landing, names, decider
        self._brake, self._traits = brake, landing.traits
        rules = decider.rules
        self._tries = 0 if rules.verify or rules.compare or landing.flush is Flush.FILE else _MISSES
        self._failure: OSError | None = None
        self._seen: tuple[bytes, Looks] | None = None

    def begin(self, batch: Batch, rules: CopyRules) -> None:
        """Have what is done from now on counted there; a limit may make files large that are small otherwise."""
        self._batch, self._batch_bytes = batch, rules.batch_bytes
        self._most_bytes = min(SMALL_BYTES, rules.large_bytes)

    def sift(self, items: Generator[Item]) -> Generator[Item | None]:
        """Deal with what is plain, and yield the rest; None where the batch may be full, and now and then.

        What failed when it was written is yielded, too: `tell` is to be called first then.
        """
        brake, since = self._brake, 0
        with closing(
            items
        ):  # not left to the collector: an error may hold on to them, and they to an open folder
            for item in items:
                name, put, regular = item
                if not (regular and put is name and self._is_settled(name)):
                    yield item
                    continue
                since += 1
                if since >= BREATH or self._batch.size_bytes >= self._batch_bytes or brake.on:
                    since = 0
                    yield None

    def tell(self) -> None:
        """Say what became of the entry yielded last.

        Raises:
            OSError: It could not be written; nothing new stands at the target.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def take_looks(self, name: bytes) -> Looks | None:
        """Return what was seen of the entry yielded last, if both sides were looked at; once."""
        seen, self._seen = self._seen, None
        return seen[1] if seen is not None and seen[0] == name else None

    def _is_settled(self, name: bytes) -> bool:
        """Count a file that stands complete, or copy one to a name that is free; False where it is neither."""
        batch = self._batch
        try:
            standing = self._names.look(name)
            if standing is None:
                return self._tries > 0 and self._is_brought(name, batch)
            info = os.lstat(name, dir_fd=self._source)
        except OSError:
            return False
        if not self._decider.is_plainly_same(info, standing):
            self._seen = name, (info, standing)
            return False
        batch.same_files += 1
        batch.same_bytes += info.st_size
        batch.last = name
        return True

    def _is_brought(self, name: bytes, batch: Batch) -> bool:
        source = os.open(name, READ_FLAGS, dir_fd=self._source)
        try:
            info = os.fstat(source)
            data = None
            if info.st_nlink == 1 and info.st_size <= self._most_bytes and stat.S_ISREG(info.st_mode):
                data = self._read(source, info)
        finally:
            syscalls.let_go(source)
        if data is None:
            self._tries -= 1
            return False
        traits = self._traits
        traits.lost.clear()
        try:
            self._landing.put(name, info, data, replace=False)
        except (FileExistsError, Again):
            return False
        except OSError as error:
            self._failure = error
            return False
        if traits.lost:
            batch.losses += [(loss, name) for loss in traits.take()]
        batch.files += 1
        batch.size_bytes += info.st_size
        batch.last = name
        return True

    def replace(self, source: int, name: bytes, info: os.stat_result) -> bool:
        """Copy an opened file over what stands under its final name, if it is plain; say whether it was.

        Raises:
            OSError: It cannot be read, or not be written; nothing new stands at the target.
        """
        data = self._read(source, info) if info.st_size <= SMALL_BYTES else None
        if data is None:
            return False
        self._landing.put(name, info, data, replace=True)
        return True

    def _read(self, source: int, info: os.stat_result) -> bytes | None:
        """Return what is in a small file; None where it is not plain, or does not hold still."""
        size = info.st_size
        if info.st_blocks * 512 < size or not self._landing.makes_alike(info) or xattr_names(source):
            return None
        data = os.pread(source, size + 1, 0)
        return data if len(data) == size and unchanged(info, os.fstat(source)) else None
