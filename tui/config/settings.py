"""The sections of the configuration, and every key with what it may hold, its default and what it is for."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field
from typing import TYPE_CHECKING, Any

from tui.config import kinds
from tui.config.far import S3Settings, SshSettings
from tui.config.kinds import key
from tui.model.job import Conflict, Flush, Staging

if TYPE_CHECKING:
    from dataclasses import Field


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """How the screen looks and behaves."""

    theme: str = key(
        "ferry-dark",
        kinds.text(),
        'Colours: "ferry-dark", "ferry-light", "ferry-contrast", "ferry-16" or any theme of Textual.',
    )
    preset: str = key(
        "ferry",
        kinds.choice("ferry", "mc", "ranger"),
        "Set of keys to start from; the section [keys] changes single ones.",
    )
    show_hidden: bool = key(False, kinds.boolean(), "List names that begin with a dot.")
    sort: str = key(
        "name", kinds.choice("name", "size", "time", "extension"), "Order in which folders are first shown."
    )
    sort_reverse: bool = key(False, kinds.boolean(), "Turn that order round.")
    folders_first: bool = key(True, kinds.boolean(), "List folders before all else.")
    columns: tuple[str, ...] = key(
        ("size", "modified"),
        kinds.words("size", "modified", "mode"),
        "Columns beside the name, from left to right.",
    )
    mouse: bool = key(True, kinds.boolean(), "React to the mouse.")
    editor: str = key(
        "", kinds.text(), "Command that edits a file; where empty, $VISUAL, then $EDITOR, then vi."
    )
    bell: bool = key(
        True, kinds.boolean(), "Ring the terminal's bell when a job ends while you look elsewhere."
    )
    desktop_notes: bool = key(
        True,
        kinds.boolean(),
        "Ask the terminal for a desktop notification (OSC 9) when a job ends while you look elsewhere.",
    )


@dataclass(frozen=True, slots=True)
class ConfirmSettings:
    """Where Ferry asks before it does something."""

    trash: bool = key(True, kinds.boolean(), "Ask before entries go to the trash.")
    delete: bool = key(True, kinds.boolean(), "Ask before entries are deleted for good.")
    cancel: bool = key(True, kinds.boolean(), "Ask before a job is cancelled.")
    quit: bool = key(False, kinds.boolean(), "Ask before the screen is left. Jobs go on in either case.")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How the background engine works."""

    slots: int = key(2, kinds.integer(1, 32), "Files copied at once (of small ones: batches at once).")
    limit_bytes_s: int | None = key(
        None, kinds.rate(), "Rate limit for all jobs together when the engine starts.", "limit"
    )
    conflict: Conflict = key(  # noqa: RUF009 (a `field`, as its neighbours)
        Conflict.ASK, kinds.conflict(), "What the screen proposes where a name is taken by a different file."
    )
    verify: bool = key(
        False,
        kinds.boolean(),
        "Read every file that is copied or moved back from both disks, and compare, before it counts as copied.",
    )
    flush: Flush = key(  # noqa: RUF009
        Flush.JOB,
        kinds.member(Flush),
        "When copies are brought onto the disk, where a power cut cannot take them back: all before the job is done, "
        "each file before it gets its name, or whenever the system gets to it. Whatever is said here, a move removes "
        "an original it copied only when the copy is on the disk.",
        "sync",
    )
    staging: Staging = key(  # noqa: RUF009
        Staging.TREE,
        kinds.member(Staging),
        "A new tree appears whole, when it is complete (built beside its final name), or each file as it is done.",
        "stage",
    )
    idle_exit_s: float = key(
        60.0, kinds.seconds(), "Seconds without work and clients after which the engine ends."
    )
    nice: int = key(
        10, kinds.integer(0, 19), "Niceness of the engine: higher leaves more of the processor to others."
    )


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Programs that Ferry runs when something happens."""

    job_ended: tuple[str, ...] = key(
        (),
        kinds.words(),
        "Program and arguments run when a job ends. It finds FERRY_JOB_ID, FERRY_JOB_STATE, FERRY_JOB_KIND, "
        "FERRY_JOB_TARGET, FERRY_JOB_FILES, FERRY_JOB_BYTES and FERRY_JOB_ERRORS in its environment.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
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


SECTIONS: dict[str, type[Any]] = {
    "screen": ScreenSettings,
    "confirm": ConfirmSettings,
    "queue": QueueSettings,
    "hooks": HookSettings,
    "ssh": SshSettings,
}
S3 = "s3"
KEYS = "keys"


def toml_name(item: Field[Any]) -> str:
    """Return the name under which the file knows a field."""
    return item.metadata["name"] or item.name


def default_of(item: Field[Any]) -> Any:
    """Return a field's default value; every field of a section has one."""
    assert item.default is not MISSING
    return item.default
