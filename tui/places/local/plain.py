"""Copying small files that have nothing but content, owner, mode and times: most of what there is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.places.local import attributes
from tui.places.local.content import SMALL_BYTES
from tui.places.local.making import unchanged

if TYPE_CHECKING:
    from tui.places.local.landing import Landing


class PlainFiles:
    """Copies plain files into one target folder, with as few calls as can be.

    A file is read, and seen to be as it was, before anything is made: what is not plain, or does not hold still, is
    left to `Maker`, as if nobody had looked.
    """

    def __init__(self, landing: Landing) -> None:
        self._landing = landing

    def copy(self, source: int, name: bytes, info: os.stat_result, *, replace: bool) -> bool:
        """Copy an opened file to its final name, if it is plain; say whether it was.

        Raises:
            FileExistsError: The name was taken meanwhile.
            OSError: It cannot be read, or not be written; nothing new stands at the target.
        """
        landing, size = self._landing, info.st_size
        if (
            size > SMALL_BYTES
            or info.st_blocks * 512 < size
            or not landing.makes_alike(info)
            or attributes.xattr_names(source)
        ):
            return False
        data = os.pread(source, size + 1, 0)
        if len(data) != size or not unchanged(info, os.fstat(source)):
            return False
        draft = landing.create(name, info, info.st_mode & 0o777, replace=replace)
        try:
            written = os.write(draft.fd, data) if size else 0
            while written < size:
                written += os.write(draft.fd, memoryview(data)[written:])
            attributes.set_times(draft.fd, info, landing.traits)
            landing.publish(draft, name, size, replace=replace)
        except BaseException:
            landing.abandon(draft)
            raise
        return True
