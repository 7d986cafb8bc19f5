"""A server that has no room left and does not say so: in version 3 that is a failure like any other."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import asyncssh
import pytest

from tests.servers.sftp import plain_place
from tui.model.error import PlaceError
from tui.model.location import Location
from tui.places.base import Attributes, Identity

if TYPE_CHECKING:
    from pathlib import Path


class IsFull(asyncssh.SFTPServer):
    """Nothing fits on its disk any more."""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_where_a_server_does_not_say_why_it_takes_nothing_more_it_is_told_what_to_look_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = Location(str(tmp_path), "sftp", "test"), bytes(1 << 20)
    async with plain_place(monkeypatch, IsFull) as place:
        writer = await place.open_writer(folder.child("large"), Identity("job12345", len(data), 5))
        told: list[str] = []
        with pytest.raises(PlaceError, match="refused") as error:
            await writer.write(0, data)
            await writer.publish(Attributes(), replace=False, flush=False)
        await writer.discard()
        told.append(error.value.remedy)
        with pytest.raises(PlaceError, match="refused") as error:
            await place.put(folder.child("a"), b"a", Attributes(), "job12345", replace=False, flush=False)
        told.append(error.value.remedy)
        with pytest.raises(PlaceError, match="refused") as error:
            await place.make_folder(folder.child("folder"))
        told.append(error.value.remedy)
    assert all("may be full" in remedy for remedy in told)
    assert os.listdir(tmp_path) == []
