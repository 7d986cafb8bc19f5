"""Copying one large file slice by slice, so that it can be paused, limited, cancelled and continued."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import TYPE_CHECKING, NoReturn

from tui.model.error import PlaceError, SourceChanged, from_os_error
from tui.model.job import Flush
from tui.places.local import attributes, syscalls
from tui.places.local.content import (
    CHUNK_BYTES,
    Stopped,
    next_data,
    next_hole,
    read_exactly,
    settle_holes,
)
from tui.places.local.flushing import Refused, flush_file, flush_folder
from tui.places.local.half_file import Original, take_up
from tui.places.local.landing import Draft, Landing
from tui.places.local.links import Joiner
from tui.places.local.making import unchanged
from tui.places.local.names import told
from tui.places.local.partial import discard, partial_name
from tui.places.local.standing import READ_FLAGS
from tui.places.local.traits import Traits
from tui.places.local.verifying import Differs, ReadBack, not_the_same

if TYPE_CHECKING:
    from tui.model.fidelity import Loss
    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.hops import Brake, Large
    from tui.places.local.links import HardLinks
    from tui.places.local.loss_notes import LossNotes
    from tui.places.local.root import Root

SLICE_S = 0.1
"""No chunk is begun after so long in one slice: this is how often a slow copy says how far it is."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_RESERVE_BYTES = 256 << 20
"""Room asked for ahead: one call a quarter of a GiB costs nothing, and keeps the file in one piece on the disk."""


