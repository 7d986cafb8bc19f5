"""Every test here is run on every place there is, that can do what its mark `needs` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.places.stand import Stand, found, need

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.places.base import Capabilities, Place

MAKERS = found()

_KNOWN: dict[str, Capabilities] = {}
"""What each place could do when it was opened last: nothing is set up for a test that it is of no use to."""


def _need_what_is_marked(request: pytest.FixtureRequest, capabilities: Capabilities) -> None:
    for mark in request.node.iter_markers("needs"):
        need(capabilities, *mark.args)


@pytest.fixture(params=list(MAKERS))
async def stand(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    """An empty folder of one of the places."""
    if request.param in _KNOWN:
        _need_what_is_marked(request, _KNOWN[request.param])
    async with MAKERS[request.param](request) as stand:
        if why := stand.excused.get(request.function.__name__):
            pytest.skip(why)
        yield stand


@pytest.fixture
async def place(stand: Stand, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """A place connected to it."""
    place = await stand.open()
    _KNOWN[request.node.callspec.params["stand"]] = place.capabilities
    try:
        _need_what_is_marked(request, place.capabilities)
        yield place
    finally:
        await place.close()


@pytest.fixture
async def other(stand: Stand) -> AsyncIterator[Place]:
    """A second connection to the same."""
    place = await stand.open()
    yield place
    await place.close()
