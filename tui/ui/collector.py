"""Keeps Python's garbage collector from making keys late.

A full collection walks every object the app holds: with Textual's style sheets, widgets and modules some 60 ms, at a
moment nobody chooses. What stands once the screen is open stays until it is left, so it is set aside for good
(`gc.freeze`), and only what came later is ever walked.
"""

from __future__ import annotations

import gc


def hold_while_starting() -> None:
    """Collect nothing while modules are imported and the screen is built: nearly all of it stays."""
    gc.disable()


def set_aside() -> None:
    """Take what exists by now out of all collections, and let them begin."""
    gc.freeze()
    gc.enable()
