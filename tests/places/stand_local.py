"""The local disk."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.places.stand import DiskStand, Stand
from tui.model.location import Location
from tui.places.local.end import LocalEnd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from tui.places.base import Place


class LocalStand(DiskStand):
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        super().__init__(folder, Location.local(folder))

    async def open(self) -> Place:
        return LocalEnd()


@contextlib.asynccontextmanager
async def _local(request: pytest.FixtureRequest) -> AsyncIterator[Stand]:
    folder: Path = request.getfixturevalue("tmp_path") / "folder"
    yield LocalStand(folder)


STANDS = {"local": _local}
