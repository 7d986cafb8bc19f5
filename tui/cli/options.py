"""Options that commands share, the words these take, and notes that more than one command has."""

from __future__ import annotations

from tui.cli.arguments import Option

JSON = Option("--json", "Write one JSON object a line.")

RULES = ("ask", "skip", "overwrite", "newer", "rename", "fail")
ANSWERS = ("skip", "overwrite", "newer", "rename")
SYNCS = ("none", "job", "file")
STAGINGS = ("tree", "file")
ALGORITHMS = ("sha256", "blake3")
NAMES = ("ask", "lookalike", "underscore", "skip", "keep")
SHELLS = ("bash", "zsh", "fish")

EXCLUDE = (
    Option(
        "--exclude",
        "Leave out what PATTERN fits, as a line of a .gitignore in SRC would; may be given several times.",
        "PATTERN",
        repeats=True,
    ),
    Option("--exclude-from", "Leave out what the lines of FILE fit; - for input.", "FILE", repeats=True),
)
RUNNING = (
    Option("--priority", "From 1 (lowest) to 5 (highest); 3 is normal.", "N", ("1", "2", "3", "4", "5")),
    Option("--paused", "Queue it paused; `ferry queue resume` lets it go."),
    Option("--dry-run", "Say in numbers what would be done, and touch nothing.", short="-n"),
    Option(
        "--wait",
        "Wait until it has ended (the default), with a progress bar on a terminal. There Ctrl+C asks whether the job "
        "is to go on; elsewhere an interrupt, or the signal TERM, cancels it. A terminal or a connection that goes "
        "away leaves it to the engine.",
    ),
    Option("--detach", "Queue it, print the job's id, and return."),
    Option("--foreground", "Do it in this process, without the background engine."),
    Option("--json", "Write one JSON object a line: events, then a summary."),
)
SOURCES_FROM = Option(
    "--sources-from",
    "Take more of what comes before DST from FILE: its lines, or what stands between NUL bytes, as `find -print0` "
    "writes them; - for input.",
    "FILE",
    repeats=True,
    names_operands=True,
)
LISTED = Option("--dry-run", "List what would be done, and touch nothing.", short="-n")
_REHEARSED = Option(
    "--dry-run",
    "Say in numbers what would be done, and name what is in the way; touch nothing, and exit as it would end, as far "
    "as can be told.",
    short="-n",
)
VERIFY = (
    Option(
        "--verify",
        "Read every file back from both disks, and compare, before it counts as copied. What differs is copied again, "
        "once; what differs then is an error.",
    ),
    Option("--no-verify", "Do not read files back, whatever [queue] verify in the configuration says."),
)
COPYING = (
    Option(
        "--on-conflict",
        "Where a different file has the name: ask, skip, overwrite, newer (overwrite if the source is newer), "
        "rename (keep both) or fail. Default: ask on a terminal, fail without one.",
        "RULE",
        RULES,
    ),
    Option(
        "--names",
        "Where the target's filesystem refuses names or takes two for one: ask (all are looked at before anything is "
        "written), lookalike (a:b becomes a：b), underscore (a_b), skip (leave it out) or keep (what cannot be written "
        'so is an error). Of two that would be one the second becomes "name (1)". What is moved from another host '
        "keeps its names. Default: ask on a terminal, keep without one.",
        "HOW",
        NAMES,
    ),
    SOURCES_FROM,
    *EXCLUDE,
    Option("--limit", 'Copy no faster than RATE: "20MB/s", "512KiB/s".', "RATE"),
    Option(
        "--preserve",
        "Of owner, xattr, acl, hardlinks, sparse and times, keep only those in LIST (with commas; all or none). "
        "Without it all are kept; what the target cannot hold is told at the end.",
        "LIST",
    ),
    Option("--no-preserve", "Keep all but those in LIST.", "LIST"),
    *VERIFY,
    Option(
        "--sync",
        "When copies are brought onto the disk, so that a power cut cannot take them back: job (all, before the job "
        "is done), file (each, before it gets its name) or none (whenever the system gets to it). A move removes an "
        "original only when its copy is on the disk, also with none. Default: [queue] sync in the configuration, job.",
        "WHEN",
        SYNCS,
    ),
    Option(
        "--stage",
        "How a new tree appears: tree (under its name when it is whole) or file (each file as it is done). "
        "Default: [queue] stage in the configuration, tree.",
        "WHAT",
        STAGINGS,
    ),
    *(_REHEARSED if option.name == "--dry-run" else option for option in RUNNING),
)
TARGETS = (
    "DST that ends in / or is a folder: sources go into it, under their names; one that ends in / and does not exist "
    "is made. Else there is one SRC, and it becomes DST (as cp -T).",
    "A folder is copied whole, and merged into a folder of its name. A / at the end of SRC changes nothing. "
    "Links are copied as links.",
    "--verify has the system forget what it holds of a file before it reads it again. It cannot get past the caches of "
    "a disk, a controller or a file server, nor past a filesystem in memory (tmpfs). Links, pipes and devices hold no "
    "content to verify; a move on one filesystem is a rename, which copies none. The source of what differs stays. A "
    "job that goes on after a crash verifies what it finds at the target again.",
    "Without times, files get the time of their copy, and whether one is complete already is told by its content: "
    "a repeated or resumed job reads both sides where sizes agree. A move within a filesystem is a rename and keeps "
    "everything.",
    "Names may hold anything; put -- before one that begins with a dash.",
)
STAYS = (
    "What is named . or .. at its end is refused, as is your home folder and what holds it. The current folder "
    "can be named by its path: it goes, as with rm and mv, and the shell has to change to another one."
)
LEFT_OUT = (
    "Patterns are those of a .gitignore: *.tmp and build/ (a folder) at any depth, /docs/*.o and docs/**/*.o from SRC "
    "on; ? and [a-z] fit one character (git counts bytes); !keep.tmp takes back what an earlier one left out, unless a "
    "folder above it is. A SRC itself is left out by those that name no path."
)
URLS = (
    "What is on another host is written sftp://user@host:port/path, or sftp://host/~/path from its home folder, and "
    "what is in a store s3://bucket/key, or s3://NAME@bucket/key with a [s3.NAME] of the configuration. Bytes that a "
    "URL cannot hold are written as %20; there are no patterns. A file here that looks like that is written ./sftp:…. "
    "What a host asks (a password, whether its key is right) is asked on the terminal, or by the program that "
    "SSH_ASKPASS names, as ssh does; without either a queued job waits for `ferry queue answer-host`."
)
NEEDLESS = ("-a", "-r", "-R", "--archive", "--recursive")
ALL = Option("--all", "All jobs to which it applies.")
