"""`ferry completion`: scripts for the shells, and the words that may come next, which these scripts ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.arguments import HELP
from tui.cli.commands import BY_WORDS, COMMANDS, GROUPS
from tui.cli.diagnostics import Status
from tui.cli.options import ANSWERS, NAMES, RULES, SHELLS
from tui.model.error import FerryError, UsageError
from tui.model.job import JobState
from tui.model.misfit import Names
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tui.cli.arguments import Command, Option, Parsed
    from tui.cli.session import Session
    from tui.model.job import Job

    Candidate = tuple[str, str]
    """A word, and what it does."""
    Jobs = Callable[[], Sequence[Job]]

_BASH = """\
_ferry() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\\t'*}")
    done < <(ferry completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _ferry ferry
"""
_ZSH = """\
#compdef ferry
_ferry() {
    local -a found
    local line
    while IFS= read -r line; do
        found+=("${line%%$'\\t'*}:${line#*$'\\t'}")
    done < <(ferry completion zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (( $#found )); then _describe ferry found; else _files; fi
}
if [ "$funcstack[1]" = _ferry ]; then _ferry; else compdef _ferry ferry; fi
"""
_FISH = """\
function __ferry_words
    ferry completion fish -- (commandline --tokenize --cut-at-cursor --current-process)[2..] \\
        (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command ferry --arguments '(__ferry_words)'
"""
_SCRIPTS = dict(zip(SHELLS, (_BASH, _ZSH, _FISH), strict=True))

_VERSION: Candidate = ("--version", "Print the version.")
_FITTING: dict[str, Callable[[Job], bool]] = {
    "retry": lambda job: job.state in (JobState.FAILED, JobState.CANCELLED) or job.progress.errors > 0,
    "remove": lambda job: job.state.is_final,
    "undo": lambda job: job.reversible,
    "show": lambda job: True,
    "resume": lambda job: job.state in (JobState.PAUSED, JobState.WAITING),
    "answer-host": lambda job: job.wants_host,
    "names": lambda job: job.wants_names,
}
"""Jobs that a word of `ferry queue` is for; of all other words, those that have not ended."""


def run(session: Session, parsed: Parsed) -> int:
    """Print a shell's script, or, with words behind the shell, what the last of them may become."""
    from tui.cli.arguments import nearest

    shell, *words = parsed.operands
    if shell not in SHELLS:
        raise UsageError(f"there is no completion for {shell!r}", nearest(shell, SHELLS))
    if not words:
        session.out.write(_SCRIPTS[shell].encode())
        return Status.DONE
    for word, what in candidates(words, lambda: _jobs(session)):
        session.out.line(f"{word}\t{what}")
    return Status.DONE


def candidates(words: Sequence[str], jobs: Jobs) -> Iterator[Candidate]:
    """Yield what the last of the words behind `ferry` may become. Nothing: a file's name, or anything.

    bash takes --option=value for three words.
    """
    *before, last = words
    if before and last == "=":
        last = ""
    elif len(before) > 1 and before[-1] == "=":
        before.pop()
    option, equals, value = last.partition("=")
    if equals and option.startswith("--"):
        found = [(f"{option}={each}", what) for each, what in _next([*before, option], value, jobs)]
    else:
        found = list(_next(before, last, jobs))
    yield from (each for each in found if each[0].startswith(last))


def _next(before: Sequence[str], last: str, jobs: Jobs) -> Iterable[Candidate]:
    """Return all that may come behind some words, whether it begins as the last one does or not."""
    if not before:
        return _first_words() + ([_VERSION, (HELP.name, HELP.help)] if last.startswith("-") else [])
    if before[0] in GROUPS and len(before) == 1 and not last.startswith("-"):
        return [
            (words[1], each.summary)
            for words, each in BY_WORDS.items()
            if words[0] == before[0] and words[1:]
        ]
    command, rest = _command(before)
    if command is None or "--" in rest:
        return []
    known = {name: each for each in command.options for name in (each.name, each.short) if name}
    takes = known.get(rest[-1]) if rest else None
    if takes is not None and takes.value:
        return [(choice, "") for choice in takes.choices]
    if last.startswith("-"):
        return [(each.name, each.help) for each in (*command.options, HELP)]
    return _operands(command, _operands_in(rest, known), jobs)


def _first_words() -> list[Candidate]:
    found: dict[str, str] = {}
    for command in COMMANDS:
        word, seconds = command.words[0], command.words[1:]
        if not seconds:
            found[word] = command.summary
        elif (word,) not in BY_WORDS:
            found[word] = f"{found[word]}, {seconds[0]}" if word in found else seconds[0]
    return list(found.items())


def _command(words: Sequence[str]) -> tuple[Command | None, Sequence[str]]:
    for length in (2, 1):
        if command := BY_WORDS.get(tuple(words[:length])):
            return command, words[length:]
    return None, ()


def _operands_in(words: Sequence[str], known: dict[str, Option]) -> int:
    """Return how many of the words are operands."""
    count, rest = 0, iter(words)
    for word in rest:
        if not word.startswith("-"):
            count += 1
        elif (option := known.get(word)) is not None and option.value:
            next(rest, None)
    return count


def _operands(command: Command, count: int, jobs: Jobs) -> list[Candidate]:
    """Return what an operand may be that has so many before it."""
    if command.words == ("completion",):
        return [(shell, "") for shell in SHELLS] if not count else []
    if command.words[0] != "queue" or "ID" not in command.operands:
        return []
    word = command.words[1]
    if count == 1 and word in _SECOND:
        return [(each, "") for each in _SECOND[word]]
    if word == "limit" and not count:
        return [("off", "no limit")]
    if command.at_most is not None and count:
        return []
    fits = _FITTING.get(word, _has_not_ended)
    return [(str(job.id), _title(job)) for job in jobs() if fits(job)]


_SECOND: dict[str, Sequence[str]] = {
    "answer": ANSWERS,
    "rule": RULES,
    "names": [name for name in NAMES if name != Names.ASK],
}
"""What stands behind the id."""


def _has_not_ended(job: Job) -> bool:
    return not job.state.is_final


def _title(job: Job) -> str:
    what = f"{job.title}, {job.state}: {visible(str(job.first_source))}"
    return what if job.target is None else f"{what} → {visible(str(job.target))}"


def _jobs(session: Session) -> Sequence[Job]:
    """Return the jobs of the engine that runs; none is started for this, and nothing is said."""
    from tui.client.quick import QuickClient, at_once

    try:
        line = session.engines.quick(start=False)
        if line is None:
            return ()
        with line:
            return at_once(QuickClient(line).jobs())
    except FerryError:
        return ()
