"""Settings from TOML: defaults, fallbacks, and errors that name the line, the key and the nearest right one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.cli.configuration import shown
from tui.cli.reference import commands, configuration
from tui.config import S3Settings, Settings, parse_rate, rate_text
from tui.config.reading import load, parse
from tui.config.settings import SECTIONS, items
from tui.model.error import UsageError
from tui.model.job import Conflict, Flush, Staging
from tui.paths import Paths

FILE = Path("config.toml")
ROOT = Path(__file__).parents[2]


def problems(text: str, actions: tuple[str, ...] | None = None) -> list[tuple[str, str, str]]:
    """Return (message, remedy, key) of all errors."""
    return [(error.message, error.remedy, error.key) for error in parse(text, FILE, actions)[1]]


def paths(tmp_path: Path) -> Paths:
    found = Paths.from_environment({"FERRY_HOME": str(tmp_path)})
    found.config.mkdir()
    return found


def test_no_file_means_all_defaults(tmp_path: Path) -> None:
    assert load(Paths.from_environment({"FERRY_HOME": str(tmp_path)})) == (Settings(), [])


def test_values_of_every_kind_are_read() -> None:
    settings, errors = parse(
        """
        [screen]
        theme = "nord"
        show_hidden = true
        columns = ["mode", "size"]
        [queue]
        slots = 8
        limit = "20MB/s"
        conflict = "newer"
        sync = "file"
        stage = "file"
        idle_exit_s = 5
        [hooks]
        job_ended = ["notify-send", "done"]
        [ssh]
        config_file = "/etc/other"
        [s3.minio]
        url = "https://[::1]:9000/below"
        region = "local"
        [s3."aws.eu"]
        profile = "work"
        path_style = false
        [keys]
        "pane.copy" = ["f5", "c"]
        pane.first = "g g"
        "app.shell" = []
        """,
        FILE,
    )
    assert not errors
    assert (settings.screen.theme, settings.screen.show_hidden) == ("nord", True)
    assert settings.screen.columns == ("mode", "size")
    assert (settings.queue.slots, settings.queue.limit_bytes_s) == (8, 20_000_000)
    assert settings.queue.conflict is Conflict.NEWER
    assert (settings.queue.flush, settings.queue.staging) == (Flush.FILE, Staging.FILE)
    assert settings.queue.idle_exit_s == 5.0
    assert settings.hooks.job_ended == ("notify-send", "done")
    assert settings.ssh.config_file == "/etc/other"
    assert settings.s3 == {
        "minio": S3Settings(url="https://[::1]:9000/below", region="local"),
        "aws.eu": S3Settings(profile="work", path_style=False),
    }
    assert settings.keys == {"pane.copy": ("f5", "c"), "pane.first": ("g g",), "app.shell": ()}


def test_a_wrong_value_falls_back_alone() -> None:
    settings, _ = parse('[queue]\nslots = "many"\nnice = 10\n', FILE)
    assert (settings.queue.slots, settings.queue.nice) == (2, 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[screen]\nthem = "x"\n',
            ('config.toml:2: there is no key "screen.them"', 'Did you mean "theme"? It is left out.', "screen.them"),
        ),
        (
            '# head\n[quue]\nslots = 1\n',
            ('config.toml:2: there is no section "quue"', 'Did you mean "queue"? It is left out.', "quue"),
        ),
        (
            '[screen]\n\nslots = 3\n',
            ('config.toml:3: there is no key "screen.slots"', "It belongs to [queue]. It is left out.", "screen.slots"),
        ),
        (
            'thme = "nord"\n',
            (
                'config.toml:1: there is no key "thme"',
                'Did you mean "theme", in [screen]? It is left out.',
                "thme",
            ),
        ),
        (
            '[screen]\nsort = "nmae"\n',
            (
                'config.toml:2: screen.sort must be one of "name", "size", "time", "extension", not "nmae"',
                'Did you mean "name"? "name" is used.',
                "screen.sort",
            ),
        ),
        (
            '[queue]\nslots = 99\n',
            ("config.toml:2: queue.slots must be a whole number from 1 to 32, not 99", "2 is used.", "queue.slots"),
        ),
        (
            '[confirm]\nquit = 1\n',
            ("config.toml:2: confirm.quit must be true or false, not 1", "false is used.", "confirm.quit"),
        ),
        (
            '[queue]\nlimit = "fast"\n',
            (
                'config.toml:2: queue.limit must be a rate such as "20MB/s" or "512KiB/s", or "off", not "fast"',
                '"off" is used.',
                "queue.limit",
            ),
        ),
        (
            'queue = 3\n',
            ("config.toml:1: queue must be a section", "Write it as [queue], with its keys below.", "queue"),
        ),
        (
            '[s3.m]\nprofil = "x"\n',
            ('config.toml:2: there is no key "s3.m.profil"', 'Did you mean "profile"? It is left out.', "s3.m.profil"),
        ),
        (
            '[s3]\nurl = "https://x"\n',
            (
                'config.toml:2: there is no key "s3.url"',
                "Write it below [s3.NAME], NAME being what you call that store. It is left out.",
                "s3.url",
            ),
        ),
        (
            '[s3."a b"]\n',
            (
                'config.toml:1: "a b" cannot be the name of a store',
                "Use letters, digits, dots and dashes: it stands in URLs. It is left out.",
                "s3.a b",
            ),
        ),
        (
            's3 = 3\n',
            ("config.toml:1: s3 must be sections", "Write them as [s3.NAME], with their keys below.", "s3"),
        ),
        (
            '[keys]\n"pane.copy" = 5\n',
            (
                "config.toml:2: keys.pane.copy must be a key or a list of keys, not 5",
                "Its default keys are used.",
                "keys.pane.copy",
            ),
        ),
        (
            '[screen]\nmouse = true\nmouse = false\n',
            ("config.toml:3: not valid TOML: cannot overwrite a value", "Nothing of the file was used.", ""),
        ),
        (
            '[screen\n',
            (
                "config.toml:1: not valid TOML: expected ']' at the end of a table declaration",
                "Nothing of the file was used.",
                "",
            ),
        ),
    ],
)  # fmt: skip
def test_an_error_names_line_key_and_nearest_right_one(text: str, expected: tuple[str, str, str]) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("text", "key", "where"),
    [
        ('[s3.m]\naws_secret_access_key = "hunter2"\n', "s3.m.aws_secret_access_key", "~/.aws/credentials"),
        ('[s3.m]\naccess_key = "hunter2"\n', "s3.m.access_key", "~/.aws/credentials"),
        ('[s3]\nsecret = "hunter2"\n', "s3.secret", "~/.aws/credentials"),
        ('[ssh]\npassword = "hunter2"\n', "ssh.password", "An agent or a key file"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(text: str, key: str, where: str) -> None:
    ((message, remedy, named),) = problems(text)
    assert (message, named) == (f"config.toml:2: {key}: secrets have no place in this file", key)
    assert where in remedy
    assert "hunter2" not in message + remedy


@pytest.mark.parametrize("url", ["http://me:hunter2@host", "host:9000", "ftp://host"])
def test_a_store_without_an_address_that_can_be_used_is_left_out(url: str) -> None:
    settings, (error,) = parse(f'[s3.m]\nurl = "{url}"\nprofile = "p"\n', FILE)
    assert settings.s3 == {}
    assert error.key == "s3.m.url"
    assert "hunter2" not in str(error)


def test_an_unknown_action_names_the_nearest_one() -> None:
    text = '[keys]\n\n"pane.cpoy" = "c"\n'
    assert problems(text, ("pane.copy", "pane.move")) == [
        (
            'config.toml:3: there is no action "pane.cpoy"',
            'Did you mean "pane.copy"? It is left out.',
            "keys.pane.cpoy",
        )
    ]
    assert problems(text) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("F5", "f5"),
        ("Ctrl+X  y", "ctrl+x y"),
        ("PgDn", "pagedown"),
        ("Alt+←", "alt+left"),
        ("alt+C", "alt+C"),
        ("G", "G"),
        ("+", "+"),
        ("ctrl++", "ctrl++"),
        ("Esc", "escape"),
        ("ctrl+right_square_bracket", "ctrl+right_square_bracket"),
        ("m <any>", "m <any>"),
    ],
)
def test_keys_may_be_written_as_help_shows_them(written: str, read: str) -> None:
    settings, errors = parse(f'[keys]\n"pane.copy" = "{written}"\n', FILE)
    assert (settings.keys, errors) == ({"pane.copy": (read,)}, [])


@pytest.mark.parametrize("written", ["ctrl+foo", "control+y", "g hh", "f25"])
def test_what_is_no_key_is_told_and_left_out(written: str) -> None:
    settings, (error,) = parse(f'[keys]\n"pane.copy" = ["f5", "{written}"]\n', FILE)
    assert settings.keys == {"pane.copy": ("f5",)}
    assert error.message == f'config.toml:2: keys.pane.copy: there is no key "{written.split()[-1]}"'


def test_an_action_with_no_key_that_is_one_keeps_its_default_keys() -> None:
    settings, (_,) = parse('[keys]\n"pane.copy" = "ctrl+foo"\n"pane.move" = []\n', FILE)
    assert settings.keys == {"pane.move": ()}


def test_a_key_given_to_two_actions_is_told() -> None:
    text = '[keys]\n"pane.copy" = "f5"\n"viewer.close" = "F5"\n"pane.move" = ["f6", "F5"]\n'
    assert problems(text) == [
        (
            'config.toml:4: keys.pane.move: "F5" is a key of pane.copy, too',
            "It stays with the first of them.",
            "keys.pane.move",
        )
    ]


def test_errors_stand_in_the_order_of_the_file() -> None:
    found = problems("x = 1\n[queue]\nslots = 0\n[screen]\nmouse = 3\n[what]\n")
    assert [message.split(":")[1] for message, _, _ in found] == ["1", "3", "5", "6"]


def test_a_file_that_is_not_utf8_is_reported_with_its_line(tmp_path: Path) -> None:
    found = paths(tmp_path)
    found.config_file.write_bytes(b'[screen]\ntheme = "\xff"\n')
    settings, (error,) = load(found)
    assert settings == Settings()
    assert error.message == f"{found.config_file}:2: not UTF-8 text"


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    found = paths(tmp_path)
    found.config_file.mkdir()
    settings, (error,) = load(found)
    assert settings == Settings()
    assert error.message == f"{found.config_file}: cannot be read: Is a directory"


def test_a_pipe_in_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    found = paths(tmp_path)
    os.mkfifo(found.config_file)
    settings, (error,) = load(found)
    assert settings == Settings()
    assert error.message == f"{found.config_file}: cannot be read: it is no ordinary file"


@pytest.mark.parametrize("content", [b"#" * (1 << 21), b""], ids=["text", "holes"])
def test_what_nobody_wrote_by_hand_is_not_read_to_its_end(tmp_path: Path, content: bytes) -> None:
    found = paths(tmp_path)
    with found.config_file.open("wb") as file:
        file.write(content)
        file.truncate(1 << 40 if not content else len(content))
    settings, (error,) = load(found)
    assert settings == Settings()
    assert error.message == f"{found.config_file}: cannot be read: it is larger than 1 MiB"


def test_what_is_shown_is_read_back_the_same() -> None:
    settings, _ = parse(
        '[screen]\neditor = "vi \\"x\\"\\t\\u001b"\n[queue]\nlimit = "1500KiB/s"\nidle_exit_s = 0.5\n'
        '[s3.a]\nurl = "http://h"\n[s3."b.c"]\nregion = "r"\n[ssh]\nconfig_file = ""\n'
        '[hooks]\njob_ended = ["a\\\\b"]\n[keys]\npane.copy = ["c", "g c"]\n',
        FILE,
    )
    assert parse("\n".join(shown(settings)), FILE) == (settings, [])
    assert parse("\n".join(shown(Settings())), FILE) == (Settings(), [])


@pytest.mark.parametrize(
    ("text", "bytes_s"),
    [
        ("20MB/s", 20_000_000),
        ("20MiB/s", 20 << 20),
        ("20 mb/s", 20_000_000),
        ("1.5G", 1_500_000_000),
        ("500k", 500_000),
        ("512KiB", 512 << 10),
        ("1000", 1000),
        ("7B/s", 7),
        ("off", None),
        ("OFF", None),
    ],
)
def test_rates_are_read(text: str, bytes_s: int | None) -> None:
    assert parse_rate(text) == bytes_s


@pytest.mark.parametrize(
    "text", ["", "fast", "-1MB/s", "20 MB/h", "0", "0.4", "10ib", "1e9", "٣MB", "9" * 30, "9" * 400]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_rate(text)


@pytest.mark.parametrize("text", ["5", "999", " 20 ", "1.5"])
def test_a_small_rate_without_a_unit_is_asked_for_one(text: str) -> None:
    with pytest.raises(UsageError, match="has no unit"):
        parse_rate(text)


@given(st.none() | st.integers(1, 10**15))
def test_a_rate_is_written_as_it_is_read(bytes_s: int | None) -> None:
    assert parse_rate(rate_text(bytes_s)) == bytes_s


@given(st.text())
def test_no_text_stops_ferry(text: str) -> None:
    settings, errors = parse(text, FILE)
    assert settings == Settings() or not errors or settings.keys


def test_every_key_has_a_description() -> None:
    for cls in (*SECTIONS.values(), S3Settings):
        assert cls.__doc__
        for item in items(cls):
            assert item.doc.endswith(".")


def test_the_references_are_current() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == configuration()
    assert (ROOT / "docs" / "commands.md").read_text() == commands()
