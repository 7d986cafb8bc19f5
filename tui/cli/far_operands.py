"""Operands of which some are URLs, into a plan: what stands where is asked of the client, not of the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cli.operands import Plan, aim, locate, refuse_dots, refuse_impossible
from tui.cli.reaching import Unanswered, reach
from tui.cli.urls import is_home
from tui.model.entry import EntryKind
from tui.model.error import NotAFolder, NotFound, PlaceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.diagnostics import Diagnostics
    from tui.client.base import Client
    from tui.model.entry import Entry
    from tui.model.location import Location


class Looking:
    """Looks at what operands name, wherever it is; questions of hosts are answered meanwhile.

    Attributes:
        unanswered: Nobody was there to answer a host, so that some operands could not be looked at.
    """

    def __init__(self, client: Client, messages: Diagnostics) -> None:
        self._client, self._messages = client, messages
        self.unanswered: Unanswered | None = None

    async def locate(self, word: str) -> Location:
        """Return the location of a word; one told from a far home folder as the host tells where that is."""
        location = locate(word)
        if not is_home(location):
            return location
        try:
            return await reach(self._client, self._messages, [location], self._client.resolve(location))
        except Unanswered as error:
            self.unanswered = error
            return location

    async def entry(self, location: Location, *, follow: bool = False) -> Entry | None:
        """Return what stands there, or None: nothing does.

        Raises:
            Unanswered: The host asks, and nobody answers.
        """
        try:
            return await reach(
                self._client, self._messages, [location], self._client.stat(location, follow=follow)
            )
        except NotFound:
            return None


async def plan_removal(looking: Looking, words: Sequence[str]) -> Plan:
    """Return what `delete` is asked to remove."""
    plan = Plan()
    await _take(looking, plan, refuse_dots(plan, words, "delete"), "delete")
    return plan


async def plan_transfer(looking: Looking, words: Sequence[str], doing: str, *, exact: bool = False) -> Plan:
    """Return what `copy` or `move` is asked for, as `tui.cli.operands.plan_transfer` does for the disk alone.

    A host that asks something nobody is there to answer is not looked at: the job waits for the answer, and finds out.

    Raises:
        UsageError: The destination cannot take what is to go there.
        PlaceError: It cannot be looked at.
        Unanswered: Without looking at it, nobody knows what the destination is.
    """
    *sources, last = words
    target = await looking.locate(last)
    wants_folder = last.endswith("/") or target.is_root or is_home(target)
    entry = None
    try:
        entry = await looking.entry(target, follow=True)
        is_folder = entry is not None and entry.kind.opens_as_folder
    except Unanswered as error:
        if not wants_folder:
            error.remedy = (
                f"{error.remedy} Or end the destination in / if it is a folder: then the job is queued."
            )
            raise
        looking.unanswered, is_folder = error, True
    plan = aim(
        target,
        len(sources),
        exists=entry is not None,
        is_folder=is_folder,
        wants_folder=wants_folder,
        exact=exact,
    )
    await _take(looking, plan, refuse_dots(plan, sources, doing), doing)
    refuse_impossible(plan, doing)
    return plan


async def _take(looking: Looking, plan: Plan, words: Sequence[str], doing: str) -> None:
    """Put the sources on the plan that exist, each once."""
    found: dict[Location, None] = {}
    for word in words:
        location = await looking.locate(word)
        if location.is_root and not location.is_local:
            raise UsageError(f"cannot {doing} all of {location}", "Name what is in it.")
        try:
            entry = await looking.entry(location)
            if entry is None:
                remedy = "Check how it is written; `ferry` takes no patterns."
                raise NotFound(
                    f"cannot {doing} {location}: no such file or folder", remedy, location=location
                )
            if word.endswith("/") and not await _leads_to_folder(looking, location, entry):
                message = f"cannot {doing} {location}/: it is not a folder"
                raise NotAFolder(message, "Leave out the / at its end.", location=location)
            if entry.kind is EntryKind.FOLDER and not location.is_local:
                plan.far_folders.add(location)
        except Unanswered as error:
            looking.unanswered = error
        except PlaceError as error:
            plan.refused.append(error)
            continue
        found[location] = None
    plan.sources += found


async def _leads_to_folder(looking: Looking, location: Location, entry: Entry) -> bool:
    if entry.kind.is_link:
        followed = await looking.entry(location, follow=True)
        return followed is not None and followed.kind.opens_as_folder
    return entry.kind is EntryKind.FOLDER
