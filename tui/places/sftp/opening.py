"""Make places of hosts that are reached by SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.error import PlaceError
from tui.places.sftp.manners import Manners

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.base import Asker, Place
    from tui.places.sftp.place import SftpPlace
    from tui.places.sftp.settings import SshSettings


class SftpOpener:
    """The `Opener` of "sftp". What it was answered it keeps, in memory, as long as it lives.

    With `SshSettings.keyring` what was right stays in the system's keyring, too.
    """

    def __init__(self, settings: SshSettings) -> None:
        from tui.places.sftp.asking import Answers

        keyring = None
        if settings.keyring:
            from tui.places.sftp.keyring import Keyring

            keyring = Keyring()
        self._settings, self._answers = settings, Answers(keyring)
        self._manners: dict[str, Manners] = {}
        self._last: dict[str, SftpPlace] = {}

    async def open(self, location: Location, asker: Asker) -> Place:
        """Connect to a location's host and begin SFTP there; see `connect` for what may go wrong."""
        from tui.places.sftp.connecting import connect  # asyncssh takes its time to load
        from tui.places.sftp.place import SftpPlace

        last = self._last.get(location.authority)
        silence = None if last is None else last.silence
        try:
            connection = await connect(location, asker, self._settings, self._answers, silence)
        except PlaceError:
            await self._answers.settle(signed_in=False)
            raise
        try:
            await self._answers.settle(signed_in=True)
            manners = self._manners.setdefault(location.authority, Manners())
            place = await SftpPlace.start(connection, location, manners)
        except BaseException:
            connection.abort()
            raise
        self._last[location.authority] = place
        return place
