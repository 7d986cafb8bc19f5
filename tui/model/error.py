"""The error tree. Text says what failed, where, and what to do; retry advice is data on the class.

FerryError
├─ UsageError · ConfigError(file, key)
├─ PlaceError(location)   NotFound · AlreadyExists · PermissionDenied · OutOfSpace · ReadOnly · Unsupported
│  │                      NotHeld · NotListed · NameTooLong · NotAFolder · IsAFolder · NotEmpty · LinkInTheWay
│  │                      StorageFault
│  │                      PlaceUnavailable (HostUnreachable) · EndsConnection · AuthenticationFailed
│  │                      HostKeyMismatch · HoldsHome
│  └─ TransferError       SourceChanged · SourceReplaced · VerificationFailed · NotFlushed · CollisionRefused
│                         TargetInsideSource · SameFile · NothingRemoved
└─ EngineError            EngineUnreachable · EngineAlreadyRunning · ProtocolMismatch · JournalDamaged
                          NoSuchJob · NotPossible

The root stands apart, in `error_root`: locations raise a UsageError, and places' errors hold a location.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from tui.model.error_root import FerryError as FerryError
from tui.model.error_root import UsageError as UsageError

if TYPE_CHECKING:
    from tui.model.location import Location


class ConfigError(FerryError):
    """The configuration file holds something Ferry cannot use."""

    def __init__(self, message: str, remedy: str = "", *, file: str = "", key: str = "") -> None:
        super().__init__(message, remedy)
        self.file, self.key = file, key


class PlaceError(FerryError):
    """A place refused something about one location. `errno`: the operating system's number for it, where it has one."""

    errno: int | None = None

    def __init__(self, message: str, remedy: str = "", *, location: Location | None = None) -> None:
        super().__init__(message, remedy)
        self.location = location


class NotFound(PlaceError):
    remedy = "Check its name; it may have been moved or removed."


class AlreadyExists(PlaceError):
    remedy = "Choose another name, or remove what stands there."


class PermissionDenied(PlaceError):
    remedy = "Change its permissions or owner, then retry."


class OutOfSpace(PlaceError):
    remedy = "Free some space (or quota) there, then retry."


class ReadOnly(PlaceError):
    remedy = "The filesystem is mounted read-only; remount it or choose another target."


class Unsupported(PlaceError):
    remedy = "The target cannot hold this kind of entry; choose another target or leave it out."


class NotHeld(Unsupported):
    """The target knows no entries of this kind: part of the loss report."""

    remedy = "Copy it to another filesystem, pack it into an archive, or leave it out."


class NotListed(PlaceError):
    """Of a folder of a store not all can be told by names. Raised by a listing when all that can be was told.

    `keys`: so many cannot, such as `example`.
    """

    remedy = "Give the keys other names with another tool, then retry."

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        location: Location | None = None,
        keys: int = 0,
        example: str = "",
    ) -> None:
        super().__init__(message, remedy, location=location)
        self.keys, self.example = keys, example


class NameTooLong(PlaceError):
    remedy = "Rename it to something shorter, then retry."


class NotAFolder(PlaceError):
    remedy = "Something that is not a folder stands in the way; move it aside, then retry."


class IsAFolder(PlaceError):
    remedy = "A folder stands where a file should go; move it aside, then retry."


class NotEmpty(PlaceError):
    remedy = "Something was added to the folder meanwhile; look at it, then retry."


class LinkInTheWay(PlaceError):
    remedy = "A link stands where a folder was; Ferry does not follow it. Remove the link, then retry."


class PlaceUnavailable(PlaceError):
    transient = True
    remedy = "Check the disk or the network, then retry."


class HostUnreachable(PlaceUnavailable):
    """Nobody answers there, or there is no such host."""

    remedy = "Check its name, the network, and whether it is up, then retry."


class EndsConnection(PlaceError):
    """Whenever this entry is touched, the connection ends: the host may fail at it."""

    remedy = "The host's own log may tell why. Retry, or leave it out."


class AuthenticationFailed(PlaceError):
    """The host does not let this user in, or nobody told it the password."""

    remedy = "Check user, key and password (`ssh` to the same host tells more), then retry."


class HostKeyMismatch(PlaceError):
    """The host shows another key than the one it is known by: nothing was sent to it."""

    remedy = (
        "Somebody may be in between, or the host was set up anew. Ask who runs it; where the new key is right, remove"
        " the old one with `ssh-keygen -R`, then retry."
    )


class HoldsHome(PlaceError):
    """What is to be removed or renamed is a home folder, or holds one: that is never meant."""

    remedy = "Name what is in it instead."


class StorageFault(PlaceError):
    remedy = "The disk reported a fault; check it (dmesg), then retry."


class TransferError(PlaceError):
    """A copy could not be made as asked."""


class SourceChanged(TransferError):
    remedy = "It was written to during both tries, so no copy of it was kept; retry when it is at rest."


class VerificationFailed(TransferError):
    remedy = "Check both disks, their cables and the memory (dmesg, smartctl), then retry; the source was not touched."


class SourceReplaced(TransferError):
    """What is to be undone was done to another entry than the one that stands there now."""

    remedy = "Look at it; where it is right all the same, move it by hand."


