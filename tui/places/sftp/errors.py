"""What an SFTP server's refusals are in Ferry's words.

Version 3 has nine codes, and "failure" stands for a name that is taken, a folder that is not empty, a full disk and all
the rest: which of them it was is found out by looking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model import error
from tui.places.sftp.protocol import Code

if TYPE_CHECKING:
    from tui.model.location import Location


class Refused(Exception):
    """The server said no, in its own words."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code, text)
        self.code, self.text = code, text


class Lost(Exception):
    """The connection is gone; the text says why, or is empty."""


_LONGEST_NAME, _LONGEST_PATH = 255, 4095

_BY_CODE: dict[int, tuple[type[error.PlaceError], str]] = {
    Code.NO_SUCH_FILE: (error.NotFound, "no such file or folder"),
    Code.NO_SUCH_PATH: (error.NotFound, "no such file or folder"),
    Code.PERMISSION_DENIED: (error.PermissionDenied, "permission denied"),
    Code.WRITE_PROTECT: (error.ReadOnly, "the filesystem is read-only"),
    Code.NO_CONNECTION: (error.PlaceUnavailable, "the connection is lost"),
    Code.CONNECTION_LOST: (error.PlaceUnavailable, "the connection is lost"),
    Code.OP_UNSUPPORTED: (error.Unsupported, "the server cannot do that"),
    Code.FILE_ALREADY_EXISTS: (error.AlreadyExists, "something of that name is already there"),
    Code.NO_SPACE_ON_FILESYSTEM: (error.OutOfSpace, "no space left"),
    Code.QUOTA_EXCEEDED: (error.OutOfSpace, "the disk quota is used up"),
    Code.DIR_NOT_EMPTY: (error.NotEmpty, "the folder is not empty"),
    Code.NOT_A_DIRECTORY: (error.NotAFolder, "not a folder"),
    Code.INVALID_FILENAME: (error.Unsupported, "the server takes no such name"),
    Code.LINK_LOOP: (error.LinkInTheWay, "links go in a circle"),
    Code.FILE_IS_A_DIRECTORY: (error.IsAFolder, "it is a folder"),
}


def told(cls: type[error.PlaceError], doing: str, location: Location, why: str) -> error.PlaceError:
    """Return an error in the form all have."""
    return cls(f"cannot {doing} {location}: {why}", location=location)


def no_sftp(root: Location, reason: str) -> error.PlaceError:
    """Return the error of a host that lets somebody in, but offers no SFTP."""
    remedy = "Have SFTP turned on there (sshd_config: Subsystem sftp internal-sftp), then retry."
    return error.Unsupported(f"cannot reach {root}: it offers no SFTP ({reason})", remedy, location=root)


def not_sftp(root: Location, said: bytes) -> error.PlaceError:
    """Return the error of a host at which something else answers, as a start-up file of a shell that prints something.

    Args:
        said: The beginning of what came; its first line is quoted where it is text.
    """
    line = said.strip().partition(b"\n")[0].decode("ascii", "replace").strip()
    but = f' but "{line}"' if line.isprintable() and line.isascii() and line else ""
    remedy = (
        "Let no start-up file of the shell there print anything, or have sshd use internal-sftp; then retry."
    )
    return error.Unsupported(f"cannot reach {root}: what answers is not SFTP{but}", remedy, location=root)


def ended_at_once(root: Location) -> error.PlaceError:
    """Return the error of a host that lets somebody in, and ends SFTP before it has begun."""
    remedy = "Its log tells why: it may have no SFTP, or refuse the folder it is to show (ChrootDirectory). Then retry."
    message = f"cannot reach {root}: it let the user in, and ended the session at once"
    return error.PlaceUnavailable(message, remedy, location=root)


def from_refusal(refused: Refused | Lost, location: Location, doing: str) -> error.PlaceError:
    """Return Ferry's error for a server's, as far as its code tells."""
    if isinstance(refused, Lost):
        why = f"the connection is lost ({refused})" if str(refused) else "the connection is lost"
        return told(error.PlaceUnavailable, doing, location, why)
    if refused.code == Code.BAD_MESSAGE:  # OpenSSH's for a name that is too long, and for what makes no sense
        name, path = len(_bytes(location.name)), len(_bytes(location.path))
        if name > _LONGEST_NAME or path > _LONGEST_PATH:
            return told(error.NameTooLong, doing, location, "the name is too long")
        return told(error.Unsupported, doing, location, "the server cannot do that")
    if refused.code in _BY_CODE:
        cls, why = _BY_CODE[refused.code]
        return told(cls, doing, location, why)
    words = refused.text.strip().rstrip(".")
    plain = words.lower() in ("", "failure")
    return told(error.PlaceError, doing, location, "the server refused it" + ("" if plain else f" ({words})"))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
