"""`ferry config …` and `ferry doctor`."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import threading
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING

import pytest
from cli_run import Run, golden

from tests.mounts import tmpfs
from tui.client.openers import known_hosts
from tui.config import Settings, SshSettings
from tui.model.job import JobState
from tui.model.location import Location
from tui.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engine import FakeEngine


@pytest.fixture
def config(here: Path, tmp_path: Path) -> Path:
    """The configuration file, not made yet."""
    file = tmp_path / "home" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    return file


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of a person who has set up nothing."""
    folder = tmp_path / "person"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


def test_path_is_printed(ferry: Run, config: Path) -> None:
    assert ferry("config", "path").out == f"{config}\n"


def test_show_prints_all_settings_with_what_they_are_for(ferry: Run) -> None:
    result = ferry("config", "show")
    assert (result.status, result.err) == (0, "")
    golden("config-show.toml", result.out)


def test_show_marks_what_is_not_the_default(ferry: Run, config: Path) -> None:
    config.write_text('[queue]\nslots = 4\n[keys]\n"pane.copy" = "c"\n')
    lines = ferry("config", "show").out.splitlines()
    assert "slots = 4  # default: 2" in lines
    assert '"pane.copy" = ["c"]' in lines


def test_check_is_content_with_a_right_file(ferry: Run, config: Path) -> None:
    assert ferry("config", "check").out == f"{config} does not exist; all defaults are in effect\n"
    config.write_text('[keys]\n"pane.copy" = "c"\n')
    assert ferry("config", "check").out == f"{config} is in order\n"


def test_check_names_line_key_and_nearest_right_one(ferry: Run, config: Path) -> None:
    config.write_text('[screen]\nthem = "x"\n[keys]\n"pane.cpoy" = "c"\n')
    result = ferry("config", "check")
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f'ferry: {config}:2: there is no key "screen.them". Did you mean "theme"? It is left out.\n'
        f'ferry: {config}:4: there is no action "pane.cpoy". Did you mean "pane.copy"? It is left out.\n'
    )


def test_a_wrong_configuration_is_mentioned_and_stops_nothing(ferry: Run, config: Path) -> None:
    config.write_text("[queue]\nslots = 0\nnice = 99\n")
    result = ferry("queue")
    assert result.status == 0
    assert f"{config}:2: queue.slots must be a whole number" in result.err
    assert "1 more in the configuration: `ferry config check` lists them" in result.err


def test_doctor_is_content_with_a_fresh_home(ferry: Run, engine: FakeEngine) -> None:
    engine.running = False
    result = ferry("doctor")
    assert (result.status, result.err) == (0, "")
    topics = [line.split()[1].rstrip(":") for line in result.out.splitlines()]
    assert topics == (
        "python terminal socket engine journal logs configuration sftp s3 ssh agent known leftovers "
        "space".split()
    )
    assert all(line.startswith("ok ") for line in result.out.splitlines())
    assert not Paths.from_environment().state.exists()


def topic(out: str, name: str) -> dict[str, str]:
    (found,) = [each for each in map(json.loads, out.splitlines()) if each["topic"] == name]
    return found


def test_doctor_names_the_line_of_the_ssh_configuration_that_is_wrong(
    ferry: Run, engine: FakeEngine, config: Path, home: Path
) -> None:
    engine.running = False
    (home / ".ssh").mkdir()
    file = home / ".ssh" / "config"
    file.write_text("Host box other\n  User me\nHost *.example\n  User you\n")
    assert topic(ferry("doctor", "--json").out, "ssh")["text"] == f"{file}, 2 hosts"
    file.write_text("Host box\n  User 'me\n")
    result = ferry("doctor", "--json")
    assert result.status == 1
    assert topic(result.out, "ssh")["level"] == "fail"
    assert "line 2" in topic(result.out, "ssh")["text"]
    config.write_text('[ssh]\nconfig_file = ""\n')
    assert ferry("doctor").status == 0


