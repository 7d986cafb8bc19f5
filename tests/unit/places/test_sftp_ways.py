"""The way to a host: over others, by a command, or not at all; and that nothing stays of one that was given up."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest

from tests.daemon.homes import eventually, processes_of
from tests.servers.answering import Door, answering
from tests.servers.sshd import running_sshd
from tests.unit.places.sftp_askers import Somebody
from tui.model.ask import YES, Answer, Ask
from tui.model.error import HostKeyMismatch, PlaceError, PlaceUnavailable, Unsupported
from tui.model.location import Location
from tui.places.sftp.connecting import connect
from tui.places.sftp.settings import SshSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers.sshd import Sshd

HERE = Location("/", "sftp", "here")

RELAY = """\
import socket, sys, threading, os
print("a word on the side", file=sys.stderr, flush=True)
far = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        far.sendall(data)
    far.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := far.recv(65536):
    os.write(1, data)
"""


def settings(folder: Path, text: str) -> SshSettings:
    file = folder / "config"
    file.write_text(text)
    return SshSettings(file)


async def leave(connection: asyncssh.SSHClientConnection) -> None:
    connection.close()
    await connection.wait_closed()


@contextlib.asynccontextmanager
async def complaints() -> AsyncIterator[list[str]]:
    """Gather what the loop complains of: exceptions of tasks that nobody took, above all."""
    found: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: found.append(str(context)))
    before = asyncio.all_tasks()
    yield found
    await eventually(lambda: asyncio.all_tasks() <= before)
    loop.set_exception_handler(None)


async def test_a_jump_leads_over_a_second_host(sshd: Sshd, own_sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("gate") + own_sshd.config_for("here", ProxyJump="gate")
    async with complaints() as found:
        connection = await connect(HERE, Somebody(), settings(tmp_path, text))
        done = await connection.run("echo $SSH_CONNECTION")
        assert str(done.stdout).split()[3] == str(own_sshd.port)
        assert sshd.sessions()
        await leave(connection)
        await eventually(lambda: not own_sshd.sessions())
    assert found == []


async def test_the_key_of_the_host_between_is_judged_too(sshd: Sshd, own_sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    gate = sshd.config_for("gate", UserKnownHostsFile=known)
    text = gate + own_sshd.config_for("here", ProxyJump="gate", UserKnownHostsFile=known)
    somebody = Somebody.saying(YES, YES)
    await leave(await connect(HERE, somebody, settings(tmp_path, text)))
    assert [ask.host for ask in somebody.asked] == [f"gate:{sshd.port}", f"here:{own_sshd.port}"]

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    with pytest.raises(HostKeyMismatch, match="cannot trust gate"):
        await connect(HERE, Somebody(), settings(tmp_path, text))


async def test_jumps_are_taken_in_their_order_and_each_by_name_user_and_port(
    sshd: Sshd, tmp_path: Path
) -> None:
    text = sshd.config_for("one") + sshd.config_for("two", Port=1)
    text += sshd.config_for("here", ProxyJump=f"one,ssh://{sshd.user}@two:{sshd.port}")
    await leave(await connect(HERE, Somebody(), settings(tmp_path, text)))


async def test_a_host_that_is_its_own_jump_is_gone_to_directly(sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("here", ProxyJump=f"here:{sshd.port}")
    await leave(await connect(HERE, Somebody(), settings(tmp_path, text)))


async def test_jumps_in_a_circle_are_an_error(sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("here", ProxyJump="there") + sshd.config_for("there", ProxyJump="here")
    with pytest.raises(PlaceError, match="goes over more than 8 hosts"):
        await connect(HERE, Somebody(), settings(tmp_path, text))


async def test_a_host_that_cannot_be_reached_from_the_one_between(sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("gate") + sshd.config_for("here", ProxyJump="gate", Port=1)
    with pytest.raises(
        PlaceUnavailable, match=r"cannot reach here:1 \(127.0.0.1\) through the hosts between"
    ):
        await connect(HERE, Somebody(), settings(tmp_path, text))


async def test_a_command_makes_the_connection_and_ends_with_it(sshd: Sshd, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    text = sshd.config_for("here", ProxyCommand=f"{sys.executable} {relay} %h %p")
    async with complaints() as found:
        connection = await connect(HERE, Somebody(), settings(tmp_path, text))
        assert (await connection.run("echo hello")).stdout == "hello\n"
        assert processes_of(str(relay))
        await leave(connection)
        await eventually(lambda: not processes_of(str(relay)))
    assert found == []


async def test_giving_up_on_a_command_that_says_nothing_ends_it(sshd: Sshd, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    waits = f"{sys.executable} -c 'import time; time.sleep(600)' {mark}"
    async with complaints() as found:
        text = sshd.config_for("here", ProxyCommand=waits)
        task = asyncio.create_task(connect(HERE, Somebody(), settings(tmp_path, text)))
        await eventually(lambda: processes_of(mark))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not processes_of(mark)
    assert found == []


async def test_a_command_that_fails_is_a_host_that_cannot_be_reached(sshd: Sshd, tmp_path: Path) -> None:
    text = sshd.config_for("here", ProxyCommand="echo no way >&2; exit 1")
    with pytest.raises(PlaceUnavailable, match="cannot reach here"):
        await connect(HERE, Somebody(), settings(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("HostName 127.0.0.1\nPort 1\n", r"cannot reach here:1 \(127.0.0.1\): connection refused"),
        ("HostName no-such-host.invalid\n", r"cannot reach here \(no-such-host.invalid\): "),
    ],
)
async def test_a_host_that_is_not_there(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(PlaceUnavailable, match=why) as caught:
        await connect(HERE, Somebody(), settings(tmp_path, text))
    assert caught.value.location == HERE
    assert "Errno" not in str(caught.value)


async def test_a_host_without_a_cipher_in_common(tmp_path: Path) -> None:
    async with answering(Door(password="right")) as door:
        with pytest.raises(Unsupported, match="no algorithm in common"):
            text = door.config_for("here", tmp_path, Ciphers="3des-cbc")
            await connect(HERE, Somebody(), settings(tmp_path, text))
        with pytest.raises(PlaceError, match="none of rot13 is known"):
            text = door.config_for("here", tmp_path, Ciphers="rot13")
            await connect(HERE, Somebody(), settings(tmp_path, text))
        assert door.users == []


async def test_a_short_name_is_looked_for_in_the_domains_of_ssh_config(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, looked_for = asyncio.get_running_loop(), list[str]()
    really = loop.getaddrinfo

    async def getaddrinfo(host: str, port: int, **options: Any) -> Any:
        looked_for.append(host)
        if not host.endswith(".second.org"):
            raise OSError("no such name")
        return await really("127.0.0.1", port, **options)

    (tmp_path / "known").write_text(f"[here.second.org]:{sshd.port} {sshd.host_key}\n")
    text = "CanonicalizeHostname yes\nCanonicalDomains first.org second.org\n"
    text += sshd.config_for("*.second.org", UserKnownHostsFile=tmp_path / "known")
    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    await leave(await connect(HERE, Somebody(), settings(tmp_path, text)))
    assert looked_for == ["here.first.org", "here.second.org", "here.second.org"]

    with pytest.raises(PlaceUnavailable, match=r"none of first\.org knows it"):
        text = "CanonicalizeHostname yes\nCanonicalDomains first.org\nCanonicalizeFallbackLocal no\n"
        await connect(HERE, Somebody(), settings(tmp_path, text))


@pytest.mark.parametrize(
    ("options", "cipher", "compression"),
    [
        ({}, "aes128-gcm@openssh.com", "none"),
        ({"Ciphers": "aes256-ctr,aes128-ctr", "Compression": "yes"}, "aes256-ctr", "zlib@openssh.com"),
        ({"Ciphers": "^chacha20*"}, "chacha20-poly1305@openssh.com", "none"),
        ({"Ciphers": "-aes128-gcm@openssh.com"}, "aes256-gcm@openssh.com", "none"),
    ],
)
async def test_the_fast_cipher_comes_first_unless_ssh_config_says_otherwise(
    sshd: Sshd, tmp_path: Path, options: dict[str, str], cipher: str, compression: str
) -> None:
    connection = await connect(HERE, Somebody(), settings(tmp_path, sshd.config_for("here", **options)))
    assert connection.get_extra_info("send_cipher") == cipher
    assert connection.get_extra_info("send_compression") == compression
    await leave(connection)


@contextlib.asynccontextmanager
async def silent(
    word: bytes = b"",
) -> AsyncIterator[tuple[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    """A server that takes connections and says nothing, or no more than one word."""
    taken: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append((reader, writer))
        writer.write(word)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], taken
    finally:
        server.close()
        for _, writer in taken:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_a_host_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    async with silent() as (port, _), complaints() as found:
        text = f"HostName 127.0.0.1\nPort {port}\nConnectTimeout 1\n"
        with pytest.raises(PlaceUnavailable, match="did not answer within 1 s"):
            await connect(HERE, Somebody(), settings(tmp_path, text))
    assert found == []


async def test_giving_up_on_a_host_that_says_nothing_leaves_nothing(tmp_path: Path) -> None:
    async with silent() as (port, taken), complaints() as found:
        text = f"HostName 127.0.0.1\nPort {port}\n"
        task = asyncio.create_task(connect(HERE, Somebody(), settings(tmp_path, text)))
        await eventually(lambda: taken)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with contextlib.suppress(ConnectionError):
            assert (await taken[0][0].read()).startswith(b"SSH-")  # to the end: it hung up
    assert found == []


@pytest.mark.parametrize("rounds", range(0, 60, 3))
async def test_giving_up_at_any_moment_leaves_nothing(sshd: Sshd, tmp_path: Path, rounds: int) -> None:
    async with complaints() as found:
        task = asyncio.create_task(connect(HERE, Somebody(), settings(tmp_path, sshd.config_for("here"))))
        for _ in range(rounds):
            await asyncio.sleep(0.002)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leave(await task)
        await eventually(lambda: len(asyncio.all_tasks()) == 1)
    assert found == []


async def test_giving_up_takes_back_the_question(tmp_path: Path) -> None:
    class Away:
        asked = taken_back = False

        async def ask(self, ask: Ask) -> Answer:
            self.asked = True
            try:
                return await asyncio.Future()
            finally:
                self.taken_back = True

    async with answering(Door(password="right")) as door:
        async with complaints() as found:
            away = Away()
            text = door.config_for("here", tmp_path)
            task = asyncio.create_task(connect(HERE, away, settings(tmp_path, text)))
            await eventually(lambda: away.asked)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert away.taken_back
            await asyncio.gather(*(connection.wait_closed() for connection in door.connections))
        assert found == []


async def test_giving_up_behind_a_jump_closes_the_one_between(own_sshd: Sshd, tmp_path: Path) -> None:
    async with silent() as (port, taken), complaints() as found:
        text = own_sshd.config_for("gate") + own_sshd.config_for("here", ProxyJump="gate", Port=port)
        task = asyncio.create_task(connect(HERE, Somebody(), settings(tmp_path, text)))
        await eventually(lambda: taken)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: not own_sshd.sessions())
    assert found == []


async def test_a_host_that_says_nothing_is_given_up_sooner_than_one_that_is_slow_to_let_in(
    tmp_path: Path,
) -> None:
    async def open_to(port: int, word_timeout_s: float) -> None:
        file = tmp_path / "config"
        file.write_text(f"Host here\n HostName 127.0.0.1\n Port {port}\n")
        ours = SshSettings(file, connect_timeout_s=0.6, word_timeout_s=word_timeout_s)
        await connect(HERE, Somebody(), ours)

    async with silent() as (port, _), complaints() as found:
        with pytest.raises(PlaceUnavailable, match=r"did not answer within 0\.2 s"):
            await open_to(port, 0.2)
    async with silent(b"SSH-2.0-slow\r\n") as (port, _), complaints() as found:
        with pytest.raises(PlaceUnavailable, match=r"did not answer within 0\.6 s"):
            await open_to(port, 0.2)
    assert found == []


async def test_a_host_behind_another_that_says_nothing_is_given_up_as_soon(
    own_sshd: Sshd, tmp_path: Path
) -> None:
    async with silent() as (port, _), complaints() as found:
        file = tmp_path / "config"
        file.write_text(
            own_sshd.config_for("gate", ConnectTimeout=60)
            + own_sshd.config_for("here", ProxyJump="gate", Port=port)
        )
        ours = SshSettings(file, connect_timeout_s=60, word_timeout_s=0.5)
        with pytest.raises(PlaceUnavailable, match=r"did not answer within 0\.5 s"):
            async with asyncio.timeout(30):
                await connect(HERE, Somebody(), ours)
        await eventually(lambda: not own_sshd.sessions())
    assert found == []


async def test_a_host_that_freezes_is_noticed(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd") as server:
        file = tmp_path / "config"
        file.write_text(server.config_for("here"))
        async with complaints() as found:
            connection = await connect(HERE, Somebody(), SshSettings(file, keepalive_s=0.2))
            server.freeze()
            async with asyncio.timeout(10):
                await connection.wait_closed()
            assert connection.is_closed()
            server.thaw()
        assert found == []


async def test_a_host_whose_sessions_die_is_noticed_at_once(own_sshd: Sshd, tmp_path: Path) -> None:
    connection = await connect(HERE, Somebody(), settings(tmp_path, own_sshd.config_for("here")))
    own_sshd.kill_sessions()
    async with asyncio.timeout(10):
        await connection.wait_closed()
    assert connection.is_closed()
