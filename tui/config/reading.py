"""Reads settings from one TOML file; what is wrong in it is told by its line, and never stops Ferry."""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, Any

from tui.config.far import S3Settings, is_name, is_secret
from tui.config.kinds import quoted
from tui.config.settings import KEYS, S3, SECTIONS, Settings, items
from tui.model.error import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tui.config.settings import Item
    from tui.paths import Paths


MOST_BYTES = 1 << 20
"""What is longer was not written by hand."""


def load(paths: Paths, actions: Collection[str] | None = None) -> tuple[Settings, list[ConfigError]]:
    """Read the configuration file; a missing one means all defaults.

    Args:
        actions: Ids of the actions that may stand in [keys]; None: any.
    Returns:
        The settings, whatever the file holds, and what was wrong in it, in the order of the file.
    """
    file = paths.config_file
    try:
        text = _read(file).decode()
    except FileNotFoundError:
        return Settings(), []
    except OSError as error:
        reason = error.strerror or str(error)
        return Settings(), [
            ConfigError(f"{file}: cannot be read: {reason}", "Defaults are used.", file=str(file))
        ]
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return Settings(), [
            ConfigError(f"{file}:{line}: not UTF-8 text", "Save it as UTF-8.", file=str(file))
        ]
    return parse(text, file, actions)


def _read(file: Path) -> bytes:
    """Return what is in the file. Nothing is waited for, and nothing without an end is read.

    Raises:
        OSError: It cannot be read, or is none that could be a configuration.
    """
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no ordinary file")
        with open(fd, "rb", closefd=False) as opened:
            data = opened.read(MOST_BYTES + 1)
    finally:
        os.close(fd)
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MOST_BYTES >> 20} MiB")
    return data


def parse(
    text: str, file: Path, actions: Collection[str] | None = None
) -> tuple[Settings, list[ConfigError]]:
    """Read settings from TOML text; `file` only names it in errors."""
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        what = str(error)[: place.start()] if place else str(error)
        message = f"{file}:{line}: not valid TOML: {what[:1].lower()}{what[1:]}"
        return Settings(), [ConfigError(message, "Nothing of the file was used.", file=str(file))]
    reading = _Reading(text, file)
    settings = Settings(
        **{name: reading.section(table, name, cls) for name, cls in SECTIONS.items()},
        s3=reading.endpoints(table),
        keys=reading.keys(table, actions),
    )
    reading.strangers(table, (*SECTIONS, S3, KEYS))
    return settings, [error for _, error in sorted(reading.errors, key=lambda pair: pair[0])]


