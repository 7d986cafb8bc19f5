"""Where things below an opened folder are said to be."""

from __future__ import annotations

from tui.places.local.root import Root


def test_what_is_below_the_root_of_all_has_an_absolute_path() -> None:
    with Root.open("/") as root:
        assert root.location().path == "/"
        assert root.location(b"root").path == "/root"
        assert root.location(b"etc", b"passwd").path == "/etc/passwd"


def test_what_is_below_a_folder_is_said_with_the_path_that_was_opened(tmp_path) -> None:
    with Root.open(str(tmp_path)) as root:
        assert root.location(b"", b"name").path == f"{tmp_path}/name"
        assert root.location(b"folder/inner", b"\xff").path == f"{tmp_path}/folder/inner/\udcff"
