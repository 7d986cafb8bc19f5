"""Copying one entry of a folder: a file, a link or another kind, or a subfolder that is made and reported."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from tui.model.error import AlreadyExists, SameFile, SourceChanged, TargetInsideSource, from_os_error
from tui.places.local import syscalls
from tui.places.local.alignment import align, is_aligned
from tui.places.local.content import Moved
from tui.places.local.decision import Decider, Same, Spot
from tui.places.local.hops import Large
from tui.places.local.landing import Again, Landing
from tui.places.local.links import HardLinks, Joiner
from tui.places.local.making import Maker, Unmade, not_held
from tui.places.local.names import check_end
from tui.places.local.plain import PlainFiles
from tui.places.local.standing import READ_FLAGS, Pair, TargetNames, is_folder, look, same_inode
from tui.places.local.verifying import Differs, not_the_same

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.hops import Batch, Brake
    from tui.places.local.root import Root
    from tui.places.local.traits import Traits

LEFT_OUT = b""
"""The target name of what is not copied: it does not fit there."""

_TRIES = 8
"""How often an entry is looked at anew when somebody else takes its name at the target meanwhile."""


class Side(NamedTuple):
    """An opened folder that is copied from or into, where it is, and what."""

    root: Root
    path: bytes
    fd: int
    info: os.stat_result

    def location(self, name: bytes = b"") -> Location:
        return self.root.location(self.path, name)


class EntryCopy:
    """Copies entries of one opened folder into another, one at a time."""

    def __init__(
        self,
        source: Side,
        target: Side,
        rules: CopyRules,
        traits: Traits,
        links: HardLinks | None,
        brake: Brake,
        names: TargetNames,
    ) -> None:
        """Say what goes where.

        Args:
            links: See `FolderCopy`.
            names: Those in the target folder.
        """
        self._source, self._target, self._traits, self._names = source, target, traits, names
        self._keeps_links = links is not None
        self._keeps_ends = False
        own, times, verify = rules.own, traits.times, rules.verify
        landing = Landing(
            target.root, target.fd, rules.tag, traits, own=own, flush=rules.flush, path=target.path, info=target.info
        )  # fmt: skip
        self._pair = Pair(
            source.fd, target.fd, target.root.ways, brake,
            strict=verify or rules.doubtful or (not times if own else rules.compare), from_disk=verify,
            timeless=rules.mirror and rules.compare, times=times,
        )  # fmt: skip
        self._decider = Decider(target.root, target.path, rules, self._pair, self._on_same)
        self.plain = PlainFiles(source.fd, landing, names, self._decider, brake)
        self._maker = Maker(source.fd, landing, brake, verify=verify)
        self._joiner = Joiner(links or HardLinks(), landing, target.path)
        self.device = landing.device
        self.rules = rules

    @property
    def rules(self) -> CopyRules:
        return self._rules

    @rules.setter
    def rules(self, rules: CopyRules) -> None:
        self._rules = self._decider.rules = rules

    def copy(self, name: bytes, target_name: bytes, regular: bool, batch: Batch) -> None:
        """Copy one entry, or settle why not, and tell of it in the batch.

        Args:
            target_name: LEFT_OUT: it is only counted.
            regular: The folder says that it is a regular file.
        Raises:
            Stopped: The brake went on.
            PlaceError, OSError, Refused: It could not be copied; nothing new stands at the target.
        """
        self.plain.tell()
        if target_name == LEFT_OUT:
            self._decider.leave_out(name, batch)
            return
        if not self._keeps_ends and target_name.endswith((b".", b" ")):
            check_end(self._target.fd, target_name, self._target.root, self._target.path)
            self._keeps_ends = True  # what holds for one name holds for all in this folder
        for _ in range(_TRIES):
            self._traits.lost.clear()
            try:
                if regular and self._file(name, target_name, batch):
                    return
                if not regular:
                    self._other_kind(name, target_name, batch)
                    return
                regular = False
            except (FileExistsError, Again):
                self._names.distrust()
        where = self._target.location(target_name)
        raise AlreadyExists(f"cannot write {where}: its name is taken again and again", location=where)

    def _spot(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> Spot | None:
        """Return where an entry may go, or None where that is settled."""
        standing = self._names.look(target_name)
        if standing is None:
            return target_name, False
        return self._decider.spot(name, target_name, info, standing, batch)

    def _on_same(self, found: Same) -> None:
        if self._rules.mirror and not same_inode(found.info, found.standing):
            here, there, ways = self._source.fd, self._target.fd, self._target.root.ways
            if not is_aligned(here, found.name, found.info, there, found.target_name, found.standing, ways):
                align(here, found.name, found.info, there, found.target_name, self._traits)
        self._keep_together(found)

    def _keep_together(self, found: Same) -> None:
        """Let a file found complete be one with its other names, as it is in the source.

        That it cannot be was told when it was made.
        """
        info = found.info
        if not self._had_names(info) or not self._traits.hardlinks or same_inode(info, found.standing):
            return
        if (
            self._rules.own
            or self._pair.strict
            or not stat.S_ISREG(info.st_mode)
            or self._pair.same_bytes(found.name, found.target_name)
        ):
            lost = self._traits.lost.copy()
            self._joiner.tell(info, found.target_name, as_found=not self._rules.mirror)
            self._traits.lost &= lost

    def _file(self, name: bytes, target_name: bytes, batch: Batch) -> bool:
        """Copy a regular file; False where it turns out to be something else.

        What there is to be copied is opened; a look at both is enough to see that there is nothing.
        """
        spot: Spot | None = target_name, False
        standing: os.stat_result | None
        if looks := self.plain.take_looks(name):
            info, standing = looks
        elif (standing := self._names.look(target_name)) is not None:
            info = self._look(name)
        if standing is not None:
            if not stat.S_ISREG(info.st_mode):
                return False
            if self._is_left(name, target_name, info, batch):
                return True
            spot = self._decider.spot(name, target_name, info, standing, batch)
        if spot is None:
            return True
        try:
            source = os.open(name, READ_FLAGS, dir_fd=self._source.fd)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                return False
            raise from_os_error(error, self._source.location(name), "read") from error
        try:
            info = os.fstat(source)
            if not stat.S_ISREG(info.st_mode):
                return False
            if not self._is_left(name, target_name, info, batch):
                self._opened(source, name, info, spot, batch)
        finally:
            syscalls.let_go(source)
        return True

    def _opened(self, source: int, name: bytes, info: os.stat_result, spot: Spot, batch: Batch) -> None:
        """Bring an opened regular file to its spot: as another name of what is there, later in slices, or now.

        A large one is worth slices where its content has to be copied; where it can be shared, that is done at once.
        """
        put, replace = spot
        if not (self._has_names(info) and self._joiner.join(info, put, replace=replace)):
            if info.st_size > self._rules.large_bytes:
                if not self._maker.clone(source, put, info, replace=replace):
                    batch.large.append(Large(name, put, info.st_size, replace))
                    self._traits.lost.clear()  # it will be told when that is done
                    return
            elif not replace or self._rules.verify or not self.plain.replace(source, put, info):
                info = self._make(source, name, put, info, replace=replace)
            if info.st_nlink > 1:
                self._joiner.tell(info, put)
        batch.files += 1
        batch.size_bytes += info.st_size
        if self._rules.verify:
            batch.verified_files += 1
            batch.verified_bytes += info.st_size

    def _look(self, name: bytes) -> os.stat_result:
        try:
            return os.lstat(name, dir_fd=self._source.fd)
        except OSError as error:
            raise from_os_error(error, self._source.location(name), "read") from error

    def _is_left(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> bool:
        """Leave an entry that has other names to those who keep them together, unless that is done here."""
        if info.st_nlink == 1 or self._keeps_links:
            return False
        batch.linked.append((name, target_name))
        return True

    def _had_names(self, info: os.stat_result) -> bool:
        """Say whether a file has other names, or is known to have had them before a move took them away."""
        return info.st_nlink > 1 or (self._rules.compare and self._joiner.knows(info))

    def _has_names(self, info: os.stat_result) -> bool:
        """Say whether a file may stand at the target by another of its names: a move takes these away one by one."""
        return info.st_nlink > 1 or self._rules.compare

    def _make(
        self, source: int, name: bytes, put: bytes, info: os.stat_result, *, replace: bool
    ) -> os.stat_result:
        try:
            return self._maker.file(source, put, info, replace=replace)
        except Moved:
            where = self._source.location(name)
            raise SourceChanged(f"cannot copy {where}: it changes while it is read", location=where) from None
        except Differs:
            raise not_the_same(self._target.location(put), self._source.location(name)) from None

    def _other_kind(self, name: bytes, target_name: bytes, batch: Batch) -> None:
        info = self._look(name)
        if is_folder(info):
            self._folder(name, target_name, info, batch)
        elif stat.S_ISREG(info.st_mode):
            if not self._file(name, target_name, batch):
                raise Again
        else:
            self._nameless(name, target_name, info, batch)

    def _nameless(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> None:
        if self._is_left(name, target_name, info, batch):
            return
        spot = self._spot(name, target_name, info, batch)
        if spot is None:
            return
        put, replace = spot
        if not self._has_names(info) or not self._joiner.join(info, put, replace=replace):
            try:
                self._maker.nameless(name, put, info, replace=replace)
            except Unmade:
                raise not_held(info, self._target.location(put)) from None
            if info.st_nlink > 1:
                self._joiner.tell(info, put)
        batch.files += 1
        batch.size_bytes += info.st_size

    def _folder(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> None:
        """Make a subfolder, or find it; its mode stays open to its owner until `finish`."""
        if (info.st_dev, info.st_ino) == (self._target.root.device, self._target.root.inode):
            where = self._source.location(name)
            raise TargetInsideSource(f"cannot copy {where} into itself", location=where)
        put = self._stand_in(name, target_name, info, batch)
        if put is None:
            return
        batch.folders.append(name)
        if put != name:
            batch.renamed[name] = put

    def _stand_in(self, name: bytes, target_name: bytes, info: os.stat_result, batch: Batch) -> bytes | None:
        standing = self._names.look(target_name)
        if standing is None:
            os.mkdir(target_name, 0o700, dir_fd=self._target.fd)
            batch.wrote = True
            return target_name
        another = self._decider.of_another(name, target_name, info, standing)
        if is_folder(standing) and another is None:
            if same_inode(info, standing):
                where = self._target.location(target_name)
                raise SameFile(f"cannot copy {where} onto itself", location=where)
            return target_name
        if self._rules.own and another is None:
            os.unlink(target_name, dir_fd=self._target.fd)
            raise Again
        spot = self._decider.spot(name, target_name, info, standing, batch)
        if spot is None:
            return None
        if look(self._target.fd, spot[0]) is None:
            os.mkdir(spot[0], 0o700, dir_fd=self._target.fd)
            batch.wrote = True
        return spot[0]
