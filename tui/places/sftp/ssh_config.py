"""Read ssh_config(5) as OpenSSH does: what it says of one host, and which hosts it names.

asyncssh has a reader too, which leaves out what Ferry must know (StrictHostKeyChecking, HashKnownHosts,
RevokedHostKeys), does not expand what is told to `Match exec`, and refuses times such as "1m".
"""

from __future__ import annotations

import getpass
import glob
import hashlib
import logging
import os
import platform
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model.error import PlaceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_log = logging.getLogger(__name__)

SYSTEM = Path("/etc/ssh/ssh_config")
_DEEPEST = 16
"""Files that may include each other: OpenSSH's own limit."""

_WHOLE_LINE = frozenset({"proxycommand", "remotecommand", "localcommand", "knownhostscommand"})
_GATHERED = frozenset({"identityfile", "certificatefile"})
_EXEC_TIMEOUT_S = 10


def own_config() -> Path:
    return Path(os.path.expanduser("~/.ssh/config"))


@dataclass(slots=True)
class Target:
    """Whom the files are asked about, and what they said so far: words by the option's name in small letters."""

    name: str
    """As it was written: an alias, mostly."""
    user: str = ""
    """Given with the name; the files cannot change it."""
    port: str = ""
    options: dict[str, list[str]] = field(default_factory=dict)
    final: bool = False
    """This is the second reading, for `Match final`."""
    wants_final: bool = False

    def __post_init__(self) -> None:
        if self.user:
            self.options["user"] = [self.user]
        if self.port:
            self.options["port"] = [self.port]

    def first(self, option: str, default: str = "") -> str:
        words = self.options.get(option)
        return words[0] if words else default

    @property
    def hostname(self) -> str:
        """Return the real name of the host, as far as it is known."""
        given = self.first("hostname")
        return given.replace("%h", self.name).replace("%%", "%") if given else self.name

    def tokens(self) -> dict[str, str]:
        """Return what %x stands for. (ssh_config section TOKENS.)"""
        here, user, port = platform.node(), self.first("user", local_user()), self.first("port", "22")
        jump = self.first("proxyjump")
        text = here + self.hostname + port + user
        return {
            "%": "%",
            "C": hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
            "d": os.path.expanduser("~"),
            "h": self.hostname,
            "i": str(os.getuid()),
            "j": "" if jump == "none" else jump,
            "k": self.first("hostkeyalias", self.name),
            "L": here.partition(".")[0],
            "l": here,
            "n": self.name,
            "p": port,
            "r": user,
            "u": local_user(),
        }

    def expanded(self, text: str) -> str:
        """Return a text with its %x replaced.

        Raises:
            KeyError: There is no such token.
        """
        tokens = self.tokens()
        return re.sub(r"%(.)", lambda found: tokens[found[1]], text)