class _Reading:
    """One pass over a configuration file: collects errors with their lines."""

    def __init__(self, text: str, file: Path) -> None:
        self.file = file
        self.lines = dict(_lines(text))
        self.errors: list[tuple[int, ConfigError]] = []

    def wrong(self, key: str, message: str, remedy: str) -> None:
        line = self.lines.get(key) or self.lines.get(key.partition(".")[0]) or 1
        text = f"{self.file}:{line}: {message}"
        self.errors.append((line, ConfigError(text, remedy, file=str(self.file), key=key)))

    def section(self, table: dict[str, Any], name: str, cls: type[Any]) -> Any:
        values = table.get(name, {})
        if not isinstance(values, dict):
            self.wrong(name, f"{name} must be a section", f"Write it as [{name}], with its keys below.")
            return cls()
        return self.values(values, name, cls)

    def endpoints(self, table: dict[str, Any]) -> dict[str, S3Settings]:
        """Return what the sections [s3.NAME] say, by name."""
        found: dict[str, S3Settings] = {}
        values = table.get(S3, {})
        if not isinstance(values, dict):
            self.wrong(S3, f"{S3} must be sections", f"Write them as [{S3}.NAME], with their keys below.")
            return found
        for name, value in values.items():
            if is_secret(name) and not isinstance(value, dict):
                self.secret(f"{S3}.{name}")
            elif not isinstance(value, dict):
                remedy = f"Write it below [{S3}.NAME], NAME being what you call that store. It is left out."
                self.wrong(f"{S3}.{name}", f"there is no key {_shown(f'{S3}.{name}')}", remedy)
            elif not is_name(name):
                remedy = "Use letters, digits, dots and dashes: it stands in URLs. It is left out."
                self.wrong(f"{S3}.{name}", f"{_shown(name)} cannot be the name of a store", remedy)
            elif self._is_somewhere(value, name):
                found[name] = self.values(value, f"{S3}.{name}", S3Settings)
        return found

    def _is_somewhere(self, values: dict[str, Any], name: str) -> bool:
        """Refuse a store whose address cannot be used: without one, it would be another store."""
        kind = next(item.kind for item in items(S3Settings) if item.name == "url")
        try:
            kind.read(values.get("url", ""))
        except ValueError:
            remedy = f"The whole of [{S3}.{name}] is left out."
            self.wrong(f"{S3}.{name}.url", f"{S3}.{name}.url must be {kind.wants}", remedy)
            return False
        return True

    def secret(self, key: str) -> None:
        ssh = "An agent or a key file holds what ssh needs, or Ferry asks"
        s3 = "Put it under a profile of ~/.aws/credentials, and name that by profile"
        remedy = f"{s3 if key.startswith(S3) else ssh}. It is left out."
        self.wrong(key, f"{key}: secrets have no place in this file", remedy)

    def values(self, values: dict[str, Any], name: str, cls: type[Any]) -> Any:
        if not values:
            return cls()
        known = {item.name: item for item in items(cls)}
        self.strangers(values, known, name)
        taken: dict[str, Any] = {}
        for key, item in known.items():
            if key in values:
                self.value(f"{name}.{key}", item, values[key], taken)
        return cls(**taken)

    def value(self, key: str, item: Item, value: object, taken: dict[str, Any]) -> None:
        kind = item.kind
        try:
            taken[item.field] = kind.read(value)
        except (ValueError, TypeError):
            bad = value if isinstance(value, list) else [value]
            words = [word for word in bad if isinstance(word, str) and word not in kind.choices]
            remedy = _did_you_mean(words[0], kind.choices) if words and kind.choices else ""
            default = kind.show(item.default)
            self.wrong(key, f"{key} must be {kind.wants}, not {_shown(value)}", f"{remedy}{default} is used.")

    def keys(self, table: dict[str, Any], actions: Collection[str] | None) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        values = table.get(KEYS, {})
        if not isinstance(values, dict):
            self.wrong(KEYS, "keys must be a section", "Write it as [keys], with one action a line below.")
            return found
        for action, value in _flat(values):
            words = [value] if isinstance(value, str) else value
            if actions is not None and action not in actions:
                remedy = _did_you_mean(action, actions) or "Help (F1) lists the actions with their ids. "
                self.wrong(
                    f"{KEYS}.{action}", f"there is no action {_shown(action)}", f"{remedy}It is left out."
                )
            elif not isinstance(words, list) or not all(
                isinstance(word, str) and word.strip() for word in words
            ):
                wants = f"keys.{action} must be a key or a list of keys, not {_shown(value)}"
                self.wrong(f"{KEYS}.{action}", wants, "Its default keys are used.")
            else:
                keys = tuple(self.keys_of(action, words, found))
                if keys or not words:  # else none of them was one
                    found[action] = keys
        return found

    def keys_of(self, action: str, words: list[str], before: dict[str, tuple[str, ...]]) -> Iterator[str]:
        """Yield the keys of an action as the table has them; tell what is none, and what other actions have."""
        from tui.config import key_names  # few files have keys, and every command reads the file

        scope = action.partition(".")[0] + "."
        taken = {key: other for other, keys in before.items() if other.startswith(scope) for key in keys}
        for word in words:
            try:
                key = key_names.read(word)
            except ValueError as error:
                message = f"keys.{action}: there is no key {quoted(str(error))}"
                self.wrong(
                    f"{KEYS}.{action}", message, "Help (F1) shows how keys are written. It is left out."
                )
                continue
            if key in taken:
                message = f"keys.{action}: {quoted(word)} is a key of {taken[key]}, too"
                self.wrong(f"{KEYS}.{action}", message, "It stays with the first of them.")
            yield key

    def strangers(self, values: dict[str, Any], known: Collection[str], section: str = "") -> None:
        for key, value in values.items():
            full = f"{section}.{key}" if section else key
            if key not in known and section.partition(".")[0] in ("ssh", S3) and is_secret(key):
                self.secret(full)
            elif key not in known:
                what = "section" if not section and isinstance(value, dict) else "key"
                remedy = _advice(key, known)
                self.wrong(full, f"there is no {what} {_shown(full)}", f"{remedy}It is left out.")


def _did_you_mean(word: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    folded = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), folded, 1, 0.6)
    return f"Did you mean {_shown(folded[near[0]])}? " if near else ""


def _advice(key: str, known: Collection[str]) -> str:
    """Return the nearest right key: this very one in another section, one of this section, one of any."""
    from difflib import get_close_matches

    homes = {item.name: name for name, cls in SECTIONS.items() for item in items(cls)}
    if key in homes:
        return f"It belongs to [{homes[key]}]. "
    if advice := _did_you_mean(key, known):
        return advice
    near = get_close_matches(key.lower(), homes, 1, 0.75)
    if near:
        return f"Did you mean {_shown(near[0])}, in [{homes[near[0]]}]? "
    return f"Known are {', '.join(known)}. "


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys: `pane.copy = "c"` is a table in a table to TOML, and one action's id to us."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _shown(value: object) -> str:
    """Return a value of the file as it may stand in a message."""
    text = (
        quoted(value)
        if isinstance(value, str)
        else "true"
        if value is True
        else "false"
        if value is False
        else ""
    )
    text = text or repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield (dotted key, line counted from 1), later ones first, so that a dict keeps the first."""
    found: list[tuple[str, int]] = []
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            section = _plain(header[1])
            found.append((section, number))
        elif assignment := _ASSIGNMENT.match(line):
            key = _plain(assignment[1])
            found.append((f"{section}.{key}" if section else key, number))
    yield from reversed(found)


def _plain(key: str) -> str:
    """Return a dotted key without quotes and spaces around its parts."""
    parts = re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", key)
    return ".".join(part[1:-1] if part[0] in "\"'" else part for part in parts)
