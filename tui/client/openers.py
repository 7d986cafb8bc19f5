"""What connects an engine to places, by scheme; each is imported when the first of its kind is wanted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tui.config import SshSettings
from tui.model.ask import KnownHost
from tui.model.location import LOCAL, S3, SFTP, Location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui.config import Settings
    from tui.engine.journal import Journal
    from tui.places.base import Opener


def openers(
    settings: Settings, today: Callable[[], Settings], journal: Journal
) -> Mapping[str, Callable[[], Opener]]:
    """Return what makes an opener for each scheme there is.

    Args:
        today: Reads the settings anew, for the stores among them. It may block.
    """

    def local() -> Opener:
        from tui.places.local.end import LocalOpener

        return LocalOpener()

    def sftp() -> Opener:
        from tui.places.sftp.opening import SftpOpener
        from tui.places.sftp.settings import SshSettings as Ssh

        return SftpOpener(Ssh(config_file=_config_file(settings), keyring=settings.ssh.keyring))

    def s3() -> Opener:
        from tui.engine.far.ledger import JournalLedger
        from tui.places.s3.endpoints import Endpoint
        from tui.places.s3.opening import S3Opener

        def endpoints() -> Mapping[str, Endpoint]:
            return {
                name: Endpoint(
                    name, url=each.url, region=each.region, profile=each.profile, path_style=each.path_style
                )
                for name, each in today().s3.items()
            }

        return S3Opener(endpoints, JournalLedger(journal))

    return {LOCAL: local, SFTP: sftp, S3: s3}


def known_hosts(settings: Settings) -> tuple[KnownHost, ...]:
    """Return what may be connected to: hosts of the ssh configuration, then stores. It reads files: for a thread."""
    from tui.places.s3.profiles import profiles
    from tui.places.sftp.ssh_config import aliases

    hosts = [
        KnownHost(Location("/~", SFTP, alias), alias, "from the ssh configuration")
        for alias in aliases(_config_file(settings))
    ]
    stores = [
        KnownHost(Location("/", S3, name), name, each.url or "Amazon S3")
        for name, each in settings.s3.items()
    ]
    of_aws = [
        KnownHost(Location("/", S3, "" if name == "default" else name), name, "profile of the AWS files")
        for name in profiles(os.environ)
        if name not in settings.s3
    ]
    return (*hosts, *stores, *of_aws)


def _config_file(settings: Settings) -> Path | None:
    """Return the ssh_config to read; None: the user's and the system's."""
    given = settings.ssh.config_file
    if given == SshSettings().config_file:
        return None
    return Path(os.path.expanduser(given)) if given else Path(os.devnull)
