"""Removing what was moved: the second half of a move, after the copy."""

from __future__ import annotations

import os
import stat
from itertools import chain
from typing import TYPE_CHECKING

from tui.model.error import (
    CollisionRefused,
    LinkInTheWay,
    NotAFolder,
    NotEmpty,
    NotFound,
    PlaceError,
    SameFile,
    SourceChanged,
)
from tui.model.fidelity import Trait
from tui.model.job import Conflict
from tui.places.local import syscalls
from tui.places.local.fitting import Leaning, Trail
from tui.places.local.homes import NO_HOMES
from tui.places.local.hops import Failure
from tui.places.local.names import Clash
from tui.places.local.partial import is_partial
from tui.places.local.removal import NOT_EMPTY, TreeRemoval
from tui.places.local.root import join, split
from tui.places.local.standing import Pair, is_folder, look, other_names, same_inode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.descent import Level, Volume
    from tui.places.local.homes import Homes
    from tui.places.local.hops import Batch, Brake
    from tui.places.local.root import Root

_NO_TWIN = (NotFound, NotAFolder, LinkInTheWay)
"""What the opening of a folder gives where none stands; every other error tells nothing of what stands there."""


class MovedRemoval(TreeRemoval):
    """The second half of a move: removes from the source what stands complete at the target.

    What is missing or different there stays, and is told: as a NotFound, as a SourceChanged where the target's is
    older, else as a CollisionRefused. Whoever is told knows by the job's rules what was left so on purpose.

    Where names are changed, what others owe theirs to goes after them, or not at all: another try finds the same names.
    """

    def __init__(
        self,
        source: Root,
        target: Root,
        source_name: bytes,
        target_name: bytes,
        brake: Brake,
        rules: CopyRules,
        stay: Collection[bytes] = (),
        homes: Homes = NO_HOMES,
        *,
        opening: bool = False,
    ) -> None:
        """Say what was moved where.

        Args:
            opening: See `TreeRemoval`.
            stay: Paths of what is left alone, however complete its copy looks: something about it went wrong.
        """
        super().__init__(source, source_name, brake, homes, opening=opening)
        self._target, self._target_name, self._rules, self._stay = target, target_name, rules, stay
        self._trail = Trail(rules.fitting, (source_name, target_name), leans=True)
        self._twins: list[tuple[bytes, bytes]] = []
        self._twin_fd = -1
        self._pair: Pair | None = None
        self._clash: tuple[Pair, Clash] | None = None
        self._late: list[bytes] = []
        """Files of the folder being gone through that others lean on."""
        self._waiting: dict[bytes, list[bytes]] = {}
        """By folder: those of them that folders lean on, which are gone into last."""
        self._only: Iterator[bytes] | None = None
        """These are all that is still to be looked at in the folder being gone through."""
        self._is_last_look = False
        self._at_work: set[bytes] = set()
        """Folders in which a job has something unfinished."""

    def close(self) -> None:
        """Close what is open."""
        fd, self._twin_fd = self._twin_fd, -1
        syscalls.let_go(fd)
        self._pair = self._clash = None
        super().close()

    def entered(self, fd: int, path: bytes, volume: Volume, batch: Batch) -> bool:
        """Find the folder's twin at the target; without one, all in the folder stays."""
        if path in self._stay:
            return False
        if not super().entered(fd, path, volume, batch):
            return False
        try:
            twin = self._twin_of(path)
        except NotFound:
            return False  # it was left out
        try:
            there = self._target.folder(twin)
        except _NO_TWIN as error:
            if isinstance(error, NotFound):
                self._tell_missing(path, batch)
            return False
        except PlaceError as error:
            batch.failures.append(Failure(path, error))
            return False
        try:
            if not self._is_apart(fd, there, (path, twin), batch):
                syscalls.let_go(there)
                return False
            self._trail.enter(fd, path, twin)
        except OSError:
            syscalls.let_go(there)
            raise
        self._twins.append((path, twin))
        self._twin_fd = there
        self._pair = self._pair_of(fd, there)
        self._only, self._late, self._is_last_look = None, [], False
        return True

    def _is_apart(self, fd: int, there: int, paths: tuple[bytes, bytes], batch: Batch) -> bool:
        """Say whether a folder's twin is neither the folder itself nor the twin of another one."""
        path, twin = paths
        if same_inode(os.fstat(fd), os.fstat(there)):
            where = self.root.location(path)
            itself = SameFile(f"cannot remove {where}: it is its own copy", location=where)
            batch.failures.append(Failure(path, itself))
            return False
        folds = self._rules.fitting is None and syscalls.may_fold_names(there)
        return not (folds and self._is_of_another(path, twin))

    def _read_finished(self) -> tuple[bytes, bool] | None:
        """Return the next entry that is not something a job has not finished."""
        while (item := super()._read()) is not None and is_partial(item[0]):
            assert self._level is not None
            self._at_work.add(self._level.path)
            self.hold()
        return item

    def _read(self) -> tuple[bytes, bool] | None:
        """Return the next entry: files that others lean on come last, those first that lean on others themselves."""
        if self._only is not None:
            name = next(self._only, None)
            return None if name is None else (name, False)
        if self._level is None or (leaning := self._trail.leaning(self._level.path)) is None:
            return self._read_finished()
        while (item := self._read_finished()) is not None:
            if item[1] or not leaning.may_need(item[0]):
                return item
            self._late.append(item[0])
        self._level.names.sort(key=self._trail.order)  # the last is gone into first
        late, self._late = self._late, []
        self._only = iter(sorted(late, key=self._trail.order, reverse=True))
        return self._read()

    def _is_needed(self, fd: int, path: bytes) -> bool:
        """Say whether another entry of its folder would get another name at the target if this one went.

        (Sources as a whole keep theirs, whatever becomes of the others.)
        """
        above, name = split(path)
        if self._rules.fitting is None or not above:
            return False
        leaning = self._trail.leaning(above)
        if leaning is None:
            leaning = Leaning()
            self._rules.fitting.of(fd, above, leaning)
        return leaning.needs(name, lambda other: look(fd, other) is not None)

    def _is_of_another(self, path: bytes, twin: bytes) -> bool:
        """Say whether the twin of a folder stands there by another spelling: it is that of another folder, then."""
        (above, name), (above_twin, target_name) = split(path), split(twin)
        source = target = -1
        try:
            source = self.root.folder(above)
            target = self._target.folder(above_twin)
            return Clash(source, target).with_other(name, target_name, moves=True) is not None
        except (PlaceError, OSError):
            return True  # it cannot be told: what is in doubt stays
        finally:
            syscalls.let_go(source)
            syscalls.let_go(target)

    def _pair_of(self, fd: int, there: int) -> Pair:
        strict, times = self._rules.compare, Trait.TIMES in self._rules.keep
        return Pair(fd, there, self._target.ways, self._brake, strict=strict, times=times)

    def _twin_of(self, path: bytes) -> bytes:
        """Return where a folder of the source stands at the target: kept beside something else, it has a number."""
        if path == self._name:
            return self._target_name
        above, name = split(path)
        while self._twins and self._twins[-1][0] != above:
            self._twins.pop()
        if self._rules.fitting is not None:
            other = self._trail.twin_of(path)
            if other is None:
                raise NotFound(f"{self.root.location(path)} was left out")
            return other
        twin = join(self._twins[-1][1], name)
        if self._rules.conflict is Conflict.RENAME:
            return self._numbered(twin)
        return twin

    def _numbered(self, twin: bytes) -> bytes:
        above, name = split(twin)
        fd = self._target.folder(above)
        try:
            for candidate in chain([name], other_names(name, folder=True)):
                standing = look(fd, candidate)
                if standing is None or is_folder(standing):
                    return join(above, candidate)
        finally:
            syscalls.let_go(fd)
        return twin

    def file(self, fd: int, folder: bytes, name: bytes, batch: Batch) -> None:
        """Remove one entry, if it stands complete at the target."""
        if self._stay and join(folder, name) in self._stay:
            self.hold()
            return
        if self._pair is not None:
            if (put := self._trail.name(name)) is None:
                self.hold()  # it was left out
            else:
                self._remove_if_there(self._pair, folder, name, put, batch)
            return
        above, target_name = split(self._target_name)
        try:
            there = self._target.folder(above)
        except _NO_TWIN:
            return
        except PlaceError as error:
            batch.failures.append(Failure(self._name, error))
            return
        try:
            if same_inode(os.fstat(fd), os.fstat(there)) and name == target_name:
                where = self.root.location(folder, name)
                itself = SameFile(f"cannot remove {where}: it is its own copy", location=where)
                batch.failures.append(Failure(self._name, itself))
                return
            self._remove_if_there(self._pair_of(fd, there), folder, name, target_name, batch)
        finally:
            syscalls.let_go(there)

    def _remove_if_there(
        self, pair: Pair, folder: bytes, name: bytes, target_name: bytes, batch: Batch
    ) -> None:
        info = os.lstat(name, dir_fd=pair.source)
        if self._stay and info.st_nlink > 1:
            self.hold()  # one of its names may be among those that failed: they are to be one file again
            return
        if self._stands(pair, name, target_name, info):
            if self._is_needed(pair.source, join(folder, name)):
                self._wait(folder, name)
                return
            os.unlink(name, dir_fd=pair.source)
            batch.files += 1
            batch.size_bytes += info.st_size
            return
        self.hold()
        standing = look(pair.target, target_name)
        if standing is None:
            self._tell_missing(join(folder, name), batch)
        elif not is_folder(standing):
            self._tell_different(join(folder, name), info, standing, batch)

    def _tell_missing(self, path: bytes, batch: Batch) -> None:
        where = self.root.location(path)
        message = f"cannot remove {where}: there is no copy of it at the target"
        remedy = "It came after the rest was copied, or its copy was taken away; retry to have it copied."
        batch.failures.append(Failure(path, NotFound(message, remedy, location=where)))

    def _tell_different(
        self, path: bytes, info: os.stat_result, standing: os.stat_result, batch: Batch
    ) -> None:
        where = self.root.location(path)
        error: PlaceError
        both_files = stat.S_ISREG(info.st_mode) and stat.S_ISREG(standing.st_mode)
        if both_files and standing.st_mtime_ns < info.st_mtime_ns:
            remedy = "It was written to after it was copied; retry to have it copied again."
            error = SourceChanged(f"cannot remove {where}: it is newer than its copy", remedy, location=where)
        else:
            remedy = "Compare them; retry to have it copied again, by the job's conflict rule."
            error = CollisionRefused(
                f"cannot remove {where}: its copy was changed since", remedy, location=where
            )
        batch.failures.append(Failure(path, error))

    def _stands(self, pair: Pair, name: bytes, target_name: bytes, info: os.stat_result) -> bool:
        if self._rules.fitting is not None:
            return self._stands_fitted(pair, name, target_name, info)
        keeps_both = self._rules.conflict is Conflict.RENAME
        others = other_names(target_name, folder=False) if keeps_both else ()
        if self._clash is None or self._clash[0] is not pair:
            self._clash = pair, Clash(pair.source, pair.target)
        clash = self._clash[1]
        for candidate in chain([target_name], others):
            standing = look(pair.target, candidate)
            if standing is None:
                return False
            if clash.with_other(name, candidate, moves=True) is not None:
                continue
            if pair.same(name, info, candidate, standing):
                return True
        return False

    def _stands_fitted(self, pair: Pair, name: bytes, target_name: bytes, info: os.stat_result) -> bool:
        """Look under the name chosen for it; where its neighbours went before, that may have had a number."""
        for candidate in chain([target_name], other_names(target_name, folder=False)):
            standing = look(pair.target, candidate)
            if standing is None:
                return False
            if pair.same(name, info, candidate, standing):
                return True
        return False

    def _wait(self, folder: bytes, name: bytes) -> None:
        """Leave a file that others lean on until the folders beside it have gone; after that it stays."""
        if self._level is None or self._is_last_look:
            self.hold()
        else:
            self._waiting.setdefault(folder, []).append(name)

    def folder(self, level: Level, batch: Batch) -> bool:
        """Remove a folder from which all went; one that got something new meanwhile stays."""
        if level.path in self._at_work:
            self._at_work.discard(level.path)
            self._tell_at_work(level.path, batch)
        if waiting := self._waiting.pop(level.path, None):
            self._enter(level.path, level.volume, batch)
            if self._level is None:
                return True
            self._level.repeated, self._level.held = level.repeated, level.held
            self._only, self._is_last_look = iter(waiting), True
            return False
        if level.held or self._leans(level.path):
            return True
        try:
            return super().folder(level, batch)
        except OSError as error:
            if error.errno in NOT_EMPTY:
                return True
            raise

    def _tell_at_work(self, path: bytes, batch: Batch) -> None:
        where = self.root.location(path)
        message = f"cannot remove {where}: a job has not finished something in it"
        remedy = "Retry when that job has ended; half files that no job goes on with can be deleted."
        batch.failures.append(Failure(path, NotEmpty(message, remedy, location=where)))

    def _leans(self, path: bytes) -> bool:
        """Say whether a folder has to stay for the name of another."""
        above, _ = split(path)
        if self._rules.fitting is None or not above:
            return False
        fd = self.root.folder(above)
        try:
            return self._is_needed(fd, path)
        finally:
            syscalls.let_go(fd)
