"""The table of commands: parsing, help and dispatch read it."""

from __future__ import annotations

from tui.cli.arguments import Command, Option
from tui.cli.options import (
    ALGORITHMS,
    ALL,
    COPYING,
    EXCLUDE,
    JSON,
    LEFT_OUT,
    LISTED,
    NEEDLESS,
    RUNNING,
    SOURCES_FROM,
    STAYS,
    TARGETS,
    URLS,
    VERIFY,
)


def _on_jobs(word: str, summary: str, *notes: str) -> Command:
    return Command(("queue", word), "ID…|--all", summary, (ALL,), notes, at_most=None)


COMMANDS: tuple[Command, ...] = (
    Command(
        ("copy",),
        "SRC… DST",
        "Copy files and folders.",
        COPYING,
        (*TARGETS, LEFT_OUT, URLS),
        2,
        None,
        NEEDLESS,
    ),
    Command(
        ("move",),
        "SRC… DST",
        "Move files and folders; a source goes only when its copy is complete.",
        tuple(option for option in COPYING if option not in EXCLUDE),
        (*TARGETS, STAYS, URLS),
        2,
        None,
        NEEDLESS,
    ),
    Command(
        ("delete",),
        "PATH…",
        "Delete files and folders.",
        (
            Option("--trash", "Move them to the trash instead."),
            SOURCES_FROM._replace(help=SOURCES_FROM.help.replace("what comes before DST", "PATH")),
            Option("--yes", "Do not ask first. (Only on a terminal Ferry asks.)", short="-y"),
            *RUNNING,
        ),
        ("Links are deleted, never what they point to.", STAYS, URLS),
        1,
        None,
        ("-r", "-R", "--recursive"),
    ),
    Command(
        ("sync",),
        "SRC DST",
        "Make one folder like another, one way.",
        (
            Option("--delete", "Remove what only DST has, when all is copied without an error."),
            Option(
                "--max-delete",
                "With --delete: do nothing at all where more than N files and folders would go.",
                "N",
            ),
            Option("--checksum", "Compare files by content, not by size and time.", short="-c"),
            *EXCLUDE,
            Option("--limit", 'Copy no faster than RATE: "20MB/s", "512KiB/s".', "RATE"),
            *VERIFY,
            Option("--yes", "With --delete: do not ask first. (Only on a terminal Ferry asks.)", short="-y"),
            *(LISTED if option.name == "--dry-run" else option for option in RUNNING),
        ),
        (
            "What is missing or different in DST is copied; files of the same size and time count as the same. Owner, "
            "mode, access lists, attributes and times of everything follow. DST is made where it is missing.",
            "A folder in the place of a file, or the reverse, is replaced only with --delete; else it is an error.",
            "A plan (--dry-run) has a line for each entry that differs: + new, ~ changed, = only attributes, - only "
            "in DST, ! a folder on one side only.",
            LEFT_OUT
            + " What is left out stays at the target with --delete, too, and so do the folders it is in.",
            URLS,
        ),
        2,
        2,
        NEEDLESS,
    ),
    Command(
        ("verify",),
        "SRC… DST",
        "Compare what two trees hold, or files with their checksums.",
        (
            Option(
                "--write",
                "Write the sums of all files in SRC… (no DST) to FILE, - for output.",
                "FILE",
            ),
            Option(
                "--check",
                "Read the files that FILE names again, and compare their sums; - for input.",
                "FILE",
            ),
            Option(
                "--algorithm",
                "The kind of sums in FILE: sha256 or blake3. Default: blake3 where its name has the word b3, b3sum, "
                "b3sums or blake3 in it (B3SUMS, photos.b3), sha256 else.",
                "KIND",
                ALGORITHMS,
            ),
            Option("--exact", "Compare the one SRC with DST itself, a folder too (as cp -T).", short="-T"),
            *EXCLUDE,
            Option("--json", "Write one JSON object a line: findings, then a summary."),
        ),
        (
            "DST is read as by `ferry copy`: in a folder that stands, each SRC is looked for under its name. What is "
            "missing or extra at the target, or differs in kind, content or where a link points, is one line each; "
            "owners, modes and times do not count. Exit 0: all alike; 1: not.",
            "Files are read from the disk: see --verify of `ferry copy`. FILE is in the format of sha256sum, or "
            "b3sum, with names as they were written, from the current folder; it is never written over another one, "
            "and appears when it is whole. Interrupted, the same command goes on where it was. "
            "Lines of the two look alike: only those that --tag wrote say which they are, and are always read right.",
            URLS,
        ),
        at_most=None,
    ),
    Command(
        ("ls",),
        "[PATH|URL]…",
        "List folders, here and on other hosts.",
        (
            Option("--long", "With permissions, size and time of last change.", short="-l"),
            Option("--all", "Names that begin with a dot too.", short="-a"),
            JSON,
        ),
        (
            "A folder's name ends in /. On a terminal names are written so that all of their characters can be seen, "
            "else with the bytes they have.",
            URLS,
        ),
        at_most=None,
    ),
    Command(
        ("cat",),
        "PATH|URL…",
        "Write files to standard output.",
        notes=(URLS,),
        at_least=1,
        at_most=None,
    ),
    Command(("du",), "[PATH|URL]…", "Count files, folders and bytes below.", (JSON,), (URLS,), at_most=None),
    Command(
        ("mkdir",),
        "PATH|URL…",
        "Make folders, and those above them that are missing.",
        notes=(URLS,),
        at_least=1,
        at_most=None,
    ),
    Command(
        ("hosts",),
        "",
        "List what may be connected to.",
        (JSON,),
        ("The hosts of the ssh configuration, and the stores and profiles of S3.",),
    ),
    Command(
        ("queue",),
        "",
        "List the jobs.",
        (JSON,),
        (
            "More: ferry queue pause, resume, cancel, retry, start, top, remove, restore, undo, show, wait, limit, "
            "answer, answer-host, rule, names.",
        ),
    ),
    _on_jobs("pause", "Pause jobs; they stay paused until they are resumed."),
    _on_jobs(
        "resume",
        "Let paused jobs go on.",
        "A job that waits for room at its target looks whether it fits by now.",
    ),
    _on_jobs("cancel", "Stop jobs for good; finished files stay, half files go."),
    _on_jobs("retry", "Do again just what failed, or what a cancelled job had left."),
    _on_jobs(
        "start",
        "Start jobs now, whatever else runs.",
        "A job that waits for room goes on without asking if it fits.",
    ),
    _on_jobs("top", "Move jobs before the others of their priority, in the order given."),
    _on_jobs("remove", "Take ended jobs off the list.", "With --all: all ended ones."),
    Command(
        ("queue", "restore"),
        "",
        "Bring back what was last taken off the list.",
        (),
        ("What was removed before that is gone from the list for good. No file is touched by either.",),
    ),
    Command(
        ("queue", "undo"),
        "ID…",
        "Undo moves, renames, new folders and what went to the trash, and wait for it.",
        (
            Option("--detach", "Queue it, print the new job's id, and return."),
            Option("--json", "Write one JSON object a line: events, then a summary."),
        ),
        (
            "A job can be undone when it has ended, also after a restart, as long as everything is as it left it. It "
            "is refused, and nothing is done, where something was changed, replaced or removed since, where an old "
            "place is taken or its folder gone, and where the job merged folders or replaced files. What went to "
            "another filesystem, or another place, is moved back, if there is room, and all of it came from one "
            "folder. A folder comes back with what is in it now. What was renamed or made in a pane is in the list "
            "too; what was made is taken away if nothing was put into it. Undoing an undo does it again.",
            "On a host or in a store, things are known again by size and time only: a folder that was copied by all "
            "that is in it, one that was renamed or made by its own time. There the job that undoes looks first "
            "whether all is as it was left, and fails, with nothing done, where it is not.",
        ),
        1,
        None,
    ),
    Command(
        ("queue", "show"),
        "ID",
        "Show a job in full.",
        (Option("--errors", "List its errors instead, every one."), JSON),
        at_least=1,
        at_most=1,
    ),
    Command(
        ("queue", "wait"),
        "[ID…]",
        "Wait for jobs (without an ID, for all) and exit as they did.",
        (Option("--json", "Write one JSON object a line: events, then a summary."),),
        ("What a host asks meanwhile (a password, whether its key is right) is asked on the terminal.",),
        at_most=None,
    ),
    Command(
        ("queue", "limit"),
        "RATE|off [ID…]",
        "Limit the rate of everything together, or of single jobs.",
        at_least=1,
        at_most=None,
    ),
    Command(
        ("queue", "answer"),
        "ID RULE",
        "Answer the oldest open question of a job: skip, overwrite, newer or rename.",
        (Option("--all", "Answer all questions of the job, those to come too."),),
        at_least=2,
        at_most=2,
    ),
    Command(
        ("queue", "answer-host"),
        "ID",
        "Answer what a host asks before a job can go on: a password, whether its key is right.",
        (Option("--refuse", "There is no answer: what waits for it fails."),),
        (
            "Asked on the terminal, unseen where it is a secret. From elsewhere the answer is the first line of "
            "standard input: `ferry queue answer-host 3 < file`.",
        ),
        at_least=1,
        at_most=1,
    ),
    Command(
        ("queue", "rule"),
        "ID RULE",
        "Change what a job does where a different file has the name; a failed one goes by it when it is retried.",
        notes=("RULE: as --on-conflict of `ferry copy`. Any but ask answers the job's open questions too.",),
        at_least=2,
        at_most=2,
    ),
    Command(
        ("queue", "names"),
        "ID HOW",
        "Say what a waiting job does with names that do not fit its target.",
        notes=(
            "HOW: lookalike, underscore, skip or keep, as --names of `ferry copy`. `ferry queue show ID` lists what "
            "does not fit.",
        ),
        at_least=2,
        at_most=2,
    ),
    Command(("engine", "status"), "", "Say whether the background engine runs; exit 4 if not.", (JSON,)),
    Command(("engine", "start"), "", "Start the background engine.", (JSON,)),
    Command(("engine", "stop"), "", "Stop the background engine; it keeps every job.", (JSON,)),
    Command(("config", "path"), "", "Print the path of the configuration file."),
    Command(("config", "show"), "", "Print all settings in effect, as a configuration file."),
    Command(("config", "check"), "", "Name what is wrong in the configuration file; exit 1 if anything is."),
    Command(
        ("doctor",),
        "",
        "Check what Ferry stands on, and say what to do where it does not hold.",
        (
            Option(
                "--uploads",
                "Ask the stores of the configuration, and Amazon's where there is a default profile, for uploads that "
                "were begun, never completed, and are wanted by no job: their parts take room, and cost.",
            ),
            Option("--abort-uploads", "Remove those begun more than HOURS ago.", "HOURS"),
            JSON,
        ),
    ),
    Command(
        ("completion",),
        "bash|zsh|fish",
        "Print what has a shell complete commands, options and jobs at the Tab key.",
        notes=(
            'bash: eval "$(ferry completion bash)" in ~/.bashrc. zsh: eval "$(ferry completion zsh)" in ~/.zshrc, '
            "behind compinit. fish: ferry completion fish > ~/.config/fish/completions/ferry.fish.",
            "With words behind the shell, the last of them is completed: what it may become is printed, one a line, "
            "with what it does behind a tab; nothing where a file is wanted.",
        ),
        at_least=1,
        at_most=None,
    ),
)

BY_WORDS: dict[tuple[str, ...], Command] = {command.words: command for command in COMMANDS}
GROUPS = ("queue", "engine", "config")
