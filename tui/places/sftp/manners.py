"""What is found out of a server that is not OpenSSH, once for as long as Ferry runs."""

from __future__ import annotations

from dataclasses import dataclass

MOST_OWED = 1 << 31
"""More than are ever under way."""
_FEWER = 64, 16, 4
"""As OpenSSH's `sftp` has them under way, so that every server must bear them; and below what some are known for."""
_PROVEN = 4
"""Who has answered so many times as many has shown that it bears them."""


@dataclass(slots=True)
class Manners:
    """How one host's server behaves, as far as it has shown.

    Attributes:
        sets_modes, sets_times: It gives files the mode and the time it is told to.
        sets_while_open: It does so while they are open.
        most_owed: So many requests it bears that are not answered yet.
    """

    sets_modes: bool = True
    sets_times: bool = True
    sets_while_open: bool = True
    most_owed: int = MOST_OWED

    def lost(self, owed: int, answered: int) -> None:
        """Note with how many answers owed a connection broke off; soon after its beginning they may be the reason."""
        if answered >= _PROVEN * owed:
            return
        for fewer in _FEWER:
            if owed > fewer < self.most_owed:
                self.most_owed = fewer
                return
