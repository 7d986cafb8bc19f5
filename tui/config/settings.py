"""The sections of the configuration, and every key with what it may hold, its default and what it is for.

A key is annotated with its type, its kind, what it is for, and its name in the file where that is not the field's.
(Annotations are text until `items` reads them, which most commands never need.)
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct, field
from msgspec.structs import fields

from tui.config import kinds
from tui.config.far import S3Settings, SshSettings
from tui.config.kinds import Kind
from tui.model.job import Conflict, Flush, Staging


class ScreenSettings(Struct, frozen=True):
    """How the screen looks and behaves."""

    theme: Annotated[
        str,
        kinds.text(),
        'Colours: "ferry-dark", "ferry-light", "ferry-contrast", "ferry-16" or any theme of Textual.',
    ] = "ferry-dark"
    preset: Annotated[
        str,
        kinds.choice("ferry", "mc", "ranger"),
        "Set of keys to start from; the section [keys] changes single ones.",
    ] = "ferry"
    show_hidden: Annotated[bool, kinds.boolean(), "List names that begin with a dot."] = False
    sort: Annotated[
        str,
        kinds.choice("name", "size", "time", "extension"),
        "Order in which folders are first shown.",
    ] = "name"
    sort_reverse: Annotated[bool, kinds.boolean(), "Turn that order round."] = False
    folders_first: Annotated[bool, kinds.boolean(), "List folders before all else."] = True
    columns: Annotated[
        tuple[str, ...],
        kinds.words("size", "modified", "mode"),
        "Columns beside the name, from left to right.",
    ] = ("size", "modified")
    mouse: Annotated[bool, kinds.boolean(), "React to the mouse."] = True
    editor: Annotated[
        str,
        kinds.text(),
        "Command that edits a file; where empty, $VISUAL, then $EDITOR, then vi.",
    ] = ""
    bell: Annotated[
        bool,
        kinds.boolean(),
        "Ring the terminal's bell when a job ends while you look elsewhere.",
    ] = True
    desktop_notes: Annotated[
        bool,
        kinds.boolean(),
        "Ask the terminal for a desktop notification (OSC 9) when a job ends while you look elsewhere.",
    ] = True


class ConfirmSettings(Struct, frozen=True):
    """Where Ferry asks before it does something."""

    trash: Annotated[bool, kinds.boolean(), "Ask before entries go to the trash."] = True
    delete: Annotated[bool, kinds.boolean(), "Ask before entries are deleted for good."] = True
    cancel: Annotated[bool, kinds.boolean(), "Ask before a job is cancelled."] = True
    quit: Annotated[
        bool,
        kinds.boolean(),
        "Ask before the screen is left. Jobs go on in either case.",
    ] = False


class QueueSettings(Struct, frozen=True):
    """How the background engine works."""

    slots: Annotated[
        int,
        kinds.integer(1, 32),
        "Files copied at once (of small ones: batches at once).",
    ] = 2
    limit_bytes_s: Annotated[
        int | None,
        kinds.rate(),
        "Rate limit for all jobs together when the engine starts.",
        "limit",
    ] = None
    conflict: Annotated[
        Conflict,
        kinds.conflict(),
        "What the screen proposes where a name is taken by a different file.",
    ] = Conflict.ASK
    verify: Annotated[
        bool,
        kinds.boolean(),
        "Read every file that is copied or moved back from both disks, and compare, before it counts as copied.",
    ] = False
    flush: Annotated[
        Flush,
        kinds.member(Flush),
        "When copies are brought onto the disk, where a power cut cannot take them back: all before the job is done, "
        "each file before it gets its name, or whenever the system gets to it. Whatever is said here, a move removes "
        "an original it copied only when the copy is on the disk.",
        "sync",
    ] = Flush.JOB
    staging: Annotated[
        Staging,
        kinds.member(Staging),
        "A new tree appears whole, when it is complete (built beside its final name), or each file as it is done.",
        "stage",
    ] = Staging.TREE
    idle_exit_s: Annotated[
        float,
        kinds.seconds(),
        "Seconds without work and clients after which the engine ends.",
    ] = 60.0
    nice: Annotated[
        int,
        kinds.integer(0, 19),
        "Niceness of the engine: higher leaves more of the processor to others.",
    ] = 10


class HookSettings(Struct, frozen=True):
    """Programs that Ferry runs when something happens."""

    job_ended: Annotated[
        tuple[str, ...],
        kinds.words(),
        "Program and arguments run when a job ends. It finds FERRY_JOB_ID, FERRY_JOB_STATE, FERRY_JOB_KIND, "
        "FERRY_JOB_TARGET, FERRY_JOB_FILES, FERRY_JOB_BYTES and FERRY_JOB_ERRORS in its environment.",
    ] = ()


class Settings(Struct, frozen=True):
    """Everything a person may set.

    `s3` maps the name of an endpoint to where it is, `keys` an action's id to the keys that replace its default ones.
    """

    screen: ScreenSettings = field(default_factory=ScreenSettings)
    confirm: ConfirmSettings = field(default_factory=ConfirmSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    hooks: HookSettings = field(default_factory=HookSettings)
    ssh: SshSettings = field(default_factory=SshSettings)
    s3: dict[str, S3Settings] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)


SECTIONS: dict[str, type[Struct]] = {
    "screen": ScreenSettings,
    "confirm": ConfirmSettings,
    "queue": QueueSettings,
    "hooks": HookSettings,
    "ssh": SshSettings,
}
S3 = "s3"
KEYS = "keys"


class Item(Struct, frozen=True):
    """A key of a section in full."""

    field: str
    name: str
    """Under which the file knows it."""
    kind: Kind
    default: Any
    doc: str


def items(section: type[Struct]) -> list[Item]:
    """Return the keys of a section, in its order."""
    found = []
    for each in fields(section):
        kind, doc, *name = each.type.__metadata__
        found.append(Item(each.name, name[0] if name else each.name, kind, each.default, doc))
    return found
