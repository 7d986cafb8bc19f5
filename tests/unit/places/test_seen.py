"""Names a job has met."""

from __future__ import annotations

from tui.places.local.seen import SeenNames


def test_a_name_that_was_met_is_known() -> None:
    seen = SeenNames()
    names = [b"%d" % number for number in range(5000)]
    for name in names:
        seen.meet(name)
    assert all(seen.meet(name) for name in names)


def test_hardly_a_name_that_was_not_met_seems_to_be_known() -> None:
    seen = SeenNames()
    assert sum(seen.meet(b"%d" % number) for number in range(10_000)) < 100
