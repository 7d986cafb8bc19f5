"""When the garbage collector runs."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tui.ui.collector import hold_while_starting, set_aside

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()
    gc.collect()
    gc.freeze()  # as tests/conftest.py had done


class Ring:
    def __init__(self) -> None:
        self.me = self


def test_nothing_is_collected_while_the_screen_is_built() -> None:
    hold_while_starting()
    assert not gc.isenabled()


def test_what_stands_then_is_never_walked_again_and_what_comes_later_is_collected() -> None:
    hold_while_starting()
    standing = Ring()
    set_aside()
    assert gc.isenabled()
    assert not any(held is standing for held in gc.get_objects())
    later = Ring()
    assert any(held is later for held in gc.get_objects())
    del later
    assert gc.collect() > 0
