"""Permissions at far places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hosts_harness import Hosts, HostsHarness, at, counted, troubles

from tui.model.error import PermissionDenied
from tui.model.job import JobKind, JobState
from tui.places.memory import HARDLY_ANY

if TYPE_CHECKING:
    from tui.model.location import Location


def plant(hosts: Hosts) -> None:
    store = hosts.store()
    store.write("/data/tree/file", b"text", mode=0o644)
    store.write("/data/tree/inner/file", b"text", mode=0o644)
    store.write("/data/outside", b"text", mode=0o644)
    store.link("/data/tree/link", "/data/outside")


def modes(hosts: Hosts, *paths: str) -> list[str]:
    return [oct(hosts.store().find(f"/data/{path}").mode) for path in paths]


ALL = ("tree", "tree/file", "tree/inner", "tree/inner/file", "outside")
BITS = {"mode_set": 0o600, "mode_clear": 0o077, "folder_mode_set": 0o100}
AFTER = ["0o700", "0o600", "0o700", "0o600", "0o644"]


async def test_modes_are_changed_below_folders_and_not_through_links(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)
    job = await queue.done(await queue.add(JobKind.CHMOD, at("/data/tree"), recursive=True, **BITS))
    assert modes(hosts, *ALL) == AFTER
    assert job.progress.files_done == 2


async def test_what_is_in_a_folder_keeps_its_mode_unless_that_is_meant(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts)
    await queue.done(await queue.add(JobKind.CHMOD, at("/data/tree"), **BITS))
    assert modes(hosts, "tree", "tree/file") == ["0o700", "0o644"]


async def test_a_link_that_is_named_is_left_alone(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)
    await queue.done(await queue.add(JobKind.CHMOD, at("/data/tree/link"), **BITS))
    assert modes(hosts, "tree/link", "outside") == ["0o777", "0o644"]


async def test_what_is_refused_is_told_and_tried_again(queue: HostsHarness, hosts: Hosts) -> None:
    plant(hosts)

    def refuse(name: str, location: Location) -> None:
        if name == "set_attributes" and location.path == "/data/tree/inner/file":
            raise PermissionDenied(f"cannot change {location}: permission denied", location=location)

    hosts.trouble = refuse
    job = await queue.ends(await queue.add(JobKind.CHMOD, at("/data/tree"), recursive=True, **BITS))
    assert job.state is JobState.FAILED
    assert await queue.messages(job.id) == [
        "cannot change sftp://host/data/tree/inner/file: permission denied"
    ]
    hosts.trouble = None
    await queue.engine.retry([job.id])
    await queue.done(job.id)
    assert modes(hosts, *ALL) == AFTER


async def test_a_lost_connection_is_made_anew_whatever_it_was_used_for(
    queue: HostsHarness, hosts: Hosts
) -> None:
    told = set()
    for trouble in troubles(hosts, more_than=10):
        plant(hosts)
        hosts.trouble = trouble
        ended = await queue.done(await queue.add(JobKind.CHMOD, at("/data/tree"), recursive=True, **BITS))
        assert modes(hosts, *ALL) == AFTER, trouble.names
        told.add(counted(ended))
    assert len(told) == 1


async def test_where_nothing_has_permissions_that_is_said(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.capabilities = HARDLY_ANY
    plant(hosts)
    job = await queue.ends(await queue.add(JobKind.CHMOD, at("/data/tree"), **BITS))
    assert await queue.messages(job.id) == [
        "cannot change the mode of sftp://host/data/tree: nothing there has permissions"
    ]