def test_doctor_asks_the_agent_for_its_keys(
    ferry: Run, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.running = False
    path = tmp_path / "agent"
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    found = topic(ferry("doctor", "--json").out, "agent")
    assert (found["level"], found["text"]) == ("warn", f"{path} does not answer: No such file or directory")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            line, _ = listening.accept()
            with line:
                assert line.recv(100) == b"\0\0\0\1\x0b"
                line.sendall(b"\0\0\0\5\x0c\0\0\0\2")

        thread = threading.Thread(target=answer)
        thread.start()
        assert topic(ferry("doctor", "--json").out, "agent")["text"] == f"{path}, 2 keys"
        thread.join()


def test_doctor_tells_that_a_store_is_set_up_and_cannot_be_reached(
    ferry: Run, engine: FakeEngine, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    engine.running = False
    monkeypatch.setattr("tui.cli.doctor_far.version", version)
    assert topic(ferry("doctor", "--json").out, "s3")["level"] == "ok"
    config.write_text('[s3.mine]\nregion = "x"\n')
    result = ferry("doctor", "--json")
    assert topic(result.out, "s3")["level"] == "warn"
    assert "pip install 'ferry-tui[s3]'" in topic(result.out, "s3")["remedy"]
    levels = [each["level"] for each in map(json.loads, result.out.splitlines()) if each["topic"] == "sftp"]
    assert levels == ["fail", "warn"]


def test_doctor_finds_what_is_wrong(ferry: Run, engine: FakeEngine, config: Path, here: Path) -> None:
    paths = Paths.from_environment()
    config.write_text("[queue]\nslots = 0\n")
    paths.runtime.mkdir(mode=0o755)
    paths.state.mkdir()
    paths.journal.write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    (paths.state / "journal.sqlite3.damaged-20260101-000000").touch()
    engine.running = False
    result = ferry("doctor")
    assert result.status == 1
    found = {line[:4].strip() + " " + line.split()[1] for line in result.out.splitlines() if line[0] != " "}
    assert {"warn socket:", "warn configuration:", "fail journal:", "warn journal:"} <= found
    assert "sets it aside at its next start" in result.out
    assert paths.journal.read_bytes().startswith(b"SQLite format 3\0rubbish")


@pytest.mark.parametrize("name", ["file/below", "x" * 300, "loop/below"])
def test_doctor_says_of_a_home_that_cannot_be_looked_at_that_nothing_can_be_made_there(
    ferry: Run, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("FERRY_HOME", str(tmp_path / name))
    engine.running = False
    result = ferry("doctor", "--json")
    assert (result.status, topic(result.out, "socket")["level"]) == (1, "fail")
    assert topic(result.out, "journal")["level"] == "fail"


def test_doctor_does_without_a_home_folder_that_cannot_be_looked_into(
    ferry: Run, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / ("x" * 300)))
    result = ferry("doctor", "--json")
    assert (result.err, topic(result.out, "ssh")["level"]) == ("", "ok")


def test_doctor_finds_a_home_on_a_filesystem_that_takes_nothing(
    ferry: Run, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "fixed"
    with tmpfs(home, "size=1m"):
        (home / "run").mkdir(mode=0o700)
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
        monkeypatch.setenv("FERRY_HOME", str(home))
        found = topic(ferry("doctor", "--json").out, "socket")
    assert found["level"] == "fail"
    assert found["text"] == f"{home}/run is on a filesystem mounted read-only"


def test_doctor_finds_a_link_in_the_place_of_the_socket_s_folder(
    ferry: Run, engine: FakeEngine, tmp_path: Path
) -> None:
    folder = Paths.from_environment().runtime
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(tmp_path, target_is_directory=True)
    engine.running = False
    found = topic(ferry("doctor", "--json").out, "socket")
    assert (found["level"], found["text"]) == (
        "fail",
        f"a link or a file stands in the place of the folder {folder}",
    )


@pytest.mark.parametrize("file", ["~no-such-user/config", "~no-such-user"])
def test_a_home_folder_of_nobody_is_a_file_that_is_not_there(
    ferry: Run, engine: FakeEngine, config: Path, file: str
) -> None:
    config.write_text(f'[ssh]\nconfig_file = "{file}"\n')
    engine.running = False
    assert topic(ferry("doctor", "--json").out, "ssh")["text"].startswith(f"cannot read {file}: ")
    assert known_hosts(Settings(ssh=SshSettings(config_file=file))) == ()


def test_doctor_finds_half_files_of_ended_jobs(ferry: Run, engine: FakeEngine, here: Path) -> None:
    Paths.from_environment().state.mkdir(parents=True)
    Paths.from_environment().journal.touch()
    for name in ("ended", "going"):
        (here / name).mkdir()
        (here / name / ".ferry-x-1.part").touch()
    engine.add(JobState.FAILED, target=Location(f"{here}/ended"))
    engine.add(JobState.RUNNING, target=Location(f"{here}/going"))
    result = ferry("doctor", "--json")
    told = [json.loads(line) for line in result.out.splitlines()]
    leftovers = [each for each in told if each["topic"] == "leftovers"]
    assert [each["text"] for each in leftovers] == [f"{here}/ended/.ferry-x-1.part"]
    assert leftovers[0]["level"] == "warn"
    assert result.status == 0


def test_doctor_reads_the_journal_of_an_engine_at_rest_and_leaves_it_alone(
    ferry: Run, engine: FakeEngine
) -> None:
    paths = Paths.from_environment()
    paths.state.mkdir(parents=True)
    with sqlite3.connect(paths.journal) as db:
        db.execute("CREATE TABLE unrelated (x)")
    db.close()
    before = paths.journal.read_bytes()
    engine.running = False
    result = ferry("doctor")
    assert "ok    journal" in result.out
    assert paths.journal.read_bytes() == before
