"""Every test here is run on every place there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.places.stand import Stand, found

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.places.base import Place

MAKERS = found()


@pytest.fixture(params=list(MAKERS))
async def stand(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    """An empty folder of one of the places."""
    async with MAKERS[request.param](request) as stand:
        if why := stand.excused.get(request.function.__name__):
            pytest.skip(why)
        yield stand


@pytest.fixture
async def place(stand: Stand) -> AsyncIterator[Place]:
    """A place connected to it."""
    place = await stand.open()
    yield place
    await place.close()


@pytest.fixture
async def other(stand: Stand) -> AsyncIterator[Place]:
    """A second connection to the same."""
    place = await stand.open()
    yield place
    await place.close()
