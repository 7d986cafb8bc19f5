"""What `ferry doctor --uploads` says of half uploads in stores, and how it removes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui import format
from tui.cli.doctor_finding import Finding, Level
from tui.cli.reaching import reach
from tui.model.error import FerryError
from tui.model.location import S3, Location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.session import OpenClient, Session
    from tui.config import Settings
    from tui.model.upload import Unfinished

SHOWN = 20


async def uploads(session: Session, older_than_s: float | None) -> list[Finding]:
    """Ask all stores there are; with an age remove what is older."""
    client = session.engines.client()
    try:
        return [
            finding
            for place in _stores(session.settings)
            for finding in await _of_store(session, client, place, older_than_s)
        ]
    finally:
        await client.close()


def _stores(settings: Settings) -> Sequence[Location]:
    from tui.places.s3.profiles import profiles

    names = list(settings.s3)
    if os.environ.get("AWS_ACCESS_KEY_ID") or "default" in profiles(os.environ):
        names.append("")
    return [Location("/", S3, name) for name in names]


async def _of_store(
    session: Session, client: OpenClient, place: Location, older_than_s: float | None
) -> list[Finding]:
    remove = older_than_s is not None
    try:
        asked = client.uploads(place, older_than_s or 0.0, remove=remove)
        found = await reach(client, session.messages, [place], asked)
    except FerryError as error:
        return [Finding(Level.WARN, "uploads", error.message, error.remedy)]
    if not found:
        age = f" begun more than {older_than_s / 3600:.0f} h ago" if older_than_s else ""
        return [Finding(Level.OK, "uploads", f"{place}: no half upload{age} that no job wants")]
    if remove:
        return [Finding(Level.OK, "uploads", f"{place}: {format.entries(len(found), 'half upload')} removed")]
    return _told(place, found)


def _told(place: Location, found: Sequence[Unfinished]) -> list[Finding]:
    remedy = "`ferry doctor --abort-uploads 24` removes those begun more than a day ago."
    shown = [
        Finding(
            Level.WARN,
            "uploads",
            f"half of {upload.location}, begun {format.moment(upload.began_ns / 1e9)}",
            remedy,
        )
        for upload in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        shown.append(Finding(Level.WARN, "uploads", f"and {len(found) - SHOWN} more in {place}"))
    return shown
