"""Words of a command line into options and operands, by a command's table. (argparse costs 10 ms to import.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tui.model.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Option(NamedTuple):
    """One option of a command.

    Attributes:
        name: As it is written: "--limit".
        help: What it does, for people.
        value: Name of its value in help ("RATE"); empty: it takes none.
        choices: The only values there are; empty: any.
        short: One letter that means the same ("-n").
        repeats: It may be given several times, and each counts.
        names_operands: Operands stand where its value says.
    """

    name: str
    help: str
    value: str = ""
    choices: tuple[str, ...] = ()
    short: str = ""
    repeats: bool = False
    names_operands: bool = False


class Command(NamedTuple):
    """One command: the words that name it, and what may follow."""

    words: tuple[str, ...]
    operands: str
    summary: str
    options: tuple[Option, ...] = ()
    notes: tuple[str, ...] = ()
    at_least: int = 0
    at_most: int | None = 0
    """None: any number of operands."""
    needless: tuple[str, ...] = ()
    """Options of other programs that ask for what is done in any case."""

    @property
    def name(self) -> str:
        return " ".join(self.words)


HELP = Option("--help", "Say this, and nothing else.", short="-h")


class Parsed:
    """What was said: operands as written, options by name. A later option wins over an earlier one.

    Attributes:
        repeated: Options of which each counts, with their values, in the order in which they were given.
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        self.operands: list[str] = []
        self.values: dict[str, str] = {}
        self.repeated: list[tuple[str, str]] = []

    def has(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str) -> str | None:
        return self.values.get(name)


def parse(command: Command, words: Sequence[str]) -> Parsed:
    """Split words into options and operands; options may stand anywhere before `--`.

    Raises:
        UsageError: An option that does not exist, lacks its value or has a wrong one; too few or too many operands.
    """
    parsed = Parsed(command)
    known = {
        name: option for option in (*command.options, HELP) for name in (option.name, option.short) if name
    }
    rest = iter(words)
    for word in rest:
        if word == "--":
            parsed.operands += rest
        elif word.startswith("-") and word != "-":
            for each in _apart(word, known):
                name, equals, value = each.partition("=")
                option = known.get(name)
                if option is None:
                    raise UsageError(f"there is no option {name}", _nearest_option(command, name, known))
                parsed.values[option.name] = _value(option, value if equals else None, rest)
                if option.repeats:
                    parsed.repeated.append((option.name, parsed.values[option.name]))
        else:
            parsed.operands.append(word)
    if not parsed.has(HELP.name):
        _count(parsed)
    return parsed


def _apart(word: str, known: Mapping[str, Option]) -> list[str]:
    """Return the options that a word stands for: of -la, where both are some that take no value, -l and -a."""
    letters = [f"-{letter}" for letter in word[1:]]
    if all(letter in known and not known[letter].value for letter in letters):
        return letters
    return [word]


def _value(option: Option, value: str | None, rest: Iterable[str]) -> str:
    if not option.value:
        if value is not None:
            raise UsageError(f"{option.name} takes no value")
        return ""
    if value is None:
        value = next(iter(rest), None)
    if value is None or value == "":
        wants = ", ".join(option.choices) if option.choices else option.value
        raise UsageError(f"{option.name} needs a value: {wants}")
    if option.choices and value not in option.choices:
        raise UsageError(f"{option.name} cannot be {value!r}", nearest(value, option.choices))
    return value


def _count(parsed: Parsed) -> None:
    command, count = parsed.command, len(parsed.operands)
    usage = f"Write it as: ferry {command.name} {command.operands}".rstrip()
    elsewhere = any(option.names_operands and parsed.has(option.name) for option in command.options)
    if count < command.at_least - elsewhere:
        raise UsageError(f"ferry {command.name} needs more than was given", usage)
    if command.at_most is not None and count > command.at_most:
        extra = parsed.operands[command.at_most]
        raise UsageError(f"ferry {command.name} cannot do anything with {extra!r}", usage)


def _nearest_option(command: Command, name: str, known: Iterable[str]) -> str:
    letters = [] if name.startswith("--") else [f"-{letter}" for letter in name[1:]]
    if any(each in command.needless for each in (name, *letters)):
        return "Leave it out: folders are taken whole, with all that belongs to them."
    names = [other for other in known if other.startswith("--")]
    near = nearest(name, names, everything=False)
    if near and not name.startswith("--") and len(name) == 2:
        near = ""
    return near or f"`ferry {command.name} --help` lists them; put -- before a name that begins with a dash."


def nearest(word: str, known: Iterable[str], *, everything: bool = True) -> str:
    """Return advice that names the nearest right word; else, with `everything`, all of them."""
    from difflib import get_close_matches

    names = list(known)
    found = get_close_matches(word, names, 1, 0.6)
    if not found:
        found = [name for name in names if len(word) > 2 and name.startswith(word)][:1]
    if found:
        return f"Did you mean {found[0]}?"
    return f"It can be {', '.join(names)}." if everything else ""
