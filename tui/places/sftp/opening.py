"""Make places of hosts that are reached by SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.base import Asker, Place
    from tui.places.sftp.settings import SshSettings


class SftpOpener:
    """The `Opener` of "sftp". What it was answered it keeps, in memory, as long as it lives."""

    def __init__(self, settings: SshSettings) -> None:
        from tui.places.sftp.asking import Answers

        self._settings, self._answers = settings, Answers()

    async def open(self, location: Location, asker: Asker) -> Place:
        """Connect to a location's host and begin SFTP there; see `connect` for what may go wrong."""
        from tui.places.sftp.connecting import connect  # asyncssh takes its time to load
        from tui.places.sftp.place import SftpPlace

        connection = await connect(location, asker, self._settings, self._answers)
        try:
            return await SftpPlace.start(connection, location)
        except BaseException:
            connection.abort()
            raise
