"""What tests of undoing do: ask for it, be refused, and change the world meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_harness import names

from tui.model.error import NotPossible

if TYPE_CHECKING:
    from pathlib import Path

    from engine_harness import Harness


def write(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def texts(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text() for name in names(folder)}


async def undone(harness: Harness, id: int) -> int:
    """Undo a job, wait for it, and return the id of the job that did it."""
    undoing = await harness.engine.undo(id)
    await harness.done(undoing)
    return undoing


async def refusal(harness: Harness, id: int) -> str:
    """Return why a job cannot be undone; nothing is queued for it."""
    before = len(await harness.engine.jobs())
    with pytest.raises(NotPossible) as caught:
        await harness.engine.undo(id)
    assert len(await harness.engine.jobs()) == before
    assert caught.value.message.startswith(f"cannot undo job {id}: ")
    return caught.value.message.partition(": ")[2]


def gone(path: Path) -> None:
    path.unlink()


def changed(path: Path) -> None:
    path.write_text("something else")


def replaced(path: Path) -> None:
    write(path.with_name("other"), "text").replace(path)


def turned_into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
