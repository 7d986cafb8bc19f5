"""What is to happen to an entry whose name is taken at the target."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from tui.model.error import AlreadyExists, CollisionRefused, IsAFolder, NotAFolder, PlaceError
from tui.model.job import Conflict
from tui.places.local.alignment import is_aligned
from tui.places.local.hops import Collision, Failure
from tui.places.local.names import Clash
from tui.places.local.partial import discard, partial_name
from tui.places.local.standing import (
    facts,
    is_folder,
    is_newer,
    look,
    other_names,
    same_inode,
    same_time,
    time_step_ns,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.model.location import Location
    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.hops import Batch
    from tui.places.local.root import Root
    from tui.places.local.standing import Pair

Spot = tuple[bytes, bool]
"""A name at the target, and whether what stands there is to be replaced."""


class Same(NamedTuple):
    """An entry that stands complete at the target."""

    name: bytes
    target_name: bytes
    info: os.stat_result
    standing: os.stat_result


class Decider:
    """Applies a job's rules to names taken in one target folder, and writes what it settles into the batch."""

    def __init__(
        self, target: Root, target_path: bytes, rules: CopyRules, pair: Pair, on_same: Callable[[Same], None]
    ) -> None:
        """Take what is needed to judge; `rules` may be replaced later.

        Args:
            on_same: Called for each entry found complete at the target, before it is counted.
        """
        self._target, self._path, self.rules, self._pair = target, target_path, rules, pair
        self._goes_by_looks = not (pair.strict or rules.mirror)
        self._on_same = on_same
        self._clash = Clash(pair.source, pair.target)

    @property
    def may_clash(self) -> bool:
        """Whether a name found taken may be taken by another entry of the source."""
        return self._clash.may_be

    def is_plainly_same(self, info: os.stat_result, standing: os.stat_result) -> bool:
        """Say whether a look at two regular files shows that `spot` would find nothing to be done."""
        return (
            info.st_mtime_ns == standing.st_mtime_ns
            and info.st_size == standing.st_size
            and info.st_nlink == 1
            and self._goes_by_looks
            and not self._clash.may_be
            and stat.S_ISREG(info.st_mode)
            and stat.S_ISREG(standing.st_mode)
        )

    def of_another(
        self, name: bytes, target_name: bytes, info: os.stat_result, standing: os.stat_result
    ) -> bytes | None:
        """Return the spelling of what stands under the target name, where it belongs to another entry of the source.

        (On a filesystem that takes both names for one.)
        """
        moves = self.rules.compare and name not in self.rules.decided
        if self.rules.fitting is not None:  # all in this folder have names of their own there
            return self._clash.spelled_otherwise(target_name) if moves else None
        real = self._clash.with_other(name, target_name, moves=moves)
        if real is not None and self._clash.may_be_own(name):
            return None if self._pair.same(name, info, target_name, standing) else real
        return real

    def spot(
        self, name: bytes, target_name: bytes, info: os.stat_result, standing: os.stat_result, batch: Batch
    ) -> Spot | None:
        """Return where the entry is to go; None where it is settled: complete, left out, asked or refused.

        Raises:
            Stopped: The brake went on while contents were compared.
            PlaceError: It can go nowhere.
        """
        if self.may_clash and (real := self.of_another(name, target_name, info, standing)) is not None:
            return self._apart(name, target_name, info, standing, real, batch)
        if self.rules.own:
            return self._own(name, target_name, info, standing, batch)
        if self._pair.same(name, info, target_name, standing):
            if self.rules.mirror and self._is_shared_and_off(name, info, target_name, standing):
                return target_name, True
            self._same(Same(name, target_name, info, standing), batch)
            return None
        if self.rules.pass_clashes and is_folder(info) != is_folder(standing):
            batch.clashed = True
            return None
        rule = self.rules.decided.get(name, self.rules.conflict)
        if rule is Conflict.RENAME:
            return self._other(name, target_name, info, batch)
        if rule is Conflict.SKIP:
            self._skip(target_name, info, batch)
            return None
        refusal = None if rule is Conflict.ASK else self._refusal(target_name, info, standing)
        if refusal:
            batch.failures.append(Failure(name, refusal))
            return None
        if rule in (Conflict.ASK, Conflict.FAIL):
            batch.collisions.append(Collision(name, facts(info), facts(standing)))
            return None
        if rule is Conflict.NEWER and not is_newer(info, standing, self._pair.ways):
            self._skip(target_name, info, batch)
            return None
        return target_name, True

    def leave_out(self, name: bytes, batch: Batch) -> None:
        """Count an entry that is not copied, since its name does not fit."""
        _count_skipped(os.lstat(name, dir_fd=self._pair.source), batch)

    def _skip(self, target_name: bytes, info: os.stat_result, batch: Batch) -> None:
        """Count an entry that is left where it is.

        Where the name of a large file was taken while it was copied, nobody goes on with its half file any more.
        """
        _count_skipped(info, batch)
        if info.st_size > self.rules.large_bytes:
            discard(self._pair.target, partial_name(self.rules.tag, target_name, info))

    def _is_shared_and_off(
        self, name: bytes, info: os.stat_result, target_name: bytes, standing: os.stat_result
    ) -> bool:
        """Say whether a mirror has to replace a file: changed in place, it would change under other names too."""
        pair = self._pair
        return (
            standing.st_nlink > 1
            and not same_inode(info, standing)
            and not is_aligned(pair.source, name, info, pair.target, target_name, standing, pair.ways)
        )

    def _apart(
        self,
        name: bytes,
        target_name: bytes,
        info: os.stat_result,
        standing: os.stat_result,
        real: bytes,
        batch: Batch,
    ) -> Spot | None:
        """Keep two entries of the source apart that would have one name at the target: none goes over the other."""
        rule = self.rules.decided.get(name, self.rules.conflict)
        if rule is Conflict.RENAME:
            return self._other(name, target_name, info, batch)
        if rule is Conflict.ASK:
            batch.collisions.append(Collision(name, facts(info), facts(standing)))
        elif rule is Conflict.SKIP and name in self.rules.decided:
            _count_skipped(info, batch)
        else:
            where, there = self._location(target_name), self._location(real)
            message = f"cannot write {where}: it would be the same there as {there}"
            remedy = "Rename one of them, or copy it with the conflict rule rename."
            batch.failures.append(Failure(name, CollisionRefused(message, remedy, location=where)))
        return None

    def _own(
        self, name: bytes, target_name: bytes, info: os.stat_result, standing: os.stat_result, batch: Batch
    ) -> Spot | None:
        """In the job's own folder: complete only with the right time, which is set last; else a leftover.

        Where times do not travel, all in it got its name when it was complete, and contents are compared.
        """
        where = self._location(target_name)
        if is_folder(standing):
            raise IsAFolder(f"cannot write {where}: a folder stands there", location=where)
        step = time_step_ns(standing.st_dev, self._pair.ways)
        if self._pair.same(name, info, target_name, standing) and (
            not self._pair.times or same_time(info.st_mtime_ns, standing.st_mtime_ns, step)
        ):
            self._same(Same(name, target_name, info, standing), batch)
            return None
        return target_name, True

    def _other(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> Spot | None:
        """Find the first numbered name that is free, or at which the same already stands (from before a restart)."""
        for candidate in other_names(target_name, folder=is_folder(info)):
            standing = look(self._pair.target, candidate)
            if standing is None or (is_folder(info) and is_folder(standing)):
                return candidate, False
            if self._pair.same(name, info, candidate, standing):
                self._same(Same(name, candidate, info, standing), batch)
                return None
        where = self._location(target_name)
        raise AlreadyExists(f"cannot find a free name beside {where}", location=where)

    def _same(self, found: Same, batch: Batch) -> None:
        self._on_same(found)
        batch.same_files += 1
        batch.same_bytes += found.info.st_size
        if self.rules.verify and stat.S_ISREG(found.info.st_mode):
            batch.verified_files += 1
            batch.verified_bytes += found.info.st_size

    def _refusal(
        self, target_name: bytes, info: os.stat_result, standing: os.stat_result
    ) -> PlaceError | None:
        if is_folder(info) == is_folder(standing):
            return None
        where = self._location(target_name)
        if is_folder(info):
            what = "a link stands there" if stat.S_ISLNK(standing.st_mode) else "a file stands there"
            return NotAFolder(f"cannot create the folder {where}: {what}", location=where)
        return IsAFolder(f"cannot write {where}: a folder stands there", location=where)

    def _location(self, target_name: bytes) -> Location:
        return self._target.location(self._path, target_name)


def _count_skipped(info: os.stat_result, batch: Batch) -> None:
    batch.skipped_files += 1  # a folder is one: what is in it is not looked at
    if not is_folder(info):
        batch.skipped_bytes += info.st_size
