"""How Ferry signs in: with the agent's keys, with those in files, and with what somebody is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from typing import TYPE_CHECKING

import asyncssh
import pytest

from tests.servers.answering import Door, answering
from tests.servers.sshd import make_key, need_sshd, running_sshd
from tests.unit.places.sftp_askers import Somebody
from tui.model.ask import Answer, Ask, AskKind
from tui.model.error import AuthenticationFailed, FerryError
from tui.model.location import Location
from tui.places.sftp.asking import Answers
from tui.places.sftp.connecting import connect
from tui.places.sftp.settings import SshSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.sshd import Sshd
    from tui.places.base import Asker

HERE = Location("/", "sftp", "here")
CODE = (("Password: ", False, "right"), ("Code: ", True, "123456"))


async def signs_in(folder: Path, text: str, somebody: Asker, answers: Answers | None = None) -> None:
    """Connect to "here" and away again."""
    file = folder / "config"
    file.write_text(text)
    connection = await connect(HERE, somebody, SshSettings(file), answers)
    assert not connection.is_closed()
    connection.close()
    await connection.wait_closed()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """The socket of an agent that holds nothing yet."""
    need_sshd()
    socket = tmp_path / "agent"
    command = ["ssh-agent", "-D", "-a", str(socket)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()  # it says where it is, once it is there
        yield socket
    finally:
        process.kill()
        process.communicate()


def add_to(agent: Path, key: Path) -> None:
    environment = os.environ | {"SSH_AUTH_SOCK": str(agent)}
    subprocess.run(["ssh-add", "-q", key], env=environment, check=True, capture_output=True)


async def test_a_password_is_asked_for_again_where_it_was_wrong(tmp_path: Path) -> None:
    async with answering(Door(password="right")) as door:
        somebody = Somebody.saying("wrong", "right")
        await signs_in(tmp_path, door.config_for("here", tmp_path), somebody)
        assert door.heard == ["wrong", "right"]
        assert [(ask.kind, ask.retry, ask.secret) for ask in somebody.asked] == [
            (AskKind.PASSWORD, False, True),
            (AskKind.PASSWORD, True, True),
        ]
        assert somebody.asked[0].host == f"somebody@here:{door.port}"


async def test_three_wrong_passwords_are_enough_and_none_is_told(tmp_path: Path) -> None:
    async with answering(Door(password="right")) as door:
        answers = Answers()
        with pytest.raises(
            AuthenticationFailed, match=r"permission denied for somebody@here.*: tried password"
        ) as caught:
            await signs_in(
                tmp_path, door.config_for("here", tmp_path), Somebody.saying("bad1", "bad2", "bad3"), answers
            )
        assert door.heard == ["bad1", "bad2", "bad3"]
        assert "bad" not in f"{caught.value}{caught.value.__cause__!r}{answers!r}"
        assert caught.value.location == HERE
        somebody = Somebody.saying("right")
        await signs_in(tmp_path, door.config_for("here", tmp_path), somebody, answers)
        assert len(somebody.asked) == 1


async def test_a_password_that_worked_is_kept_and_one_that_does_no_more_is_asked_for(tmp_path: Path) -> None:
    async with answering(Door(password="right")) as door:
        text, answers = door.config_for("here", tmp_path), Answers()
        await signs_in(tmp_path, text, Somebody.saying("right"), answers)
        await signs_in(tmp_path, text, Somebody(), answers)
        assert door.heard == ["right", "right"]

        door.password = "new"
        somebody = Somebody.saying("new")
        await signs_in(tmp_path, text, somebody, answers)
        assert door.heard == ["right", "right", "right", "new"]
        assert [ask.retry for ask in somebody.asked] == [True]


async def test_who_has_no_answer_ends_it(tmp_path: Path) -> None:
    class AnswerWanted(Exception):
        pass

    async with answering(Door(password="right", prompts=CODE)) as door:
        for error in (AuthenticationFailed("nobody said"), AnswerWanted("later")):
            somebody = Somebody.saying(error)
            with pytest.raises(type(error), match=str(error)):
                await signs_in(tmp_path, door.config_for("here", tmp_path), somebody)
            assert len(somebody.asked) == 1
        assert door.heard == []


async def test_what_the_host_asks_is_asked_prompt_by_prompt(tmp_path: Path) -> None:
    async with answering(Door(prompts=CODE)) as door:
        answers = Answers()
        somebody = Somebody.saying("right", "123456")
        await signs_in(tmp_path, door.config_for("here", tmp_path), somebody, answers)
        assert door.heard == ["right", "123456"]
        assert [(ask.kind, ask.secret) for ask in somebody.asked] == [
            (AskKind.PASSWORD, True),
            (AskKind.CODE, False),
        ]
        assert somebody.asked[1].text == "Code:"

        again = Somebody.saying("123456")  # the password is kept, a code is good once
        await signs_in(tmp_path, door.config_for("here", tmp_path), again, answers)
        assert again.kinds == [AskKind.CODE]


async def test_the_order_is_that_of_preferred_authentications(tmp_path: Path) -> None:
    async with answering(Door(password="right", prompts=CODE)) as door:
        text = door.config_for("here", tmp_path, PreferredAuthentications="password,keyboard-interactive")
        somebody = Somebody.saying("right")
        await signs_in(tmp_path, text, somebody)
        assert somebody.kinds == [AskKind.PASSWORD]


async def test_a_method_that_is_switched_off_is_not_tried(tmp_path: Path) -> None:
    async with answering(Door(password="right")) as door:
        text = door.config_for("here", tmp_path, PasswordAuthentication="no")
        with pytest.raises(AuthenticationFailed, match="tried nothing"):
            await signs_in(tmp_path, text, Somebody())


async def test_an_answer_that_comes_after_the_host_hung_up_is_for_the_next_try(tmp_path: Path) -> None:
    class Slow(Somebody):
        async def ask(self, ask: Ask) -> Answer:
            for connection in door.connections:
                connection.abort()
                await connection.wait_closed()
            for _ in range(20):
                await asyncio.sleep(0)
            return await super().ask(ask)

    async with answering(Door(password="right")) as door:
        somebody = Slow.saying("right")
        await signs_in(tmp_path, door.config_for("here", tmp_path), somebody)
        assert len(somebody.asked) == 1
        assert door.heard == ["right"]


async def test_time_to_answer_is_not_counted(tmp_path: Path) -> None:
    class Thinking(Somebody):
        async def ask(self, ask: Ask) -> Answer:
            await asyncio.sleep(1.2)  # longer than the host is given
            return await super().ask(ask)

    async with answering(Door(password="right")) as door:
        text = door.config_for("here", tmp_path, ConnectTimeout=1)
        await signs_in(tmp_path, text, Thinking.saying("right"))
        assert door.heard == ["right"]


@pytest.mark.parametrize("shape", ["new", "old", "old without the public half"])
async def test_a_passphrase_is_asked_for_where_the_host_wants_the_key(
    sshd: Sshd, tmp_path: Path, shape: str
) -> None:
    key = tmp_path / "locked"
    if shape == "new":
        sshd.allow(make_key(key, passphrase="open sesame"))
    else:
        command = ["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "open sesame", "-f", str(key)]
        await asyncio.to_thread(subprocess.run, command, check=True)
        public = tmp_path / "locked.pub"
        sshd.allow(public.read_text().strip())
        if "without" in shape:
            public.unlink()
    text = sshd.config_for("here", IdentityFile=key, IdentityAgent="none")
    answers, somebody = Answers(), Somebody.saying("shut", "open sesame")
    await signs_in(tmp_path, text, somebody, answers)
    assert [(ask.kind, ask.retry) for ask in somebody.asked] == [
        (AskKind.PASSPHRASE, False),
        (AskKind.PASSPHRASE, True),
    ]
    assert str(key) in somebody.asked[0].text
    await signs_in(tmp_path, text, Somebody(), answers)


async def test_a_passphrase_may_take_longer_to_try_than_a_host_to_answer(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "locked"
    sshd.allow(make_key(key, passphrase="open sesame"))
    import_private_key = asyncssh.import_private_key

    def with_many_rounds(data: bytes, passphrase: str | None = None) -> asyncssh.SSHKey:
        if passphrase is not None:
            time.sleep(2.5)
        return import_private_key(data, passphrase)

    monkeypatch.setattr(asyncssh, "import_private_key", with_many_rounds)
    text = sshd.config_for("here", IdentityFile=key, IdentityAgent="none", ConnectTimeout=2)
    await signs_in(tmp_path, text, Somebody.saying("open sesame"))


async def test_a_passphrase_is_not_asked_for_where_the_host_does_not_want_the_key(
    sshd: Sshd, tmp_path: Path
) -> None:
    make_key(tmp_path / "locked", passphrase="open sesame")
    text = sshd.config_for("here", IdentityFile=tmp_path / "locked", IdentityAgent="none")
    with pytest.raises(AuthenticationFailed, match=f"tried key {tmp_path}/locked$"):
        await signs_in(tmp_path, text, Somebody())


async def test_a_passphrase_that_nobody_knows_leaves_the_next_key_to_be_tried(
    sshd: Sshd, tmp_path: Path
) -> None:
    sshd.allow(make_key(tmp_path / "locked", passphrase="open sesame"))
    text = sshd.config_for("here", IdentityFile=tmp_path / "locked", IdentityAgent="none")
    somebody = Somebody.saying("a", "b", "c")
    await signs_in(tmp_path, text + f"  IdentityFile {sshd.client_key}\n", somebody)
    assert len(somebody.asked) == 3


async def test_a_key_of_the_agent_alone_is_enough(sshd: Sshd, agent: Path, tmp_path: Path) -> None:
    add_to(agent, sshd.client_key)
    text = sshd.config_for("here", IdentityFile="none", IdentitiesOnly="no", IdentityAgent=agent)
    await signs_in(tmp_path, text, Somebody())


async def test_identities_only_leaves_out_other_keys_of_the_agent(
    sshd: Sshd, agent: Path, tmp_path: Path
) -> None:
    make_key(tmp_path / "mine")
    add_to(agent, sshd.client_key)
    add_to(agent, tmp_path / "mine")
    text = sshd.config_for("here", IdentityFile=tmp_path / "mine", IdentityAgent=agent)
    with pytest.raises(AuthenticationFailed, match=r"tried agent key ferry-test$"):
        await signs_in(tmp_path, text, Somebody())
    await signs_in(tmp_path, text.replace("IdentitiesOnly yes", "IdentitiesOnly no"), Somebody())


async def test_the_public_half_names_a_key_of_the_agent(sshd: Sshd, agent: Path, tmp_path: Path) -> None:
    add_to(agent, sshd.client_key)
    public = tmp_path / "only.pub"
    public.write_text((sshd.folder / "client.pub").read_text())
    await signs_in(tmp_path, sshd.config_for("here", IdentityFile=public, IdentityAgent=agent), Somebody())


async def test_an_agent_that_is_not_there_does_no_harm(sshd: Sshd, tmp_path: Path) -> None:
    await signs_in(tmp_path, sshd.config_for("here", IdentityAgent=tmp_path / "none"), Somebody())


async def test_a_certificate_next_to_the_key_is_shown(tmp_path: Path) -> None:
    make_key(tmp_path / "ca")
    key = tmp_path / "mine"
    make_key(key)
    with running_sshd(tmp_path / "sshd", extra=f"TrustedUserCAKeys {tmp_path}/ca.pub") as server:
        sign = [
            "ssh-keygen",
            "-q",
            "-s",
            tmp_path / "ca",
            "-I",
            "x",
            "-n",
            server.user,
            tmp_path / "mine.pub",
        ]
        await asyncio.to_thread(subprocess.run, sign, check=True)
        await signs_in(
            tmp_path, server.config_for("here", IdentityFile=key, IdentityAgent="none"), Somebody()
        )


async def test_too_many_keys_for_the_host_are_named(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd", extra="MaxAuthTries 2") as server:
        text = server.config_for("here", IdentityFile="none", IdentityAgent="none")
        for number in range(4):
            make_key(tmp_path / f"key{number}")
            text += f"  IdentityFile {tmp_path}/key{number}\n"
        tried = f"tried key {tmp_path}/key0, key {tmp_path}/key1, and it lets nobody try more"
        with pytest.raises(AuthenticationFailed, match=tried) as told:
            await signs_in(tmp_path, text, Somebody())
        assert "IdentitiesOnly" in told.value.remedy


async def test_no_secret_gets_into_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    async with answering(Door(password="right-secret")) as door:
        with contextlib.suppress(FerryError):
            await signs_in(
                tmp_path, door.config_for("here", tmp_path), Somebody.saying("wrong-secret", "right-secret")
            )
        assert door.heard == ["wrong-secret", "right-secret"]
    assert "secret" not in caplog.text
