"""Far places as people type and read them: `user@host:2222/path`, `s3://bucket/key`, and the short form for a bar."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.model.error import UsageError
from tui.model.location import Location
from tui.ui.terminal.cells import cells, fit

if TYPE_CHECKING:
    from tui.model.ask import HostQuestion

SFTP, S3 = "sftp", "s3"
SCHEMES = ("file", SFTP, S3)
HOME = "/~"
"""Path that stands for the home folder of a far place until it has told where that is."""
_NAME_CELLS = 12
"""The host's own name gives way until so much of the path can be seen."""
_HOST = re.compile(r"(?:[^@/\s]+@)?(?:\[[0-9A-Fa-f:.%]+\]|\w[\w.-]*)(?::\d{1,5})?")
_TYPED = re.compile(
    r"(?P<host>(?:[^@/\s:]+@)?(?:\[[0-9A-Fa-f:.%]+\]|\w[\w.-]*))(?::(?P<rest>.*)|(?P<path>/.*))?"
)


_BEHIND = re.compile(r".*/((?:file|sftp|s3)://)", re.DOTALL)


def without_path_before(text: str) -> str:
    """Return what was typed, from where a URL begins behind a path that stood there: two slashes are in no path."""
    return _BEHIND.sub(r"\1", text)


def is_url(text: str) -> bool:
    return "://" in text and not text.startswith(("/", "~"))


def parse_url(text: str) -> Location:
    """Return the location of a URL as it is typed; a host without a path stands for the home folder there.

    Raises:
        UsageError: It is no URL of a place Ferry knows, or it holds a password.
    """
    scheme, _, rest = text.strip().partition("://")
    authority, slash, _ = rest.partition("/")
    if scheme not in SCHEMES:
        raise UsageError(
            f"Ferry knows no places of the kind {scheme}", "Try sftp://host/path or s3://bucket/key."
        )
    if ":" in authority.rpartition("@")[0]:
        raise UsageError(
            "a password does not belong in an address",
            "Leave it out; Ferry asks for it.",
        )
    if scheme == SFTP and not _HOST.fullmatch(authority):
        raise UsageError("that names no host", "Try sftp://user@host/path.")
    if slash:
        return Location.from_url(f"{scheme}://{rest}")
    return Location.from_url(f"{scheme}://{rest}{HOME if scheme == SFTP else '/'}")


def parse_address(text: str) -> Location:
    """Return the place typed to be connected to: a URL, `[user@]host[:port][/path]`, or `host:path` as for `scp`.

    Raises:
        UsageError: It names none.
    """
    text = text.strip()
    if "://" in text:
        return parse_url(text)
    found = _TYPED.fullmatch(text)
    if found is None:
        raise UsageError("that names no host", "Type user@host, host:2222/path, or a URL.")
    rest, path = found["rest"], found["path"] or ""
    port = ""
    if rest is not None:
        digits, slash, below = rest.partition("/")
        if digits.isdecimal():
            port, path = f":{digits}", slash + below
        else:
            path = rest if rest.startswith(("/", "~")) or not rest else f"{HOME}/{rest}"
    if path.startswith("~"):
        path = "/" + path
    authority = f"{found['host']}{port}"
    return Location(Location.local(path or HOME, "/").path, SFTP, authority)


def is_home(location: Location) -> bool:
    """Say whether a location is told from a far home folder, and so has to be resolved."""
    return not location.is_local and location.parts[:1] == ("~",) and location.scheme == SFTP


def place_of(location: Location) -> str:
    """Return a location's URL up to its path: what names its place to whoever asks for passwords."""
    return f"{location.scheme}://{location.authority}"


def has_time(location: Location, mtime_ns: int) -> bool:
    """Say whether an entry has a time: folders of a store, which are made up of names, have none."""
    return location.is_local or mtime_ns != 0


def has_mode(location: Location, mode: int) -> bool:
    """Say whether an entry has permissions: those of a store have none."""
    return location.is_local or stat.S_IMODE(mode) != 0


def same_place(one: Location, other: Location) -> bool:
    return (one.scheme, one.authority) == (other.scheme, other.authority)


def host_of(location: Location) -> str:
    """Return what a person calls the place: the host with its user, a bucket's endpoint."""
    return location.authority or location.scheme.upper()


def short_host(location: Location) -> str:
    """Return the host alone, without its user."""
    return host_of(location).rpartition("@")[2]


def top_of(location: Location) -> Location:
    return replace(location, path="/")


def shortened(text: str, width: int) -> str:
    """Return a location's visible text in a width: of a far one the host comes first, and the path loses its start."""
    if cells(text) <= width or text.startswith("/") or "://" not in text:
        return fit(text, width, keep="end")
    scheme, _, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    path = slash + path
    host = authority.rpartition("@")[2]
    heads = [
        (f"{scheme}://{authority}", _NAME_CELLS),
        (authority, _NAME_CELLS),
        (host, _NAME_CELLS),
        (host, 6),
    ]
    for head, least in heads:
        if cells(head) + min(cells(path), least) <= width:
            return head + fit(path, width - cells(head), keep="end")
    return fit(text, width, keep="end")


def asks_of(question: HostQuestion) -> str:
    """Return how one names what a host asks, in a sentence such as "box asks for a password"."""
    words = {
        "password": "asks for a password",
        "passphrase": "needs the passphrase of a key",
        "code": "asks for a code",
        "host_key": "is not known yet",
    }
    return words[question.ask.kind.value]