def local_user() -> str:
    """Return who runs this; a number where the system has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def read_for(target: Target, files: Sequence[Path], canonical: str = "") -> None:
    """Fill a target with what files say of it, the first word on each option counting.

    Args:
        canonical: The full name of the host, where that was found out (CanonicalizeHostname).
    Raises:
        PlaceError: A file cannot be read or used; it says which line.
    """
    _read_once(target, files)
    if target.wants_final or target.first("canonicalizehostname", "no").lower() not in ("no", "false"):
        target.options["hostname"] = [(canonical or target.hostname).lower()]
        target.final = True
        _read_once(target, files)


def _read_once(target: Target, files: Sequence[Path]) -> None:
    for file in files:
        if os.path.exists(file) or file not in (own_config(), SYSTEM):
            _Reader(target).read(file, active=True)


def aliases(config_file: Path | None = None) -> tuple[str, ...]:
    """Return the hosts that ~/.ssh/config (or another file) and what it includes name outright, in their order.

    What cannot be read is passed over: this is a list to choose from.
    """
    found: dict[str, None] = {}
    _name_hosts(config_file or own_config(), found, 0)
    return tuple(found)


def _name_hosts(file: Path, found: dict[str, None], depth: int) -> None:
    try:
        for _, keyword, words in _lines(file):
            if keyword == "host":
                found.update((word, None) for word in words if not set(word) & set("*?!"))
            elif keyword == "include" and depth < _DEEPEST:
                for included in _included(words, file):
                    _name_hosts(included, found, depth + 1)
    except PlaceError as error:
        _log.warning("the hosts of %s are not all listed: %s", file, error)


class _Reader:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._file, self._line, self._depth = Path(), 0, 0

    def read(self, file: Path, *, active: bool) -> None:
        before = self._file, self._line
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._bad("too many files include each other")
        for number, keyword, words in _lines(file):
            self._file, self._line = file, number
            if not words:
                raise self._bad(f"nothing follows {keyword}")
            if keyword == "host":
                name = self._target.hostname if self._target.final else self._target.name
                active = matches_any(name, words)
            elif keyword == "match":
                active = self._matched(words)
            elif active and keyword == "include":
                for included in _included(words, file):
                    self.read(included, active=True)
            elif active:
                self._take(keyword, words)
        self._depth -= 1
        self._file, self._line = before

    def _take(self, keyword: str, words: list[str]) -> None:
        options = self._target.options
        if keyword in _GATHERED:
            known = options.setdefault(keyword, [])
            known += [word for word in words[:1] if word not in known]
        elif keyword in ("proxyjump", "proxycommand") and options.keys() & {"proxyjump", "proxycommand"}:
            return  # whichever comes first counts, also for the other
        else:
            options.setdefault(keyword, words)
        if keyword == "port" and not words[0].isdecimal():
            raise self._bad(f"not a port: {words[0]}")

    def _matched(self, words: list[str]) -> bool:
        rest, result = list(words), True
        while rest:
            attribute, mark, value = rest.pop(0).partition("=")
            negated, attribute = attribute.startswith("!"), attribute.lstrip("!").lower()
            if attribute in ("all", "canonical", "final"):
                self._target.wants_final |= attribute == "final"
                fits = attribute == "all" or self._target.final
            else:
                if not mark and not rest:
                    raise self._bad(f"nothing follows {attribute}")
                fits = self._fits(attribute, value if mark else rest.pop(0), needed=result)
            result = result and fits != negated
        return result

    def _fits(self, attribute: str, value: str, *, needed: bool) -> bool:
        target = self._target
        if attribute == "exec":
            return needed and self._succeeds(value)
        if attribute == "localnetwork":
            _log.warning(
                "%s line %s: Match localnetwork is not known, and taken as not fitting",
                self._file,
                self._line,
            )
            return False
        subjects = {
            "host": target.hostname,
            "originalhost": target.name,
            "user": target.first("user", local_user()),
            "localuser": local_user(),
            "tagged": target.first("tag"),
            "sessiontype": "subsystem",
            "command": "sftp",
        }
        if attribute not in subjects:
            raise self._bad(f"Match {attribute} is not known")
        return matches_any(subjects[attribute], value.split(","))

    def _succeeds(self, command: str) -> bool:
        try:
            command = self._target.expanded(command)
        except KeyError as error:
            raise self._bad(f"there is no token %{error.args[0]}") from error
        shell = [os.environ.get("SHELL") or "/bin/sh", "-c", command]
        quiet = subprocess.DEVNULL
        try:
            done = subprocess.run(
                shell, stdin=quiet, stdout=quiet, stderr=quiet, timeout=_EXEC_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._bad(f"Match exec did not end well: {error}") from error
        return done.returncode == 0

    def _bad(self, why: str) -> PlaceError:
        return bad_line(self._file, self._line, why)


def bad_line(file: Path, line: int, why: str) -> PlaceError:
    """Return the error for one line of a file of SSH's."""
    remedy = f"Correct {file} (`ssh -G HOST` reads it too), then retry."
    return PlaceError(f"cannot use {file}, line {line}: {why}", remedy)


def _lines(file: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Yield (number of the line, keyword in small letters, words) of every line that says something."""
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise PlaceError(f"cannot read {file}: {error.strerror}") from error
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r'\s*"?([^\s=#"]+)"?[ \t]*=?[ \t]*(.*)', line.rstrip())
        if not found:
            continue
        keyword, rest = found[1].lower(), found[2]
        if keyword in _WHOLE_LINE:
            yield number, keyword, [rest] if rest else []
            continue
        words = _split(rest)
        if words is None:
            raise bad_line(file, number, "a quotation mark has no end")
        yield number, keyword, words


def _split(text: str) -> list[str] | None:
    """Return the words of a line up to a comment, quotation marks taken off; None where one has no end."""
    words: list[str] = []
    word: str | None = None
    quote, at = "", 0
    while at < len(text):
        sign, following = text[at], text[at + 1 : at + 2]
        at += 1
        if sign == "\\" and following and following in ("\\'\"" if quote else "\\'\" "):
            word, at = (word or "") + following, at + 1
        elif quote:
            quote, word = ("", word) if sign == quote else (quote, (word or "") + sign)
        elif sign in "'\"":
            quote, word = sign, word or ""
        elif sign.isspace():
            words += [] if word is None else [word]
            word = None
        elif sign == "#" and word is None:
            return words
        else:
            word = (word or "") + sign
    if quote:
        return None
    return words if word is None else [*words, word]


def _included(patterns: Sequence[str], file: Path) -> list[Path]:
    """Return the files that an Include in a file names, in order."""
    folder = SYSTEM.parent if file.is_relative_to(SYSTEM.parent) else Path(os.path.expanduser("~/.ssh"))
    found: list[Path] = []
    for pattern in patterns:
        path = folder / os.path.expanduser(pattern)
        found += [Path(name) for name in sorted(glob.glob(str(path))) if os.path.isfile(name)]
    return found


def matches_any(text: str, patterns: Sequence[str]) -> bool:
    """Say whether a text fits one of the patterns, and none of those with "!" before them."""
    fits = False
    for pattern in patterns:
        refused = pattern.startswith("!")
        if _matches(text, pattern[refused:]):
            if refused:
                return False
            fits = True
    return fits


def _matches(text: str, pattern: str) -> bool:
    """Say whether a text fits one pattern of SSH's: * and ? alone are special."""
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(sign) or re.escape(sign) for sign in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None