class NotFlushed(TransferError):
    """The disk did not take what had been written: copies that look complete may not be."""

    remedy = (
        "Copies there may be damaged; check the disk (dmesg), then retry: each is compared with its original."
    )


class CollisionRefused(TransferError):
    remedy = "Choose a conflict rule (skip, overwrite, newer, rename), then retry."


class TargetInsideSource(TransferError):
    remedy = "A folder cannot be put inside itself; choose a target outside of it."


class SameFile(TransferError):
    remedy = "Source and target are the same file; nothing needs to be done."


class NothingRemoved(TransferError):
    remedy = "Retry the job: when all is copied, what only the target has is removed."


class EngineError(FerryError):
    """The queue itself."""


class EngineUnreachable(EngineError):
    remedy = "Run `ferry engine start`, or `ferry doctor` to see what is wrong."


class EngineAlreadyRunning(EngineError):
    pass


class ProtocolMismatch(EngineError):
    remedy = "Another version of Ferry is running its engine: run `ferry engine stop`, then try again."


class JournalDamaged(EngineError):
    remedy = (
        "`ferry engine stop`, then start it again: it saves what can be read. What this is about, queue anew."
    )


class NoSuchJob(EngineError):
    remedy = "`ferry queue` lists the jobs there are."


class NotPossible(EngineError):
    """The job is in a state in which this cannot be done."""


def classes() -> dict[str, type[FerryError]]:
    """Return every error class by its code."""
    found: dict[str, type[FerryError]] = {}
    waiting: list[type[FerryError]] = [FerryError]
    while waiting:
        cls = waiting.pop()
        found[cls.__name__] = cls
        waiting += cls.__subclasses__()
    return found


_BY_ERRNO: dict[int, type[PlaceError]] = {
    errno.ENOENT: NotFound,
    errno.EEXIST: AlreadyExists,
    errno.EACCES: PermissionDenied,
    errno.EPERM: PermissionDenied,
    errno.ENOSPC: OutOfSpace,
    errno.EDQUOT: OutOfSpace,
    errno.EFBIG: Unsupported,
    errno.EMLINK: Unsupported,
    errno.EROFS: ReadOnly,
    errno.ENAMETOOLONG: NameTooLong,
    errno.ENOTDIR: NotAFolder,
    errno.EISDIR: IsAFolder,
    errno.ENOTEMPTY: NotEmpty,
    errno.ELOOP: LinkInTheWay,
    errno.EOPNOTSUPP: Unsupported,
    errno.EINVAL: Unsupported,
    errno.EIO: StorageFault,
    errno.ETXTBSY: PlaceUnavailable,
    errno.EBUSY: PlaceUnavailable,
    errno.EAGAIN: PlaceUnavailable,
    errno.ETIMEDOUT: PlaceUnavailable,
    errno.ESTALE: PlaceUnavailable,
    errno.EMFILE: PlaceUnavailable,
    errno.ENFILE: PlaceUnavailable,
    errno.ENOMEM: PlaceUnavailable,
}

_PHRASES: dict[type[PlaceError], str] = {
    NotFound: "no such file or folder",
    AlreadyExists: "something of that name is already there",
    PermissionDenied: "permission denied",
    OutOfSpace: "no space left",
    ReadOnly: "the filesystem is read-only",
    Unsupported: "not supported there",
    NameTooLong: "the name is too long",
    NotAFolder: "not a folder",
    IsAFolder: "it is a folder",
    NotEmpty: "the folder is not empty",
    LinkInTheWay: "a link is in the way, or links go in a circle",
    StorageFault: "the disk reported an error",
    PlaceUnavailable: "busy or not answering",
}

_TOO_MANY_FILES = (
    "too many files are open",
    "Raise the limit (`ulimit -n`), then retry.",
)
_BY_NUMBER: dict[int, tuple[str, str]] = {
    errno.EDQUOT: ("the disk quota is used up", ""),
    errno.EMFILE: _TOO_MANY_FILES,
    errno.ENFILE: _TOO_MANY_FILES,
    errno.EMLINK: (
        "there can be no more folders in one folder, or names of one file",
        "Spread what is in the folder over several, or choose another filesystem, then retry.",
    ),
    errno.ENOMEM: (
        "the system has no memory for it",
        "End what takes it (`top` shows that), then retry.",
    ),
    errno.EFBIG: (
        "a file may not be so large there",
        "Raise the limit (`ulimit -f`) if you have one, or choose another target, then retry.",
    ),
    errno.EPERM: (
        "not permitted",
        "Change its permissions or owner, or what protects it or its folder (`lsattr` shows that), then retry.",
    ),
}
"""What says more than the class does, and a remedy of its own, if any."""


def from_os_error(error: OSError, location: Location, doing: str) -> PlaceError:
    """Return Ferry's error for an operating system's, by errno.

    Args:
        doing: What was tried, as in "read", "create the folder": the sentence becomes "cannot <doing> <location>: …".
    """
    cls = _BY_ERRNO.get(error.errno or 0, PlaceError)
    phrase = _PHRASES.get(cls) or error.strerror or str(error)
    if cls is Unsupported and error.strerror:
        phrase = f"{phrase} ({error.strerror})"
    phrase, remedy = _BY_NUMBER.get(error.errno or 0, (phrase, ""))
    told = cls(f"cannot {doing} {location}: {phrase}", remedy, location=location)
    told.errno = error.errno
    return told
