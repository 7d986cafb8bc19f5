"""How something new gets into a target folder: made out of sight, then given its name in one step."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui.model.job import Flush
from tui.places.local import attributes, syscalls
from tui.places.local.flushing import flush_file
from tui.places.local.partial import discard, partial_name
from tui.places.local.root import join
from tui.places.local.standing import keeps_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.places.local.root import Root
    from tui.places.local.traits import Traits

_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
_NEW = _WRITE | os.O_CREAT | os.O_EXCL
_NAMELESS = os.O_RDWR | os.O_CLOEXEC | syscalls.O_TMPFILE
_NO_NAMELESS = frozenset(
    {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EXDEV, errno.EPERM, errno.ENOSYS}
)


_EARLY_BYTES = 1 << 20
"""The disk begins with files of this size at once; many smaller ones are written faster together, later."""


class Again(Exception):
    """The way tried does not work on this filesystem; the next try takes another."""


@dataclass(slots=True)
class Draft:
    """A file being written.

    Attributes:
        scratch: The name it has meanwhile; None for a nameless one.
        mode: The permission bits it was asked to be made with.
    """

    fd: int
    scratch: bytes | None
    mode: int

    def close(self) -> None:
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)


class Landing:
    """One target folder, as seen by whoever puts something into it.

    In a folder of the job's own, files are written under their final names; elsewhere as nameless files that are
    linked in, or, where something is to be replaced or nameless files are not known, under a partial name.
    Without times, nothing would tell a half file from a whole one under its final name: then all is made out of sight.
    See `CopyRules.flush` for when it comes onto the disk.
    """

    def __init__(
        self,
        root: Root,
        fd: int,
        tag: str,
        traits: Traits,
        *,
        own: bool,
        flush: Flush = Flush.NONE,
        path: bytes = b"",
        info: os.stat_result | None = None,
    ) -> None:
        """Take an opened folder, `path` below its root, and what it is, where somebody has looked."""
        self.root, self.fd, self.tag, self.traits, self.flush = root, fd, tag, traits, flush
        self.own, self._path = own and traits.times, path
        info = info or os.fstat(fd)
        self.device = info.st_dev
        self._exact = self.device in root.ways.exact
        self._kind = info.st_dev, info.st_gid, info.st_mode & stat.S_ISGID
        """What decides whose is what this process makes here."""
        self._owner = root.ways.owners.get(self._kind)
        self._acl: bool | None = None

    @property
    def _is_faithful(self) -> bool:
        known = self.root.ways.faithful
        if self.device not in known:
            known[self.device] = keeps_all(self.device)
        return known[self.device]

    @property
    def acl(self) -> bool:
        """Whether what is made here is born with an access list; looked up when first asked for."""
        if self._acl is None:
            self._acl = attributes.has_default_acl(self.fd)
        return self._acl

    def makes_alike(self, info: os.stat_result) -> bool:
        """Say whether a new file has owner and mode of that one for nothing, and times only have to be set."""
        mode = stat.S_IMODE(info.st_mode)
        return (
            self._exact
            and self.traits.times
            and self._owner == (info.st_uid, info.st_gid)
            and not mode & (~0o777 | self.root.umask)
            and not self.acl
        )

    def draft(self, name: bytes, info: os.stat_result, xattrs: Sequence[str], *, replace: bool) -> Draft:
        """Create an empty file that is to become `name`.

        Raises:
            FileExistsError: Only in a folder of the job's own: the name is taken.
        """
        mode = info.st_mode & 0o777
        if self._owner != (info.st_uid, info.st_gid):
            # Nobody who may not read the source may read its copy, not even while the owner is still to be set.
            mode &= 0o700
        if xattrs:
            # Beside an access list, the group's bits of the mode are not the group's rights.
            mode = mode & 0o700 | stat.S_IWUSR
        draft = self.create(name, info, mode, replace=replace)
        try:
            self._owner_of(draft)
        except OSError:
            self.abandon(draft)
            raise
        return draft

    def create(self, name: bytes, info: os.stat_result, mode: int, *, replace: bool) -> Draft:
        """Create an empty file with just that mode, as far as the umask allows; else as `draft`."""
        if self.own:
            if replace:
                os.unlink(name, dir_fd=self.fd)
            return Draft(os.open(name, _NEW, mode, dir_fd=self.fd), name, mode)
        if syscalls.O_TMPFILE and not replace and self.device not in self.root.ways.no_tmpfile:
            try:
                return Draft(os.open(b".", _NAMELESS, mode, dir_fd=self.fd), None, mode)
            except OSError as error:
                if error.errno not in _NO_NAMELESS:
                    raise
                self.root.ways.no_tmpfile.add(self.device)
        scratch = partial_name(self.tag, name, info)
        try:
            return Draft(os.open(scratch, _NEW, mode, dir_fd=self.fd), scratch, mode)
        except FileExistsError:  # a leftover of this job
            discard(self.fd, scratch)
        return Draft(os.open(scratch, _NEW, mode, dir_fd=self.fd), scratch, mode)

    def put(self, name: bytes, info: os.stat_result, data: bytes, *, replace: bool) -> None:
        """Make a small file that is to be given nothing but content and times (`makes_alike`); errors as `publish`."""
        draft = self.create(name, info, info.st_mode & 0o777, replace=replace)
        try:
            size = len(data)
            written = os.write(draft.fd, data) if size else 0
            while written < size:
                written += os.write(draft.fd, memoryview(data)[written:])
            if self.traits.lost:
                self.note(name, info, info.st_mode, draft.fd)
            attributes.set_times(draft.fd, info, self.traits)
            self.publish(draft, name, size, replace=replace)
        except BaseException:
            self.abandon(draft)
            raise

    def scratch(self, name: bytes, info: os.stat_result) -> bytes:
        """Return a free partial name; a leftover of this job under it is removed."""
        scratch = partial_name(self.tag, name, info)
        discard(self.fd, scratch)
        return scratch

    def give(
        self, source: int, draft: Draft, name: bytes, info: os.stat_result, xattrs: Sequence[str]
    ) -> None:
        """Give a written file what is wanted of what its source has besides content, the times last.

        Args:
            name: What it will be called.
        """
        traits, mode = self.traits, stat.S_IMODE(info.st_mode)
        chowned = self._owner_of(draft) != (info.st_uid, info.st_gid)
        if chowned:
            mode = attributes.give_owner(draft.fd, info, mode, traits)
        if self.acl and traits.acl:
            attributes.drop_acls(draft.fd, xattrs)
        if xattrs:
            attributes.copy_xattrs(source, draft.fd, xattrs, traits)
            mode = attributes.mode_kept(source, mode, xattrs, traits)
        if chowned or xattrs or self.acl or mode != draft.mode & ~self.root.umask:
            attributes.set_mode(draft.fd, mode, traits)
        self.note(name, info, stat.S_IFREG | mode, draft.fd)
        if traits.times:
            attributes.set_times(draft.fd, info, traits)
        if not self._exact or mode & attributes.SET_ID:
            made = os.fstat(draft.fd)
            traits.compare(info, mode, made)
            self._learn(made, info)

    def give_nameless(
        self, source: int, source_name: bytes, scratch: bytes, name: bytes, info: os.stat_result
    ) -> None:
        """Give a link, FIFO, socket or device, just made as `scratch`, what is wanted besides its kind; see `give`."""
        made = attributes.give_nameless(
            source, source_name, self.fd, scratch, info, self.traits, partial(self.note, name, info),
            exact=self._exact,
        )  # fmt: skip
        if made is not None:
            self._learn(made, info)

    def note(self, name: bytes, info: os.stat_result, mode: int, fd: int) -> None:
        """Write down what an entry has lost, or may be found to have, that only gets its time now, and its name.

        Args:
            mode: The kind and the permission bits it was given.
            fd: It itself.
        """
        traits = self.traits
        if traits.notes is not None and (traits.lost or self._may_lose(info)):
            inode = 0 if traits.times else os.fstat(fd).st_ino
            traits.notes.add(join(self._path, name), info, mode, inode, traits.lost)

    def _may_lose(self, info: os.stat_result) -> bool:
        """Say whether a look back may show that the filesystem made something else of what it was given."""
        if self._exact:
            return bool(info.st_mode & attributes.SET_ID)
        return info.st_mtime_ns % 1_000_000_000 != 0 or not self._is_faithful

    def _owner_of(self, draft: Draft) -> tuple[int, int]:
        """Return owner and group of what is made here; they are the same for all files."""
        if self._owner is None:
            made = os.fstat(draft.fd)
            self._owner = self.root.ways.owners[self._kind] = (made.st_uid, made.st_gid)
        return self._owner

    def _learn(self, made: os.stat_result, info: os.stat_result) -> None:
        """Learn from what the filesystem made of it all. One that has shown to be exact is believed from then on."""
        traits = self.traits
        in_nanoseconds = made.st_mtime_ns % 1000 != 0 and made.st_mtime_ns == info.st_mtime_ns
        if traits.times and in_nanoseconds and not traits.lost and self._is_faithful:
            self.root.ways.exact.add(self.device)
            self._exact = True

    def publish(self, draft: Draft, name: bytes, size_bytes: int, *, replace: bool) -> None:
        """Give a file its final name and close it; over what stands there only with `replace`, and never over a folder.

        Raises:
            Refused: It was to be brought onto the disk first, and that failed.
            FileExistsError: The name is taken.
            Again: Nameless files cannot be named here.
        """
        if self.flush is Flush.FILE:
            flush_file(draft.fd)
        elif self.flush is Flush.JOB and size_bytes >= _EARLY_BYTES:
            syscalls.begin_writing(draft.fd)
        if draft.scratch is None:
            try:
                os.link(
                    f"/proc/self/fd/{draft.fd}",
                    name,
                    src_dir_fd=self.fd,
                    dst_dir_fd=self.fd,
                    follow_symlinks=True,
                )
            except OSError as error:
                if error.errno not in _NO_NAMELESS:
                    raise
                self.root.ways.no_tmpfile.add(self.device)
                raise Again from error
            draft.close()
            return
        # Some network filesystems tell of a failed write only when a file is closed: before it gets its name.
        draft.close()
        if self.own:
            return
        if replace and size_bytes < _EARLY_BYTES and self.flush is not Flush.FILE:
            self._trade(draft.scratch, name)
        else:
            self.settle(draft.scratch, name, replace=replace)

    def _trade(self, scratch: bytes, name: bytes) -> None:
        """Replace a small file: let the two change names, and remove the old one.

        A rename over a file has ext4 write the new one at once (mount(8), auto_da_alloc), one by one, which takes as
        long again as all the rest; whoever wants them on the disk waits for all of them together.
        """
        try:
            if not syscalls.exchange(self.fd, scratch, name):
                self.settle(scratch, name, replace=True)
                return
        except FileNotFoundError:  # what stood there has gone meanwhile
            self.settle(scratch, name, replace=True)
            return
        try:
            os.unlink(scratch, dir_fd=self.fd)
        except OSError:  # a folder has come there meanwhile, or the disk fails: it gets its name back
            syscalls.exchange(self.fd, scratch, name)
            raise

    def settle(self, scratch: bytes, name: bytes, *, replace: bool) -> None:
        """Rename something finished to its final name.

        Raises:
            FileExistsError: The name is taken, and nothing was to be replaced.
        """
        if replace:
            os.rename(scratch, name, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        else:
            syscalls.rename_no_replace(self.fd, scratch, self.fd, name)

    def abandon(self, draft: Draft) -> None:
        """Remove a file that was not finished."""
        try:
            draft.close()
        finally:
            if draft.scratch is not None:
                discard(self.fd, draft.scratch)
