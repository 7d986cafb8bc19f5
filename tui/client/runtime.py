"""Where engine and clients meet: the runtime folder, the lock and the socket."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import socket
import stat
import struct
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from tui.model.error import EngineUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOCKET_PATH_BYTES = 104
"""Room for a socket's path on the stingiest system (macOS, its NUL included)."""

OPEN_FILES = 64
"""So many files an engine opens at once for a queue and two jobs; it would keep a lower limit of its starter's."""

_BACKLOG = 128
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class CannotHost(EngineUnreachable):
    """No background engine can live here: the runtime folder or what it needs is not to be had."""

    remedy = "`ferry doctor` says what is wrong."


def require_open_files() -> None:
    """See that this process, and what it starts, may open as many files as an engine needs.

    Raises:
        EngineUnreachable: It may not, and is not allowed to raise the limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = [OPEN_FILES if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard)]
    if enough[0] >= OPEN_FILES:
        return
    if enough[1] < OPEN_FILES:
        raise EngineUnreachable(
            f"a program may open {hard} files at once here, and the engine needs {OPEN_FILES}",
            "Raise the limit (`ulimit -n`; as root, for good, in /etc/security/limits.conf), then try again.",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))


def prepare_runtime(folder: Path) -> None:
    """Make the runtime folder, 0700, or see that the one there is ours and private.

    Raises:
        CannotHost: It cannot be made, or it is a link, somebody else's, or not a folder.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        fd = os.open(folder, _FOLDER)
    except OSError as error:
        reason = error.strerror
        if os.path.islink(folder) or os.path.isfile(folder):
            reason = "a link or a file stands in its place"
        elif isinstance(error, (FileExistsError, NotADirectoryError)):
            reason = "something on the way to it is not a folder"
        raise CannotHost(f"the runtime folder {folder} cannot be used: {reason}") from error
    try:
        about = os.fstat(fd)
        if about.st_uid != os.geteuid():
            raise CannotHost(f"the runtime folder {folder} belongs to another user (uid {about.st_uid})")
        if stat.S_IMODE(about.st_mode) != 0o700:
            os.fchmod(fd, 0o700)
    except OSError as error:
        raise CannotHost(f"the runtime folder {folder} cannot be made private: {error.strerror}") from error
    finally:
        os.close(fd)


class Holder(Struct, frozen=True):
    """Who wrote itself into the lock."""

    pid: int
    socket: str
    """Where it listens; empty for an engine inside a front end."""


class Lock:
    """The lock beside the journal, held until it is released or the process ends, however it ends."""

    def __init__(self, path: Path, fd: int) -> None:
        self._path, self.fd = path, fd

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """Return the lock, or None where another process holds it.

        Raises:
            OSError: The file cannot be made.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            lock = cls(path, fd)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                return None
            except OSError:
                os.close(fd)
                raise
            if lock.stands:
                os.ftruncate(fd, 0)  # what a holder that died wrote
                return lock
            os.close(fd)  # removed between open and flock: what we hold guards nothing

    @property
    def stands(self) -> bool:
        """Whether the file held is still the one others would try."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self.fd))
        except OSError:
            return False

    def sign(self, socket_path: Path | None) -> None:
        """Write who holds it, for those who do not find the socket. (On a full disk it is held all the same.)"""
        where = os.fsencode(socket_path) if socket_path else b""
        with contextlib.suppress(OSError):
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, b"%d\n%s" % (os.getpid(), where), 0)

    def release(self) -> None:
        os.close(self.fd)


def holder(path: Path) -> Holder | None:
    """Return who holds the lock, or None where nobody does, or has not signed it yet."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # A shared lock for a moment: a starter that meets it tries again a little later.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, _, where = os.pread(fd, 8192, 0).partition(b"\n")
        return Holder(int(pid), os.fsdecode(where)) if pid.isdigit() else None
    except OSError:
        return None
    else:
        return None
    finally:
        os.close(fd)


@contextmanager
def address(path: str | Path) -> Iterator[str]:
    """Give a name of a socket that is short enough, valid inside the block.

    Raises:
        CannotHost: The path is too long for this system.
        OSError: Its folder cannot be opened.
    """
    if len(os.fsencode(path)) < SOCKET_PATH_BYTES:
        yield str(path)
        return
    if not sys.platform.startswith("linux"):
        raise CannotHost(
            f"the path of the socket is too long for this system: {path}",
            "Set FERRY_HOME or XDG_RUNTIME_DIR to a folder with a shorter path.",
        )
    folder, name = os.path.split(path)
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{name}"
    finally:
        os.close(fd)


def listen(path: Path) -> socket.socket:
    """Return a listening socket at `path`; one left by a dead engine is replaced. Only for the holder of the lock.

    Raises:
        CannotHost: The runtime folder is not to be had, or does not take a socket.
    """
    prepare_runtime(path.parent)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with address(path) as short:
            listener.bind(short)
        path.chmod(0o600)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise CannotHost(f"the socket {path} cannot be made: {error.strerror}") from error
    except BaseException:
        listener.close()
        raise
    return listener


def peer_uid(connection: socket.socket) -> int:
    """Return the user at the other end."""
    if hasattr(socket, "SO_PEERCRED"):
        level, option, size = socket.SOL_SOCKET, socket.SO_PEERCRED, 12  # struct ucred: pid, uid, gid
    else:
        # SOL_LOCAL, LOCAL_PEERCRED, struct xucred: version, uid, groups (macOS, FreeBSD)
        level, option, size = 0, 1, 76
    return int(struct.unpack_from("=II", connection.getsockopt(level, option, size))[1])
