"""How a folder at one place differs from one at another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hosts_harness import Hosts, HostsHarness, Trouble, at

from tui.model.comparison import Amounts, Change
from tui.model.error import NotFound
from tui.model.exclusion import NOTHING, Exclusion
from tui.places.memory import HARDLY_ANY

if TYPE_CHECKING:
    from tui.model.location import Location
    from tui.places.memory_store import MemoryStore

S = 1_000_000_000


def plant(store: MemoryStore) -> None:
    store.write("/data/tree/same", b"text", mtime_ns=5 * S)
    store.write("/data/tree/inner/same", b"text", mtime_ns=5 * S)
    store.write("/data/tree/inner/deeper/same", b"text", mtime_ns=5 * S)
    store.link("/data/tree/inner/link", "nowhere")


def plant_both(hosts: Hosts) -> tuple[MemoryStore, MemoryStore]:
    for host in ("host", "other"):
        plant(hosts.store(host))
    return hosts.store(), hosts.store("other")


async def differences(
    queue: HostsHarness, *, by_content: bool = False, exclude: Exclusion = NOTHING
) -> dict[str, Change]:
    """Return what differs, in the order it is told; all failures are raised."""
    browsing = queue.engine.browsing
    number = await browsing.compare(at("/data/tree"), at("/data/tree", "other"), by_content, exclude)
    found: dict[str, Change] = {}
    amounts = Amounts()
    while True:
        told = await browsing.differences(number)
        assert not told.failures
        amounts.add(told.part)
        found |= {each.path: each.change for each in told.differences}
        if told.last:
            assert sum(map(amounts.number, Change)) == len(found)
            return found


async def test_two_folders_that_are_alike_do_not_differ(queue: HostsHarness, hosts: Hosts) -> None:
    plant_both(hosts)
    assert await differences(queue) == {}
    assert await differences(queue, by_content=True) == {}


async def test_a_folder_that_stays_for_what_is_left_out_in_it_is_not_extra(
    queue: HostsHarness, hosts: Hosts
) -> None:
    _, there = plant_both(hosts)
    for path in ("old/inner/a.tmp", "old/extra", "old/empty/extra", "older/deep/extra"):
        there.write(f"/data/tree/{path}", b"")
    found = await differences(queue, exclude=Exclusion(("*.tmp",)))
    assert set(found.values()) == {Change.EXTRA}
    assert sorted(found) == [
        "old/empty",
        "old/empty/extra",
        "old/extra",
        "older",
        "older/deep",
        "older/deep/extra",
    ]


async def test_each_way_to_differ_is_told_in_order(queue: HostsHarness, hosts: Hosts) -> None:
    here, there = plant_both(hosts)
    here.write("/data/tree/new", b"")
    here.write("/data/tree/fresh/below", b"")
    here.write("/data/tree/clash/below", b"")
    there.write("/data/tree/clash", b"")
    there.write("/data/tree/extra/below", b"")
    there.write("/data/tree/.ferry-abcdefgh-half", b"half")
    there.write("/data/tree/same", b"text", mtime_ns=6 * S)
    there.write("/data/tree/inner/same", b"longer", mtime_ns=5 * S)
    there.write("/data/tree/inner/deeper/same", b"text", mtime_ns=5 * S, mode=0o600)
    there.remove("/data/tree/inner/link")
    there.link("/data/tree/inner/link", "elsewhere")
    there.find("/data/tree/inner").mode = 0o700
    assert list((await differences(queue)).items()) == [
        ("clash", Change.CLASH),
        ("extra", Change.EXTRA),
        ("fresh", Change.NEW),
        ("inner", Change.ATTRIBUTES),
        ("new", Change.NEW),
        ("same", Change.CHANGED),
        ("clash/below", Change.NEW),
        ("extra/below", Change.EXTRA),
        ("fresh/below", Change.NEW),
        ("inner/link", Change.CHANGED),
        ("inner/same", Change.CHANGED),
        ("inner/deeper/same", Change.ATTRIBUTES),
    ]


async def test_contents_are_compared_where_that_is_asked_for(queue: HostsHarness, hosts: Hosts) -> None:
    _, there = plant_both(hosts)
    there.write("/data/tree/same", b"tixt", mtime_ns=5 * S)
    there.write("/data/tree/inner/same", b"text", mtime_ns=6 * S)
    assert await differences(queue) == {"inner/same": Change.CHANGED}
    assert await differences(queue, by_content=True) == {
        "same": Change.CHANGED,
        "inner/same": Change.ATTRIBUTES,
    }


async def test_times_are_compared_as_exactly_as_both_keep_them(queue: HostsHarness, hosts: Hosts) -> None:
    hosts.capabilities = replace(hosts.capabilities, time_step_ns=S)
    _, there = plant_both(hosts)
    there.write("/data/tree/same", b"text", mtime_ns=5 * S + S // 2)
    assert await differences(queue) == {}


async def test_where_no_times_are_kept_what_is_not_older_is_the_same(
    queue: HostsHarness, hosts: Hosts
) -> None:
    hosts.capabilities = HARDLY_ANY
    _, there = plant_both(hosts)
    there.write("/data/tree/same", b"text", mtime_ns=4 * S)
    there.write("/data/tree/inner/same", b"text", mtime_ns=9 * S)
    assert await differences(queue) == {"same": Change.CHANGED}


async def test_all_is_new_where_the_target_is_missing_and_a_missing_source_is_an_error(
    queue: HostsHarness, hosts: Hosts
) -> None:
    plant(hosts.store())
    found = await differences(queue)
    assert set(found.values()) == {Change.NEW}
    assert len(found) == 6
    hosts.store().remove("/data/tree")
    with pytest.raises(NotFound):
        await differences(queue)


async def test_one_lost_connection_does_not_end_a_comparison(queue: HostsHarness, hosts: Hosts) -> None:
    when, reached = 1, True  # 0 is the first connection of all
    while reached:
        hosts.renew()
        _, there = plant_both(hosts)
        there.write("/data/tree/inner/same", b"tixt", mtime_ns=5 * S)
        trouble = hosts.trouble = Trouble(when)
        try:
            assert await differences(queue, by_content=True) == {"inner/same": Change.CHANGED}
        except AssertionError:
            raise
        except Exception:
            assert trouble.names[when].startswith("open ")  # that could not be made: it is told
        when, reached = when + 1, trouble.reached.is_set()
    assert when > 15


async def test_a_comparison_nobody_asks_for_any_more_stops(queue: HostsHarness, hosts: Hosts) -> None:
    plant_both(hosts)
    for number in range(2000):
        hosts.store().folder(f"/data/tree/many/{number}")
    browsing = queue.engine.browsing
    number = await browsing.compare(at("/data/tree"), at("/data/tree", "other"), False)
    await browsing.differences(number)
    await browsing.shut(number)
    trouble = hosts.trouble = Trouble(-1)
    for _ in range(20):
        await asyncio.sleep(0)
    assert trouble.names == []
    with pytest.raises(NotFound, match="given up"):
        await browsing.differences(number)


@pytest.mark.parametrize("most", [0, 1, 4, 1000])
async def test_folders_that_hold_much_are_listed_when_their_turn_comes_and_told_in_order(
    queue: HostsHarness, hosts: Hosts, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("tui.engine.far.comparing.MOST_AHEAD", most)
    for folder in range(12):
        hosts.store().folder(f"/data/tree/{folder:02}")
        hosts.store("other").folder(f"/data/tree/{folder:02}")
        for number in range(folder):
            hosts.store().write(f"/data/tree/{folder:02}/{number:02}", b"text")
    listed: list[str] = []

    def note(name: str, location: Location) -> None:
        if name == "list" and location.authority == "host":
            listed.append(location.name)

    hosts.trouble = note
    expected = [f"{folder:02}/{number:02}" for folder in range(12) for number in range(folder)]
    assert [path for path in await differences(queue) if "/" in path] == expected
    assert (len(listed) > len(set(listed))) == (most < 11)
