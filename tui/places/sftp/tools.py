"""What all that is done at one server has in common."""

from __future__ import annotations

from dataclasses import dataclass

from tui.places.sftp.dressing import Dressing
from tui.places.sftp.lanes import Lanes
from tui.places.sftp.naming import Naming
from tui.places.sftp.open_files import OpenFiles
from tui.places.sftp.session import Session


@dataclass(frozen=True, slots=True)
class Tools:
    """A place's session, and what has been found out of its server."""

    session: Session
    lanes: Lanes
    naming: Naming
    dressing: Dressing
    open_files: OpenFiles
