"""Where to connect to: places used before, bookmarked ones, hosts that are known, or an address as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.error import FerryError
from tui.ui.addresses import is_url, parse_address
from tui.ui.screens.picker import Item, Picker
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.client.base import Client
    from tui.model.location import Location
    from tui.ui.memory import Memory

RECENT = 8
_EMPTY = (
    "No hosts are known yet. Type user@host, user@host:2222/path, or a URL such as sftp://host/path or"
    " s3://bucket; the hosts of ~/.ssh/config are listed here, too."
)


class Connect(Picker["Location"]):
    """Lets the person choose a place, near or far, or type the address of one.

    Args:
        client: Knows hosts.
        memory: Knows the places used before, and bookmarks.
        home: Where "This computer" leads; None where the pane is there already.
    """

    def __init__(self, client: Client, memory: Memory, home: Location | None) -> None:
        super().__init__("Connect to a host", [], empty=_EMPTY)
        self._client, self._memory, self._home = client, memory, home
        self._items = [*self._remembered()]
        self._asked_hosts = False

    def on_mount(self) -> None:
        super().on_mount()
        self.typed.placeholder = "type to narrow, or user@host[:port][/path], or a URL"
        self.run_worker(self._ask_hosts(), group="hosts", exit_on_error=False)

    def _remembered(self) -> Iterator[Item[Location]]:
        if self._home is not None:
            yield Item(self._home, "This computer", visible(str(self._home)))
        recent = [place for place in self._memory.folders_by_use() if not place.is_local]
        for place in recent[:RECENT]:
            yield Item(place, visible(str(place)), group="Used before")
        for letter, place in sorted(self._memory.bookmarks.items()):
            if not place.is_local:
                yield Item(place, visible(str(place)), f"bookmark {letter}", group="Bookmarks")

    async def _ask_hosts(self) -> None:
        try:
            hosts = await self._client.hosts()
        except FerryError as error:
            self._asked_hosts = True
            self.say(error.message, wrong=True)
            return
        self._asked_hosts = True
        self._items += [
            Item(host.location, visible(host.title), visible(host.detail), group="Known hosts")
            for host in hosts
        ]
        self.fill(self.typed.value)

    def found(self, typed: str) -> list[Item[Location]]:
        """Return what matches, and the address that is typed: first where it looks like one, else last."""
        found = super().found(typed)
        address = _address(typed)
        if address is None or any(item.value == address for item in found):
            return found
        item = Item(address, visible(str(address)), "as typed", group="Connect to")
        looks_like_one = is_url(typed) or any(sign in typed for sign in "@:/")
        return [item, *found] if looks_like_one else [*found, item]

    def nothing(self, typed: str) -> str:
        if typed:
            return _wrong(typed)
        return super().nothing(typed) if self._asked_hosts else "Looking for hosts …"


def _address(typed: str) -> Location | None:
    try:
        return parse_address(typed)
    except FerryError:
        return None


def _wrong(typed: str) -> str:
    """Return why what is typed is no address."""
    try:
        parse_address(typed)
    except FerryError as error:
        return f"{error.message}. {error.remedy}"
    return ""
