"""Passwords and passphrases that worked, in the keyring of the system: only where somebody has configured that."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from tui.model.ask import AskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "ferry"
"""What the keyring's own programs show them under; the name of each is a host's, or a key file's path."""
_LASTING = (AskKind.PASSWORD, AskKind.PASSPHRASE)

_log = logging.getLogger(__name__)


class Keyring:
    """What the system keeps for us. Where it cannot be used, that is told once, and people are asked as before."""

    def __init__(self) -> None:
        self._usable = True
        self._there: dict[tuple[AskKind, str], str] = {}

    def __repr__(self) -> str:
        return f"Keyring({len(self._there)} known)"

    async def get(self, kind: AskKind, subject: str) -> str | None:
        """Return what is kept as the answer to a question; None where nothing is."""
        if kind not in _LASTING:
            return None
        text: str | None = await self._do("get_password", subject)
        if text is not None:
            self._there[kind, subject] = text
        return text

    async def settle(self, right: Mapping[tuple[AskKind, str], str], *, signed_in: bool) -> None:
        """Remove what turned out to be wrong; where somebody was let in, keep what was right."""
        for name in [name for name in self._there if name not in right]:
            del self._there[name]
            await self._do("delete_password", name[1])
        for name, text in list(right.items()) if signed_in else ():
            if name[0] in _LASTING and self._there.get(name) != text:
                self._there[name] = text
                await self._do("set_password", name[1], text)

    async def _do(self, what: str, *words: str) -> Any:
        """Call the library, which may wait for somebody who opens the keyring."""
        if not self._usable:
            return None
        try:
            return await asyncio.to_thread(_call, what, *words)
        except Exception as error:  # backends raise whatever the system does
            self._usable = False
            _log.warning("the keyring is not used: %s", error)
            return None


def _call(what: str, *words: str) -> Any:
    import keyring

    return getattr(keyring, what)(SERVICE, *words)
