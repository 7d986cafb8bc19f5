"""Set what Textual reads from the environment when it is imported; so this module must come before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

ESCAPE_DELAY_FAR_MS: Final = 350
"""How long a lone Escape waits for the rest of a sequence over SSH, where the bytes of one key arrive in pieces."""


def prepare_environment(environ: MutableMapping[str, str]) -> None:
    """Choose Textual's settings for this terminal; what the user has set stays as it is.

    Args:
        environ: Usually `os.environ`; changed in place.
    """
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if is_far(environ):
        environ.setdefault("ESCDELAY", str(ESCAPE_DELAY_FAR_MS))


def is_far(environ: MutableMapping[str, str]) -> bool:
    """Tell whether the terminal is at the other end of an SSH connection."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
