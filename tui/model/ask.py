"""What the engine must ask a person before it can reach a host: passwords and the like, kept in memory only."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tui.model.location import Location


class AskKind(StrEnum):
    PASSWORD = "password"
    PASSPHRASE = "passphrase"
    """Of a key file."""
    CODE = "code"
    """Whatever the host itself asks (keyboard-interactive): a one-time code, mostly."""
    HOST_KEY = "host_key"
    """The host is not known: whether its key is the right one is answered with YES."""


YES = "yes"
"""The answer by which a host's key is accepted. (Anything else refuses it.)"""


class Ask(Struct, frozen=True):
    """One thing to be asked.

    Attributes:
        host: Whom it is about, as people write it: "user@host", "host:2222".
        text: What is to be said, in one or a few lines: a prompt, or a fingerprint.
        secret: The answer must not be shown while it is typed.
        retry: An earlier answer to the same was wrong.
    """

    kind: AskKind
    host: str
    text: str
    secret: bool = True
    retry: bool = False


class Answer(Struct, frozen=True):
    """What somebody said. It has no readable form: a secret must not get into a log by mistake."""

    text: str

    def __repr__(self) -> str:
        return "Answer(…)"


class HostQuestion(Struct, frozen=True):
    """An open question about a host, as clients see it. Its number is the engine's, and lasts as long as that does."""

    id: int
    ask: Ask
    place: Location
    """The root of the place that cannot be opened before it is answered."""
    jobs: tuple[int, ...] = ()
    """The jobs that wait for it."""


class KnownHost(Struct, frozen=True):
    """Something that may be connected to.

    Attributes:
        location: What is opened when it is chosen.
        title: Its short name: the alias, the endpoint.
        detail: What else is known of it, in a few words, or empty.
    """

    location: Location
    title: str
    detail: str = ""
