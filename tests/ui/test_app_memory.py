"""What the screen remembers."""

from __future__ import annotations

import pytest

from tui.model.location import Location
from tui.ui.memory import FREQUENT_KEPT, Memory


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "screen.json"


def test_all_of_it_comes_back(file):
    memory = Memory(file)
    odd = Location.local(b"/tmp/\xff\n\x1b x")
    memory.choose("theme", "ferry-dark", "nord")
    memory.choose("show_hidden", False, True)
    memory.across = odd
    memory.bookmarks = {"a": odd, "é": Location("/srv")}
    memory.visit(odd)
    memory.typed("go_to", "/tmp/\\xff")
    memory.save()
    assert Memory.load(file) == memory


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"bookmarks": 3}',
        b'{"bookmarks": {"a": "x"}}',
        b'{"choices": {"theme": 1}}',
    ],
)
def test_a_damaged_file_counts_as_an_empty_one(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    assert Memory.load(file) == Memory(file)


def test_a_missing_file_counts_as_an_empty_one(file):
    assert Memory.load(file) == Memory(file)


def test_saving_leaves_one_whole_file_and_nothing_beside(file):
    memory = Memory(file)
    for theme in ("nord", "dracula"):
        memory.choose("theme", "", theme)
        memory.save()
    assert [path.name for path in file.parent.iterdir()] == ["screen.json"]
    assert Memory.load(file).chosen("theme", "") == "dracula"


def test_a_choice_holds_until_the_configuration_says_something_new(file):
    memory = Memory(file)
    memory.choose("theme", "ferry-dark", "nord")
    assert memory.chosen("theme", "ferry-dark") == "nord"
    assert memory.chosen("theme", "gruvbox") == "gruvbox"
    assert memory.chosen("sort", "name") == "name"


def test_a_disk_that_refuses_is_logged_and_survived(tmp_path, caplog):
    (tmp_path / "state").write_text("a file where the folder should be")
    Memory(tmp_path / "state" / "screen.json").save()
    assert "cannot be kept" in caplog.text


def test_folders_are_listed_by_how_often_and_how_lately(file):
    memory = Memory(file)
    often, lately, once = Location("/often"), Location("/lately"), Location("/once")
    for folder in (once, often, often, lately):
        memory.visit(folder)
    assert memory.folders_by_use() == [often, lately, once]


def test_only_so_many_folders_are_kept(file):
    memory = Memory(file)
    for number in range(FREQUENT_KEPT + 20):
        memory.visit(Location(f"/{number}"))
    assert len(memory.frequent) == FREQUENT_KEPT
    assert Location("/0") not in memory.frequent


def test_what_is_typed_again_becomes_the_newest(file):
    memory = Memory(file)
    for text in ("a", "b", "a"):
        memory.typed("go_to", text)
    assert memory.history("go_to") == ["b", "a"]
