"""What is found out of a server that is not OpenSSH, once for as long as Ferry runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Manners:
    """How one host's server behaves, as far as it has shown.

    Attributes:
        sets_modes, sets_times: It gives files the mode and the time it is told to.
        sets_while_open: It does so while they are open.
    """

    sets_modes: bool = True
    sets_times: bool = True
    sets_while_open: bool = True
