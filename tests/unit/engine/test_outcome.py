"""Which work a job is given."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tui.engine import outcome
from tui.engine.outcome import WORK, work_for
from tui.model.error import Unsupported
from tui.model.job import JobKind

if TYPE_CHECKING:
    from tui.engine.run import Run


class Works(SimpleNamespace):
    """A module of which every name is a class that tells its own name."""

    def __getattr__(self, name: str) -> object:
        return lambda run: name


def given(monkeypatch: pytest.MonkeyPatch, kind: JobKind, *, far: bool = False, undoes: int = 0) -> object:
    row = SimpleNamespace(kind=kind, far=far, undoes=undoes)
    monkeypatch.setattr(outcome.importlib, "import_module", lambda name: Works())
    return work_for(cast("Run", SimpleNamespace(record=SimpleNamespace(row=row))))


@pytest.mark.parametrize(("module", "name"), sorted(set(WORK.values())))
def test_what_is_to_do_a_job_can_be_had(module: str, name: str) -> None:
    assert callable(getattr(importlib.import_module(module), name).execute)


@pytest.mark.parametrize("kind", [kind for kind in JobKind if kind is not JobKind.MAKE])
def test_each_kind_of_job_that_can_be_queued_is_done_on_the_local_disk(
    monkeypatch: pytest.MonkeyPatch, kind: JobKind
) -> None:
    assert given(monkeypatch, kind) == WORK[kind, False, False][1]


def test_a_job_that_undoes_another_has_work_of_its_own_where_that_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert given(monkeypatch, JobKind.MOVE, undoes=7) == "Returning"
    assert given(monkeypatch, JobKind.TRASH, undoes=7) == "InPlace"


@pytest.mark.parametrize(
    ("kind", "far", "where"),
    [(JobKind.TRASH, True, "beyond the local disk"), (JobKind.MAKE, False, "on the local disk")],
)
def test_what_nothing_can_do_is_refused_and_says_where(
    monkeypatch: pytest.MonkeyPatch, kind: JobKind, far: bool, where: str
) -> None:
    with pytest.raises(Unsupported, match=f"a {kind} cannot be done {where}"):
        given(monkeypatch, kind, far=far)
