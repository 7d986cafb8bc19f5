"""Passwords and passphrases in the system's keyring, for those who want that."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError

from tests.servers.answering import Door, answering
from tests.servers.sshd import make_key
from tests.unit.places.sftp_askers import Somebody
from tui.model.ask import AskKind
from tui.model.error import AuthenticationFailed
from tui.model.location import Location
from tui.places.sftp.keyring import Keyring
from tui.places.sftp.opening import SftpOpener
from tui.places.sftp.settings import SshSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.sshd import Sshd

ROOT = Location("/", "sftp", "here")


class InMemory(KeyringBackend):
    """A keyring of the test's own."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


@pytest.fixture
def ring() -> Iterator[InMemory]:
    before, ours = keyring.get_keyring(), InMemory()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


async def opens(folder: Path, text: str, somebody: Somebody, *, with_keyring: bool = True) -> None:
    """Begin anew, as after a restart: connect to "here", and away again."""
    file = folder / "config"
    file.write_text(text)
    place = await SftpOpener(SshSettings(file, keyring=with_keyring)).open(ROOT, somebody)
    await place.close()


def known(door: Door, folder: Path) -> str:
    return door.config_for("here", folder)


async def test_a_password_that_was_right_is_not_asked_for_again(ring: InMemory, tmp_path: Path) -> None:
    async with answering(Door(password="right", sftp=True)) as door:
        await opens(tmp_path, known(door, tmp_path), Somebody.saying("wrong", "right"))
        assert ring.kept == {("ferry", f"somebody@here:{door.port}"): "right"}
        await opens(tmp_path, known(door, tmp_path), Somebody())
        assert door.heard == ["wrong", "right", "right"]


async def test_a_kept_password_that_is_wrong_is_asked_for_and_replaced(
    ring: InMemory, tmp_path: Path
) -> None:
    async with answering(Door(password="right", sftp=True)) as door:
        name = ("ferry", f"somebody@here:{door.port}")
        ring.kept[name] = "old"
        somebody = Somebody.saying("right")
        await opens(tmp_path, known(door, tmp_path), somebody)
        assert [ask.retry for ask in somebody.asked] == [True]
        assert ring.kept == {name: "right"}


async def test_a_kept_password_that_leads_to_nothing_is_removed(ring: InMemory, tmp_path: Path) -> None:
    async with answering(Door(password="right", sftp=True)) as door:
        ring.kept["ferry", f"somebody@here:{door.port}"] = "old"
        with pytest.raises(AuthenticationFailed):
            await opens(tmp_path, known(door, tmp_path), Somebody.saying("bad", "worse"))
        assert ring.kept == {}


async def test_a_passphrase_is_kept_by_the_path_of_its_key(
    ring: InMemory, own_sshd: Sshd, tmp_path: Path
) -> None:
    key = tmp_path / "locked"
    own_sshd.allow(make_key(key, passphrase="open sesame"))
    text = own_sshd.config_for("here", IdentityFile=key)
    await opens(tmp_path, text, Somebody.saying("open sesame"))
    assert ring.kept == {("ferry", str(key)): "open sesame"}
    await opens(tmp_path, text, Somebody())


async def test_without_the_setting_the_keyring_is_left_alone(ring: InMemory, tmp_path: Path) -> None:
    async with answering(Door(password="right", sftp=True)) as door:
        ring.kept["ferry", f"somebody@here:{door.port}"] = "old"
        await opens(tmp_path, known(door, tmp_path), Somebody.saying("right"), with_keyring=False)
        assert ring.kept == {("ferry", f"somebody@here:{door.port}"): "old"}
        assert door.heard == ["right"]


async def test_where_there_is_no_keyring_that_is_told_once(
    ring: InMemory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    async with answering(Door(password="right", sftp=True)) as door:
        await opens(tmp_path, known(door, tmp_path), Somebody.saying("wrong", "right"))
    told = [record.getMessage() for record in caplog.records if "keyring" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("the keyring is not used: No recommended backend")
    assert "right" not in caplog.text


async def test_codes_are_never_kept(ring: InMemory) -> None:
    ours = Keyring()
    await ours.settle({(AskKind.CODE, "Code:"): "123456"}, signed_in=True)
    assert ring.kept == {}
    ring.kept["ferry", "Code:"] = "1"
    assert await ours.get(AskKind.CODE, "Code:") is None


def test_the_library_is_not_loaded_for_those_who_do_not_use_it() -> None:
    code = "import sys, tui.places.sftp.keyring, tui.places.sftp.connecting; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
