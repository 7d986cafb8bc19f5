"""The dialog that leads to hosts: what is used before comes first, and an address is as good as an entry."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fake_client import FakeClient
from textual.widgets import OptionList, Static

from tui.model.ask import KnownHost
from tui.model.error import EngineUnreachable
from tui.model.location import Location
from tui.ui.screens.connect import Connect
from tui.ui.widgets.pane_base import State

SRV = Location("/srv", "sftp", "ann@box")
NAS = Location("/~", "sftp", "nas")


def hosts(client: FakeClient) -> None:
    client.far("sftp://ann@box", {"srv": {"a.txt": b""}}, home="/srv")
    client.far("sftp://nas", {"data": {"d.txt": b""}}, home="/data")
    client.far("s3://", {"bucket": {"key": b""}})
    client.known_hosts = (
        KnownHost(NAS, "nas", "admin@192.168.1.4"),
        KnownHost(Location("/", "s3"), "s3", "AWS, profile default"),
    )


def lines(dialog: Any) -> list[str]:
    """The lines of the list as they are shown, blanks joined."""
    choices = dialog.query_one("#list", OptionList)
    return [" ".join(str(choices.get_option_at_index(n).prompt).split()) for n in range(choices.option_count)]


@pytest.mark.parametrize("keys", [("\\",), ("g", "r")])
async def test_known_hosts_are_listed_and_enter_opens_one_in_the_pane_in_use(shell, keys):
    async with shell(prepare=hosts) as s:
        await s.press("tab", *keys)
        dialog = await s.dialog(Connect)
        await s.until(lambda: len(lines(dialog)) == 3)
        assert lines(dialog) == ["Known hosts", "nas admin@192.168.1.4", "s3 AWS, profile default"]
        await s.press(*"192.168", "enter")
        await s.until(lambda: s.main.right.location.url == "sftp://nas/data")
        await s.until(lambda: "d.txt" in s.main.right.folder.names)
        assert s.main.left.location == Location("/home/ann")


async def test_no_hosts_are_known_is_said_only_when_that_is_known(shell):
    async with shell() as s:
        asked, answered = s.client.hosts, asyncio.Event()

        async def slowly() -> object:
            await answered.wait()
            return await asked()

        s.client.hosts = slowly
        await s.press("\\")
        dialog = await s.dialog(Connect)
        said = dialog.query_one("#feedback", Static)
        assert str(said.visual) == "Looking for hosts …"
        answered.set()
        await s.until(lambda: str(said.visual).startswith("No hosts are known yet."), "known")


async def test_places_used_before_and_bookmarks_come_first(shell):
    async with shell(prepare=hosts) as s:
        s.main.pane.go(SRV)
        await s.until(lambda: s.main.pane.state is State.READY and s.main.pane.location == SRV)
        s.app.memory.bookmarks["n"] = Location("/data", "sftp", "nas")
        await s.press("\\")
        dialog = await s.dialog(Connect)
        await s.until(lambda: "Known hosts" in lines(dialog))
        assert lines(dialog)[:6] == [
            "This computer " + str(dialog._home),
            "Used before",
            "sftp://ann@box/srv",
            "Bookmarks",
            "sftp://nas/data bookmark n",
            "Known hosts",
        ]


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("ann@box/srv", "sftp://ann@box/srv"),
        ("s3://bucket", "s3://bucket/"),
        ("sftp://ann@box/srv", "sftp://ann@box/srv"),
    ],
)
async def test_an_address_is_opened_as_it_is_typed(shell, typed, place):
    async with shell(prepare=hosts) as s:
        await s.press("\\")
        dialog = await s.dialog(Connect)
        await s.press(*typed)
        await s.until(lambda: lines(dialog)[:1] == ["Connect to"])
        await s.press("enter")
        await s.until(lambda: s.main.pane.state is State.READY and not s.main.pane.location.is_local)
        assert s.main.pane.location == Location.from_url(place)


async def test_a_bare_word_chooses_what_it_fits_before_it_is_a_host_name(shell):
    async with shell(prepare=hosts) as s:
        await s.press("\\")
        dialog = await s.dialog(Connect)
        await s.until(lambda: len(lines(dialog)) == 3)
        await s.press(*"na")
        await s.until(
            lambda: (
                lines(dialog)
                == ["Known hosts", "nas admin@192.168.1.4", "Connect to", "sftp://na/~ as typed"]
            )
        )


async def test_with_no_hosts_known_the_dialog_says_what_to_type(shell):
    async with shell() as s:
        await s.press("\\")
        dialog = await s.dialog(Connect)
        assert "Type user@host" in str(dialog.query_one("#feedback").render())
        await s.press(*"a b")
        await s.until(lambda: "names no host" in str(dialog.query_one("#feedback").render()))
        await s.press("enter")
        assert s.app.screen is dialog
        await s.press("escape")
        await s.back()


async def test_a_password_in_an_address_is_refused(shell):
    async with shell() as s:
        await s.press("\\")
        dialog = await s.dialog(Connect)
        await s.press(*"sftp://ann:pw@box")
        await s.until(lambda: "password does not belong" in str(dialog.query_one("#feedback").render()))


async def test_an_engine_that_does_not_answer_leaves_addresses_to_be_typed(shell, monkeypatch):
    async def unreachable(self: FakeClient) -> tuple[KnownHost, ...]:
        raise EngineUnreachable("the engine is not answering")

    monkeypatch.setattr(FakeClient, "hosts", unreachable)
    async with shell(prepare=hosts) as s:
        await s.press("\\")
        dialog = await s.dialog(Connect)
        await s.until(lambda: "not answering" in str(dialog.query_one("#feedback").render()))
        await s.press(*"ann@box/srv", "enter")
        await s.until(lambda: s.main.pane.location == SRV and s.main.pane.folder.order)


async def test_this_computer_leads_back_from_a_far_pane(shell):
    async with shell(prepare=hosts) as s:
        s.main.pane.go(SRV)
        await s.until(lambda: s.main.pane.state is State.READY and s.main.pane.location == SRV)
        await s.press("\\")
        await s.dialog(Connect)
        await s.press("enter")
        await s.until(lambda: s.main.pane.location.is_local)
