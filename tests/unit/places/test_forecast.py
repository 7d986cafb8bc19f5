"""Looking ahead at a tree: what does not fit is found, whatever its depth, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.model.location import Location
from tui.model.misfit import Misfit, Names, Unfit
from tui.places.local.forecast import Forecast, Found
from tui.places.local.gathered import Gathered
from tui.places.local.hops import Brake
from tui.places.local.name_rules import ORDINARY, WINDOWS

if TYPE_CHECKING:
    from pathlib import Path

    from tui.places.local.name_rules import NameRules

FAT = replace(WINDOWS, most_bytes=4 << 30, links=False, specials=False)


def forecast_of(
    named: list[tuple[Location, bytes]], rules: NameRules, brake: Brake, fits: int | None = None
) -> Forecast:
    forecast = Forecast(Gathered(name for _, name in named), rules, Names.LOOKALIKE, brake, fits=fits)
    forecast.take(named)
    return forecast


def found(*sources: Path, rules: NameRules = FAT, fits: int | None = None) -> list[Misfit]:
    named = [(Location.local(str(source)), os.fsencode(source.name)) for source in sources]
    forecast = forecast_of(named, rules, Brake(), fits)
    misfits: list[Misfit] = []
    while not forecast.exhausted:
        misfits += forecast.step()
    return sorted(misfits, key=lambda misfit: misfit.source.path)


def test_all_that_does_not_fit_is_named(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "sub?" / "deep").mkdir(parents=True)
    for name in ("sub?/deep/a:b", "Readme", "README", "fine"):
        (top / name).touch()
    (top / "link").symlink_to("fine")
    os.mkfifo(top / "fifo")
    with (top / "huge").open("wb") as huge:
        huge.truncate((4 << 30) + 1)
    told = {m.source.path.removeprefix(f"{top}/"): (m.unfit, m.becomes) for m in found(top)}
    assert told == {
        "sub?": (Unfit.NAME, "sub？"),
        "sub?/deep/a:b": (Unfit.NAME, "a：b"),
        "Readme": (Unfit.CLASH, "Readme (1)"),
        "link": (Unfit.KIND, ""),
        "fifo": (Unfit.KIND, ""),
        "huge": (Unfit.SIZE, ""),
    }


def test_sources_of_different_folders_clash_too(tmp_path: Path) -> None:
    for name in ("one/Same", "two/same"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (misfit,) = found(tmp_path / "one" / "Same", tmp_path / "two" / "same")
    assert (misfit.unfit, misfit.why) == (Unfit.CLASH, "it would be the same there as Same")


def test_an_ordinary_filesystem_takes_all(tmp_path: Path) -> None:
    for name in ("a:b", "A:B", "end."):
        (tmp_path / name).touch()
    assert found(tmp_path, rules=ORDINARY) == []


def test_what_comes_from_the_same_filesystem_fits(tmp_path: Path) -> None:
    (tmp_path / "a:b").touch()
    assert found(tmp_path, fits=tmp_path.stat().st_dev) == []


def test_what_cannot_be_read_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "a:b").touch()
    assert len(found(tmp_path / "gone", tmp_path / "a:b")) == 1


def test_the_brake_stops_it_at_the_next_entry(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}:").touch()
    brake = Brake()
    brake.on = True
    forecast = forecast_of([(Location.local(str(tmp_path)), b"x")], FAT, brake)
    assert len(forecast.step()) <= 1
    assert not forecast.exhausted
    forecast.close()


def test_only_the_first_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}:").touch()
    sums = Found(most=2)
    sums.add(found(tmp_path))
    assert (sums.sum().names, sums.sum().total, len(sums.sum().first)) == (5, 5, 2)


def test_a_large_folder_can_be_left_in_the_middle(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    for number in range(200):
        (tmp_path / "top" / f"{number}:").touch()
    brake = Brake()
    forecast = forecast_of([(Location.local(str(tmp_path / "top")), b"top")], FAT, brake)
    brake.on = True
    told = [forecast.step() for _ in range(100)]
    assert (sum(map(len, told)), forecast.exhausted) == (0, False)
    forecast.close()
