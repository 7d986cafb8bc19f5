"""Targets that take two names for one: what a job itself just put there is not overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tui.model.job import Conflict, JobKind, JobState

if TYPE_CHECKING:
    from far_harness import Far


class Folding(dict[str, Any]):
    """Entries of a folder that tells no capitals from small letters."""

    def _key(self, name: str) -> str:
        return next((key for key in self if key.casefold() == name.casefold()), name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(self._key(str(name)))

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(self._key(name))

    def __setitem__(self, name: str, node: Any) -> None:
        super().__setitem__(self._key(name), node)

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(self._key(name), default)

    def pop(self, name: str, *default: Any) -> Any:
        return super().pop(self._key(name), *default)


def fold(far: Far, path: str) -> None:
    far.there.folder(path)
    folder = far.there.find(path)
    folder.children = Folding(folder.children)


@pytest.mark.parametrize("kind", [JobKind.COPY, JobKind.MOVE])
@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_of_two_names_that_are_one_there_neither_overwrites_the_other(
    far: Far, kind: JobKind, size: int
) -> None:
    far.here.write("/tree/Name", b"1" * size)
    far.here.write("/tree/name", b"2" * size)
    fold(far, "/target/tree")
    id = await far.submit("/tree", kind=kind, conflict=Conflict.OVERWRITE)
    job = await far.rests(id)
    assert job.state is JobState.WAITING
    assert job.progress.questions == 1
    (there,) = far.there.tree("/target/tree").values()
    left = set(far.here.tree("/tree").values())
    assert {there, *left} >= {b"1" * size, b"2" * size}


async def test_what_stood_there_before_is_overwritten_whatever_it_is_called(far: Far) -> None:
    far.here.write("/tree/name", b"new")
    far.there.write("/target/tree/Name", b"older")
    fold(far, "/target/tree")
    id = await far.submit("/tree", conflict=Conflict.OVERWRITE)
    await far.rests(id)
    (question,) = await far.engine.questions(id)
    await far.engine.answer(question.id, Conflict.OVERWRITE)
    await far.done(id)
    assert list(far.there.tree("/target/tree").values()) == [b"new"]
