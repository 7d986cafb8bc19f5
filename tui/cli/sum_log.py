"""The sums made so far for a file of checksums, kept beside it until it is whole.

Interrupted or killed, the same command reads them here, as far as the files are still what they were, and goes on.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from tui.cli.sums import read_line, write_line
from tui.model.error import NotPossible
from tui.places.local.syscalls import rename_no_replace

if TYPE_CHECKING:
    from tui.places.local.summing import Sum

logger = logging.getLogger(__name__)

_LOG = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class SumLog:
    """One line a file: its mark, and the line that is to be written.

    Both this file and the one that becomes the file of checksums have partial names, which are never summed.
    """

    def __init__(self, folder: int, name: bytes, header: bytes) -> None:
        """Open what an earlier command left for this file, or begin.

        Args:
            folder: The opened folder of the file.
            header: What is summed, and how: sums made for anything else are thrown away.
        Raises:
            NotPossible: Another command is writing the same file.
            OSError: As open(2).
        """
        partial = b".ferry-checksum-" + blake2b(name, digest_size=8).hexdigest().encode()
        self._folder, self._name, self._log, self._new = folder, name, partial, partial + b"-new"
        self._file = open(os.open(self._log, _LOG, 0o600, dir_fd=folder), "r+b")
        try:
            self._claim()
        except BaseException:
            self._file.close()
            raise
        self._published = False
        self._begin = len(header) + 1
        self._recalling = self._file.readline() == header + b"\n"
        if not self._recalling:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(header + b"\n")

    def _claim(self) -> None:
        """Refuse what somebody else made, or is at."""
        name, info = os.fsdecode(self._name), os.fstat(self._file.fileno())
        if info.st_uid != os.geteuid() or not stat.S_ISREG(info.st_mode):
            what = f"cannot write {name}: {os.fsdecode(self._log)} beside it was made by somebody else"
            raise NotPossible(what, "Remove that, or write the sums elsewhere.")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = f"cannot write {name}: another command is writing it"
            raise NotPossible(what, "Wait for its end.") from None
        except OSError:
            logger.debug("this filesystem knows no locks; nobody is kept from writing the same file")

    def known(self, name: bytes, mark: str) -> str | None:
        """Return the sum of a file, if it is the next that was summed, and was not written to since."""
        if not self._recalling:
            return None
        start = self._file.tell()
        text = self._file.readline()
        noted, _, line = text.partition(b" ")
        found = read_line(line.removesuffix(b"\n")) if text.endswith(b"\n") else None
        if found is not None and noted == mark.encode() and found.name == name:
            self._file.seek(start)
            return found.digest
        self._stop_recalling(start)
        return None

    def _stop_recalling(self, at: int) -> None:
        """Throw away what is noted behind here."""
        self._recalling = False
        self._file.seek(at)
        self._file.truncate()

    def add(self, name: bytes, found: Sum) -> None:
        """Note a sum, or pass by the one that is noted already."""
        line = found.mark.encode() + b" " + write_line(found.digest, name)
        if self._recalling:
            self._file.seek(len(line), os.SEEK_CUR)
            return
        self._file.write(line)
        self._file.flush()

    def publish(self) -> None:
        """Make the file of checksums, and throw this away.

        Raises:
            OSError: It cannot be written, or something has its name by now.
        """
        if self._recalling:
            self._stop_recalling(self._file.tell())
        with suppress(FileNotFoundError):  # a command that was killed just here left it
            os.unlink(self._new, dir_fd=self._folder)
        with open(os.open(self._new, _NEW, 0o666, dir_fd=self._folder), "wb") as out:
            self._file.seek(0)
            self._file.readline()
            for text in self._file:
                out.write(text.partition(b" ")[2])
            out.flush()
            os.fsync(out.fileno())
        rename_no_replace(self._folder, self._new, self._folder, self._name)
        self._published = True

    def close(self) -> bool:
        """Close it; say whether it stays, with something in it to go on from."""
        stays = not self._published and os.fstat(self._file.fileno()).st_size > self._begin
        if not stays:
            os.unlink(self._log, dir_fd=self._folder)
        self._file.close()
        return stays