class SliceCopy:
    """Copies one large file to a partial name beside its final one; the partial's size is how far it is.

    Where the job is in doubt (`CopyRules.doubtful`) that much is compared first, as if it were copied.

    Call `open`, then `step` until it is complete, then `finish`; or `suspend` or `abandon` at any time. To verify it,
    call `read_back` until it gives 0 before `finish`. After a SourceChanged the partial has already been removed;
    after an OutOfSpace all is closed, and `is_kept` tells whether the partial waits for room to be gone on with.

    Attributes:
        is_kept: There is no room, and the partial stays as it is.
    """

    def __init__(
        self,
        source: Root,
        target: Root,
        source_folder: bytes,
        target_folder: bytes,
        large: Large,
        rules: CopyRules,
        brake: Brake,
        links: HardLinks | None = None,
    ) -> None:
        self._source, self._target = source, target
        self._source_folder, self._target_folder = source_folder, target_folder
        self._large, self._rules, self._brake, self._links = large, rules, brake, links
        self._traits = Traits(rules.keep)
        self._from = self._to = self._folder = -1
        self._partial = b""
        self._offset = self._reserved = self._unsure = 0
        self._linked = self.is_kept = False
        self._mirror: attributes.Mirror | None = None
        self._joiner: Joiner | None = None
        self._back: ReadBack | None = None
        self._where = target.location(target_folder, large.target_name)
        self._source_where = source.location(source_folder, large.name)

    @property
    def size_bytes(self) -> int:
        """The source's size when it was opened."""
        return self._info.st_size

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left for `step`."""
        return self._offset == self._info.st_size

    def open(self) -> int:
        """Open both ends; return the offset the copy goes on from (the size, where nothing is left to be copied).

        Raises:
            PlaceError: One of them cannot be opened, or the source is no regular file any more.
        """
        try:
            self._open_source()
            self._open_target()
        except OSError as error:
            self.suspend()
            raise from_os_error(error, self._where, "write") from error
        except BaseException:
            self.suspend()
            raise
        return self._offset

    def step(self, size_bytes: int) -> int:
        """Copy one slice: that much, or what SLICE_S is enough for; return how far it went, 0 only at the end.

        It goes on by at least one chunk, also where the brake is on. Holes count as copied.

        Raises:
            SourceChanged: The source was written to since `open`. The partial is removed.
            OutOfSpace: There is no room. The partial is kept, unless the disk has refused what was written before.
            PlaceError: The one or the other disk fails.
        """
        if self._linked:
            return 0
        start = self._offset
        if start < self._info.st_size and not self._is_unchanged():
            self._give_up()
        try:
            self._advance_or_stop(min(self._info.st_size, start + size_bytes))
            if self._rules.flush is Flush.FILE:
                flush_file(self._to)
            elif self._rules.flush is Flush.JOB and self._offset > start:
                syscalls.begin_writing(self._to, start, self._offset - start)
        except Refused as error:
            self.abandon()
            raise error.told(self._where) from error
        except OSError as error:
            if error.errno in _FULL:
                self._keep()
            if error.errno == errno.EIO:
                raise from_os_error(error, self._source_where, "copy") from error
            raise from_os_error(error, self._where, "write") from error
        return self._offset - start

    def read_back(self, size_bytes: int) -> int:
        """Compare one slice of the whole copy with the source, from the disk; return how far it went, 0 at the end.

        Raises:
            VerificationFailed: They differ. The partial stays: `restart` copies it again.
            SourceChanged: They differ, since the source was written to. The partial is removed.
            PlaceError: One of them cannot be read.
        """
        if self._linked:
            return 0
        self._back = self._back or ReadBack(self._from, self._to, self._info.st_size)
        try:
            return self._back.step(size_bytes, self._brake)
        except Stopped:
            return 0
        except Differs:
            if not self._is_unchanged():
                self._give_up()
            raise not_the_same(self._where, self._source_where) from None
        except OSError as error:
            where = self._source_where if self._back.reading == self._from else self._where
            raise from_os_error(error, where, "read back") from error

    def restart(self) -> None:
        """Throw away what was copied, to copy it again.

        Raises:
            PlaceError: The disk fails.
        """
        self._back = None
        self._offset = self._reserved = self._unsure = 0
        try:
            os.ftruncate(self._to, 0)
        except OSError as error:
            raise from_os_error(error, self._where, "write") from error

    def finish(self, notes: LossNotes | None = None) -> list[Loss]:
        """Give the file its attributes, the time last, and its final name.

        Args:
            notes: Where it is noted before what the file cannot keep.
        Returns:
            What the file could not keep.
        Raises:
            SourceChanged: The source was written to while it was copied. The partial is removed.
            AlreadyExists: The name was taken meanwhile. The partial is kept for another `open`.
            OutOfSpace: There is no room for the name. The partial is kept, too.
            PlaceError: It cannot be put in place.
        """
        name = self._large.target_name
        self._traits.notes = notes
        try:
            if self._linked:
                self._flush_folder()
                self._close()
                return []
            if self._offset != self._info.st_size or not self._is_unchanged():
                self._give_up()
            if self._sparse:
                settle_holes(self._from, self._to, self._info.st_size, self._traits)
            draft = Draft(self._to, self._partial, 0o600)
            self._landing.give(self._from, draft, name, self._info, attributes.xattr_names(self._from))
            if self._rules.flush is Flush.FILE:
                flush_file(self._to)
            self._to = -1
            draft.close()
            self._landing.settle(self._partial, name, replace=self._large.replace)
            self._flush_folder()
            if self._joiner is not None:
                self._joiner.tell(self._info, name)
        except Refused as error:
            self.abandon()
            raise error.told(self._where) from error
        except OSError as error:
            if error.errno in (errno.EEXIST, *_FULL):
                self.is_kept = error.errno in _FULL
                self.suspend()
            else:
                self.abandon()
            raise told(error, self._where, "create") from error
        self._close()
        return self._traits.take()

    def _flush_folder(self) -> None:
        if self._rules.flush is Flush.FILE:
            flush_folder(self._folder, self._where.parent)

    def suspend(self) -> None:
        """Close both ends and keep the partial, to be continued by another `open`."""
        self._let_go()

    def _keep(self) -> None:
        """Close both ends where there is no room; the partial keeps what is known to be in it."""
        good = max(self._offset, self._unsure)
        try:
            os.ftruncate(self._to, good)
        except OSError:
            good = 0
        if good:
            self.is_kept = True
            self.suspend()
        else:
            self.abandon()

    def abandon(self) -> None:
        """Close both ends and remove the partial."""
        if self._folder >= 0 and self._partial:
            discard(self._folder, self._partial)
        self._let_go()

    def _let_go(self) -> None:
        """Close both ends; a folder that does not get its time back is not told beside what ended the copy."""
        with contextlib.suppress(PlaceError):
            self._close()

    def _close(self) -> None:
        opened, folder = (self._from, self._to, self._folder), self._folder
        self._from = self._to = self._folder = -1
        try:
            if folder >= 0 and self._mirror is not None:
                self._mirror.restore(folder)
        except OSError as error:
            raise from_os_error(error, self._where.parent, "set the attributes of") from error
        finally:
            syscalls.let_go(*opened)

    def _give_up(self) -> NoReturn:
        self.abandon()
        message = f"cannot copy {self._source_where}: it changes while it is read"
        raise SourceChanged(message, location=self._source_where)

    def _is_unchanged(self) -> bool:
        try:
            return unchanged(self._info, os.fstat(self._from))
        except OSError as error:
            raise from_os_error(error, self._source_where, "read") from error

    def _open_source(self) -> None:
        folder = self._source.folder(self._source_folder)
        try:
            self._from = os.open(self._large.name, READ_FLAGS, dir_fd=folder)
            self._info = os.fstat(self._from)
            if not stat.S_ISREG(self._info.st_mode):
                self._give_up()
            self._folder = self._target.folder(self._target_folder)
            finished = self._rules.compare and bool(self._target_folder)
            self._mirror = attributes.Mirror(folder, self._folder, finished=finished)
        except OSError as error:
            raise from_os_error(error, self._source_where, "read") from error
        finally:
            syscalls.let_go(folder)

    def _open_target(self) -> None:
        info, name = self._info, self._large.target_name
        self._landing = Landing(
            self._target, self._folder, self._rules.tag, self._traits, own=False, path=self._target_folder
        )
        self._devices = (info.st_dev, self._landing.device)
        self._sparse = info.st_blocks * 512 < info.st_size
        if self._links is not None and (info.st_nlink > 1 or self._rules.compare):
            self._joiner = Joiner(self._links, self._landing, self._target_folder)
            if self._joiner.join(info, name, replace=self._large.replace):
                self._linked, self._offset = True, info.st_size
                return
        self._partial = partial_name(self._rules.tag, name, info)
        self._to, self._offset, self._unsure = take_up(
            self._folder,
            self._partial,
            Original(self._from, info),
            self._where,
            doubtful=self._rules.doubtful,
            retried=self._rules.retried,
        )

    def _advance_or_stop(self, end: int) -> None:
        """Go on as far as there is room: what was copied before there was none counts, and the next step tells."""
        start = self._offset
        try:
            self._advance(end)
        except OSError as error:
            if error.errno not in _FULL or self._offset == start:
                raise

    def _advance(self, end: int) -> None:
        size, ends = self._info.st_size, time.monotonic() + SLICE_S
        if self._offset == 0 and self._target.ways.clone(self._from, self._to, self._devices):
            self._offset = size
        start = self._offset
        while self._offset < end and (
            self._offset == start or not (self._brake.on or time.monotonic() >= ends)
        ):
            if self._offset < self._unsure:
                self._go_over(min(end, self._unsure))
            elif self._sparse:
                end = min(size, end + self._jump())
                self._copy(min(end, next_hole(self._from, self._offset, size)))
            else:
                self._reserve()
                self._copy(end)

    def _jump(self) -> int:
        """Go on to where data begins; return how far that was."""
        start, self._offset = self._offset, next_data(self._from, self._offset, self._info.st_size)
        if self._offset > start:
            os.ftruncate(self._to, self._offset)
        return self._offset - start

    def _copy(self, stop: int) -> None:
        """Copy a chunk, where there is anything up to `stop`."""
        if self._offset < stop:
            length = stop - self._offset
            count = self._target.ways.some(self._from, self._to, self._offset, length, self._devices)
            if count == 0:
                self._give_up()
            self._offset += count

    def _go_over(self, end: int) -> None:
        """Compare a chunk of what an earlier go wrote; where the disk has not kept it, it is cut off, to be copied."""
        length = min(end - self._offset, CHUNK_BYTES)
        wanted = read_exactly(self._from, length, self._offset)
        try:
            found = read_exactly(self._to, length, self._offset)
        except OSError:
            found = b""
        if len(found) == length and found == wanted:
            self._offset += length
        else:
            os.ftruncate(self._to, self._offset)
            self._unsure = 0

    def _reserve(self) -> None:
        """Keep room ahead, in one piece; where there is none, the write itself will tell."""
        if self._offset >= self._reserved:
            ahead = min(_RESERVE_BYTES, self._info.st_size - self._offset)
            syscalls.reserve(self._to, self._offset, ahead)
            self._reserved = self._offset + ahead
