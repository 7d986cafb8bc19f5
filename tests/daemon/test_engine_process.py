"""The background engine as a process: how it starts, what it survives, when it goes."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import resource
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tui
from tests.daemon.homes import Home, alive, copy_request, eventually, until
from tui.client.launch import launch
from tui.client.remote import RemoteClient
from tui.client.runtime import CannotHost, Lock, prepare_runtime
from tui.client.spawn import engine_status, open_client, open_foreground
from tui.client.stop import stop_engine
from tui.config import HookSettings, QueueSettings, Settings
from tui.model.error import EngineUnreachable, ProtocolMismatch
from tui.model.job import Disconnected, JobState, Update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui.client.calls import Calls

MIB = 1 << 20


async def ended(client: Calls, id: int, timeout_s: float = 60) -> JobState:
    """Wait for a job to end."""
    async with asyncio.timeout(timeout_s):
        async for update in client.updates():
            for job in update.jobs if isinstance(update, Update) else ():
                if job.id == id and job.state.is_final:
                    return job.state
    raise AssertionError


async def begun(client: Calls, id: int, size_bytes: int = 1) -> None:
    """Wait until a job has copied something."""
    async with asyncio.timeout(60):
        while (await client.job(id)).progress.bytes_done < size_bytes:  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.01)


def same_trees(one: Path, other: Path) -> bool:
    return subprocess.run(["diff", "-r", one, other], capture_output=True).returncode == 0


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def write_random(path: Path, size_bytes: int) -> Path:
    path.write_bytes(os.urandom(MIB) * (size_bytes // MIB))
    return path


# Starting


async def test_the_first_call_starts_an_engine_and_it_outlives_its_client(home: Home) -> None:
    async with home.open() as client:
        status = await client.status()
        assert status.pid == home.pid != os.getpid()
        assert not status.in_process
        assert client.notice == ""
    again = await engine_status(home.paths)
    assert again is not None
    assert again.pid == status.pid


async def test_the_engine_stands_alone(home: Home) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        async with home.open() as client:
            pid = (await client.status()).pid
    finally:
        os.close(writer)
    try:
        assert os.getsid(pid) not in (os.getsid(0), pid)
        assert os.getpgid(pid) != os.getpgid(0)
        assert parent_of(pid) != os.getpid()
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)] == ["/dev/null"] * 3
        assert os.read(reader, 1) == b"", "the engine holds a descriptor of its starter's"
        assert os.getpriority(os.PRIO_PROCESS, pid) >= 5
    finally:
        os.close(reader)


async def test_its_files_are_private_and_its_umask_is_the_users(home: Home, tmp_path: Path) -> None:
    source = write_random(tmp_path / "source", MIB)
    source.chmod(0o664)
    before = os.umask(0o002)
    try:
        async with home.open() as client:
            id = await client.submit(copy_request(source, target=tmp_path / "copy", into=False))
            assert await ended(client, id) is JobState.DONE
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o664
    paths = home.paths
    assert stat.S_IMODE(paths.runtime.stat().st_mode) == 0o700
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o700
    for file in (paths.socket, paths.lock, paths.engine_log):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_ten_starters_at_once_start_one_engine(home: Home) -> None:
    script = (
        "import sys; from tui.paths import Paths; from tui.client.launch import launch;"
        "launch(Paths.from_environment(), 30)"
    )
    environment = {**os.environ, "FERRY_HOME": str(home.root)}
    starters = [subprocess.Popen([sys.executable, "-c", script], env=environment) for _ in range(10)]
    assert [starter.wait(50) for starter in starters] == [0] * 10
    until(lambda: len(home.engines()) == 1)
    assert home.engines() == [home.pid]
    assert len(re.findall("engine .* starts", home.log())) == 1


async def test_a_socket_path_longer_than_sockets_allow_works(tmp_path: Path, home: Home) -> None:
    deep = Home(tmp_path / "home" / ("d" * 100) / ("e" * 100))
    async with deep.open() as client:
        assert (await client.status()).pid == deep.pid
        assert client.notice == ""
    assert await stop_engine(deep.paths)


async def test_what_a_dead_engine_left_is_replaced(home: Home) -> None:
    launch(home.paths)
    first = home.kill()
    assert home.paths.socket.exists()
    async with home.open() as client:
        assert (await client.status()).pid != first


def test_a_folder_named_like_ferry_or_python_is_not_imported(home: Home, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    (trap / "tui").mkdir(parents=True)
    for name in ("tui/__init__.py", "asyncio.py", "msgspec.py"):
        (trap / name).write_text("raise SystemExit('imported')")
    script = (
        f"import sys; sys.path.insert(0, {str(Path.cwd())!r}); from tui.client.launch import launch;"
        "from tui.paths import Paths; import os; os.chdir(sys.argv[1]); launch(Paths.from_environment())"
    )
    environment = {**os.environ, "FERRY_HOME": str(home.root)}
    subprocess.run([sys.executable, "-P", "-c", script, trap], env=environment, check=True)
    assert home.pid is not None


# Surviving


async def test_sighup_changes_nothing(home: Home) -> None:
    async with home.open() as client:
        pid = (await client.status()).pid
        os.kill(pid, signal.SIGHUP)
        assert (await client.status()).pid == pid
        assert alive(pid)


def test_a_closed_terminal_changes_nothing(home: Home) -> None:
    script = (
        "import fcntl, signal, termios, time; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from tui.paths import Paths;"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL);"  # tests that run behind nohup inherit that it is ignored
        "from tui.client.launch import launch; launch(Paths.from_environment()); print('up', flush=True);"
        "time.sleep(60)"
    )
    terminal, inside = pty.openpty()
    starter = subprocess.Popen(
        [sys.executable, "-c", script], stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
        env={**os.environ, "FERRY_HOME": str(home.root)},
    )  # fmt: skip
    os.close(inside)
    try:
        said = b""
        while b"up" not in said:
            assert select.select([terminal], [], [], 30)[0]
            said += os.read(terminal, 1000)
        pid = home.pid
        assert pid is not None
    finally:
        os.close(terminal)  # a hangup for all of the terminal's session
        status = starter.wait(10)
    assert status == -signal.SIGHUP
    asyncio.run(connecting_works(home, pid))
    assert alive(pid)


async def connecting_works(home: Home, pid: int) -> None:
    async with RemoteClient(home.paths, start=None) as client:
        assert (await client.status()).pid == pid


async def test_a_killed_engine_comes_back_by_itself_and_ends_its_copy(home: Home, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for i in range(50):
        write_random(source / f"small {i}", MIB)
    write_random(source / "large", 48 * MIB)
    async with home.open() as client:
        updates: Any = client.updates()
        assert (await anext(updates)).full
        request = copy_request(source, target=tmp_path / "copy", into=False, limit_bytes_s=60 * MIB)
        id = await client.submit(request)
        await begun(client, id, 10 * MIB)
        first = home.kill()
        seen: list[Any] = []
        async with asyncio.timeout(40):
            async for update in updates:
                seen.append(update)
                if isinstance(update, Update) and any(job.state.is_final for job in update.jobs):
                    break
        await updates.aclose()
        lost = [update for update in seen if isinstance(update, Disconnected)]
        assert len(lost) == 1
        assert seen[seen.index(lost[0]) + 1].full
        job = await client.job(id)
        assert job.state is JobState.DONE
        assert home.pid != first
    assert same_trees(source, tmp_path / "copy")
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".ferry-")]


async def test_a_call_after_a_kill_finds_the_queue_again(home: Home, tmp_path: Path) -> None:
    async with home.open() as client:
        id = await client.submit(
            copy_request(write_random(tmp_path / "a", MIB), target=tmp_path / "b", paused=True)
        )
        home.kill()
        assert [job.id for job in await client.jobs()] == [id]
        assert (await client.job(id)).state is JobState.PAUSED


async def test_a_submit_that_meets_a_kill_queues_once(home: Home, tmp_path: Path) -> None:
    many = [tmp_path / f"source {i}" for i in range(20_000)]
    async with home.open() as client:
        await client.status()
        asked = asyncio.create_task(client.submit(copy_request(*many, target=tmp_path, paused=True)))
        journal = home.paths.journal.with_name(home.paths.journal.name + "-wal")
        before = journal.stat().st_size
        await eventually(lambda: asked.done() or journal.stat().st_size > before)
        home.kill()
        id = await asked
        assert [job.id for job in await client.jobs()] == [id]


async def test_the_socket_is_made_again_when_its_folder_was_cleared(home: Home) -> None:
    launch(home.paths)
    pid = home.pid
    shutil.rmtree(home.paths.runtime)
    await eventually(home.paths.socket.exists)
    async with RemoteClient(home.paths, start=None) as client:
        assert (await client.status()).pid == pid


async def test_an_engine_whose_runtime_folder_is_gone_for_good_listens_beside_its_queue(home: Home) -> None:
    """As after a logout, which takes /run/user/UID away: who has not logged in, such as cron, still finds it."""
    launch(home.paths)
    pid = home.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # it must not make the folder again in between
    shutil.rmtree(home.paths.runtime)
    home.paths.runtime.write_text("")
    os.kill(pid, signal.SIGCONT)
    async with RemoteClient(home.paths, start=None) as client, asyncio.timeout(60):
        while not await client.connect_if_running():  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.01)
        assert (await client.status()).pid == pid
    assert await stop_engine(home.paths)
    assert not home.paths.spare_socket.exists()


async def test_a_client_with_another_runtime_folder_finds_the_engine_of_the_queue(home: Home) -> None:
    launch(home.paths)
    other = Home(home.root)
    other.paths = type(home.paths)(
        home.paths.state, home.root / "elsewhere", home.paths.config, home.paths.cache
    )
    async with other.open() as client:
        assert (await client.status()).pid == home.pid
    assert home.engines() == [home.pid]
    assert await stop_engine(other.paths)


# Stopping


async def test_an_idle_engine_goes_when_the_last_client_has_gone(home: Home) -> None:
    home.configure("[queue]\nidle_exit_s = 0.2\n")
    async with home.open() as client:
        pid = (await client.status()).pid
        await asyncio.sleep(0.6)
        assert alive(pid), "it went under a client"
    await eventually(lambda: not alive(pid))
    assert not home.paths.socket.exists()
    assert "there is nothing to do" in home.log()


async def test_an_engine_with_work_does_not_go(home: Home, tmp_path: Path) -> None:
    home.configure("[queue]\nidle_exit_s = 0.1\n")
    source = write_random(tmp_path / "a", 8 * MIB)
    async with home.open() as client:
        await client.submit(copy_request(source, target=tmp_path / "b", into=False, limit_bytes_s=6 * MIB))
    pid = home.pid
    assert pid is not None
    await eventually(lambda: not alive(pid))
    assert (tmp_path / "b").read_bytes() == source.read_bytes()


async def test_clients_that_meet_an_engine_on_its_way_out_start_the_next_one(home: Home) -> None:
    home.configure("[queue]\nidle_exit_s = 0\n")
    pids = []
    for i in range(8):
        async with home.open() as client:
            pids.append((await client.status()).pid)
            await asyncio.sleep(0.1)  # an engine that has seen its client waits for no other
        if i % 2:  # the look at idleness comes every 50 ms: meet it at different moments
            await asyncio.sleep(0.01 * i)
        else:  # its socket goes first, its lock last: the next client comes in between
            await eventually(lambda: not home.paths.socket.exists())
    assert all(pids[i] != pids[i + 1] for i in range(0, 8, 2))
    assert len(home.engines()) <= 1


async def test_a_stop_keeps_every_job_and_a_start_goes_on(home: Home, tmp_path: Path) -> None:
    source = write_random(tmp_path / "a", 64 * MIB)
    async with home.open() as client:
        paused = await client.submit(copy_request(source, target=tmp_path / "c", into=False, paused=True))
        id = await client.submit(
            copy_request(source, target=tmp_path / "b", into=False, limit_bytes_s=32 * MIB)
        )
        await begun(client, id)
        pid = (await client.status()).pid
        assert await stop_engine(home.paths)
    assert not alive(pid)
    assert not (tmp_path / "b").exists()
    assert await engine_status(home.paths) is None
    assert not await stop_engine(home.paths)
    async with home.open() as client:
        assert (await client.job(paused)).state is JobState.PAUSED
        await client.limit(None, [id])
        assert await ended(client, id) is JobState.DONE
    assert (tmp_path / "b").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_order(home: Home, number: signal.Signals) -> None:
    async with home.open() as client:
        pid = (await client.status()).pid
        os.kill(pid, number)
        await eventually(lambda: not alive(pid))
    assert "ERROR" not in home.log()
    assert not home.paths.socket.exists()
    assert f"engine stops: it got {number.name}" in home.log()


async def test_an_engine_that_was_stopped_is_not_started_by_those_who_watch(home: Home) -> None:
    async with home.open() as client:
        updates: Any = client.updates()
        await anext(updates)
        await client.stop_engine()
        assert isinstance(await anext(updates), Disconnected)
        back = asyncio.ensure_future(anext(updates))
        await asyncio.sleep(1.5)
        assert home.engines() == []
        assert await client.jobs() == ()  # who asks for something starts it
        assert (await back).full
        await updates.aclose()


async def test_an_engine_that_hangs_is_told_and_stopped_for_good(home: Home) -> None:
    launch(home.paths)
    pid = home.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EngineUnreachable, match=f"process {pid}.* does not stop"):
        await stop_engine(home.paths, timeout_s=0.5)
    os.kill(pid, signal.SIGCONT)
    await eventually(lambda: not alive(pid))


async def test_an_engine_that_goes_just_before_it_is_signalled_has_been_stopped(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch(home.paths)
    pid = home.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    kill, signalled = os.kill, []

    def kill_late(pid: int, number: int) -> None:
        signalled.append(number)
        kill(pid, signal.SIGKILL)
        while alive(pid):
            time.sleep(0.01)
        raise ProcessLookupError  # as the system says once it has been fetched by its parent

    monkeypatch.setattr("tui.client.stop.os.kill", kill_late)
    assert await stop_engine(home.paths, timeout_s=2)
    assert signalled == [signal.SIGTERM]


async def test_an_engine_whose_home_was_removed_goes(home: Home) -> None:
    launch(home.paths)
    pid = home.pid
    assert pid is not None
    shutil.rmtree(home.root)
    await eventually(lambda: not alive(pid))


# Where none can run


async def test_a_runtime_folder_open_to_others_is_closed_to_them(home: Home) -> None:
    home.paths.runtime.mkdir(parents=True)
    home.paths.runtime.chmod(0o777)
    launch(home.paths)
    assert stat.S_IMODE(home.paths.runtime.stat().st_mode) == 0o700


def test_a_log_that_cannot_be_written_is_named(home: Home) -> None:
    home.paths.engine_log.mkdir(parents=True)
    why = f"cannot run: its log {home.paths.engine_log} cannot be written: Is a directory$"
    with pytest.raises(CannotHost, match=why):
        launch(home.paths)


def test_an_interpreter_that_has_gone_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.client.launch.command", lambda paths: ["/nonexistent/python"])
    with pytest.raises(CannotHost, match="cannot be started: No such file or directory: /nonexist"):
        launch(home.paths)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Ferry of its own for engines, which may be updated under them."""
    package = tmp_path / "installed" / "tui"
    shutil.copytree(Path(tui.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setattr("tui.client.launch._PROGRAM", package / "daemon" / "__main__.py")
    return package


def update(package: Path) -> None:
    """Write the file with the version in it anew, as every update does."""
    new = package / "__init__.new"
    new.write_text('__version__ = "9.9"\n')
    new.replace(package / "__init__.py")


async def test_an_engine_that_was_updated_on_the_disk_tells_those_who_are_there(
    home: Home, package: Path
) -> None:
    async with home.open() as client:
        assert (await client.status()).note == ""
        update(package)
        async with asyncio.timeout(60):
            while not (note := (await client.status()).note):  # noqa: ASYNC110 (of another process)
                await asyncio.sleep(0.01)
    assert note.startswith("Ferry was updated, this engine is the old one; `ferry engine stop` makes way")


async def test_an_engine_that_was_updated_goes_as_soon_as_nobody_minds(home: Home, package: Path) -> None:
    home.configure("[queue]\nidle_exit_s = 3600\n")
    async with home.open() as client:
        await client.status()
        update(package)
    await eventually(lambda: home.pid is None)
    assert "engine stops: there is nothing to do" in home.log()
    async with home.open() as client:
        assert (await client.status()).version == "9.9"


@pytest.fixture
def open_files() -> Iterator[Callable[[int, int], None]]:
    """Sets how many files this process, and what it starts, may open at once: for now and at most."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda now, most: resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    "words", [["copy"], ["copy", "--foreground"], ["engine", "start"], ["engine", "run"]]
)
def test_no_engine_starts_where_it_could_not_open_its_files(
    home: Home, tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "file").write_text("content")
    operands = [tmp_path / "file", tmp_path / "copy"] if words[0] == "copy" else []
    done = subprocess.run(
        [*("prlimit", "--nofile=12:12"), sys.executable, "-m", "tui", *words, *operands],
        env={**os.environ, "FERRY_HOME": str(home.root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert done.stderr == (
        "ferry: a program may open 12 files at once here, and the engine needs 64. Raise the limit (`ulimit -n`; as"
        " root, for good, in /etc/security/limits.conf), then try again.\n"
    )
    assert home.pid is None


def test_an_engine_may_open_its_files_where_its_starter_could_raise_the_limit(
    home: Home, open_files: Callable[[int, int], None]
) -> None:
    open_files(50, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    launch(home.paths)
    limits = Path(f"/proc/{home.pid}/limits").read_text()
    assert re.search(r"Max open files +64 ", limits)


def test_a_runtime_folder_that_is_a_link_or_somebody_elses_is_refused(home: Home, tmp_path: Path) -> None:
    home.root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    home.paths.runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotHost, match="a link or a file stands in its place"):
        launch(home.paths)
    home.paths.runtime.unlink()
    home.paths.runtime.write_text("")
    with pytest.raises(CannotHost, match="a link or a file stands in its place"):
        launch(home.paths)
    if os.geteuid() == 0:
        home.paths.runtime.unlink()
        home.paths.runtime.mkdir()
        os.chown(home.paths.runtime, 65534, 65534)
        with pytest.raises(CannotHost, match="belongs to another user"):
            prepare_runtime(home.paths.runtime)


async def test_without_a_runtime_folder_jobs_run_in_this_process(home: Home, tmp_path: Path) -> None:
    home.root.mkdir()
    home.paths.runtime.write_text("in the way")
    source = write_random(tmp_path / "a", MIB)
    async with home.open() as client:
        assert (await client.status()).in_process
        assert "inside this Ferry" in client.notice
        assert home.pid == os.getpid(), "it does not hold the lock"
        id = await client.submit(copy_request(source, target=tmp_path / "b", into=False))
        assert await ended(client, id) is JobState.DONE
        other = home.open()
        with pytest.raises(EngineUnreachable, match=f"process {os.getpid()}"):
            await RemoteClient(home.paths, start=None).status()
        await other.close()
    assert home.pid is None
    assert (tmp_path / "b").read_bytes() == source.read_bytes()


async def test_who_cannot_share_a_queue_in_use_is_told_by_whom(home: Home) -> None:
    lock = Lock.take(home.paths.lock)
    assert lock is not None
    lock.sign(None)
    async with home.open() as client:
        started = time.monotonic()
        with pytest.raises(EngineUnreachable, match=f"process {os.getpid()} works on the queue"):
            await client.jobs()
        assert time.monotonic() - started < 20
    lock.release()


async def test_an_engine_that_cannot_start_says_why(home: Home) -> None:
    home.paths.state.parent.mkdir(parents=True)
    home.paths.state.write_text("in the way")
    with pytest.raises(CannotHost, match=str(home.paths.state)):
        launch(home.paths)
    async with home.open() as client:
        assert (await client.status()).in_process
        assert "cannot be kept" in client.notice
        assert not client.keeps_queue


async def test_foreground_leaves_the_queue_alone(home: Home, tmp_path: Path) -> None:
    source = write_random(tmp_path / "a", MIB)
    async with open_foreground(home.paths, Settings()) as client:
        id = await client.submit(copy_request(source, target=tmp_path / "b", into=False))
        assert await ended(client, id) is JobState.DONE
        assert (await client.status()).in_process
    assert not home.root.exists()


async def test_no_engine_is_started_by_asking_whether_there_is_one(home: Home) -> None:
    assert await engine_status(home.paths) is None
    async with RemoteClient(home.paths, start=None) as client:
        with pytest.raises(EngineUnreachable, match="not running"):
            await client.jobs()
    assert not home.root.exists()


async def test_an_engine_of_another_version_is_told_and_can_be_stopped(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch(home.paths)
    monkeypatch.setattr("tui.client.connection.PROTOCOL", 999)
    async with home.open() as client:
        with pytest.raises(ProtocolMismatch):
            await client.jobs()
    with pytest.raises(ProtocolMismatch):
        await engine_status(home.paths)
    assert await stop_engine(home.paths)


# Hooks


async def test_a_hook_learns_how_a_job_ended(home: Home, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f"env | grep FERRY_JOB | sort > {told}.part; mv {told}.part {told}; echo heard"
    home.configure(f"[hooks]\njob_ended = ['sh', '-c', '{script}']\n")
    source = write_random(tmp_path / "a", MIB)
    async with home.open() as client:
        id = await client.submit(copy_request(source, target=tmp_path / "b", into=False))
        assert await ended(client, id) is JobState.DONE
        await eventually(told.exists)
        await eventually(lambda: "heard" in home.log())
    assert told.read_text().splitlines() == [
        f"FERRY_JOB_BYTES={MIB}",
        "FERRY_JOB_ERRORS=0",
        "FERRY_JOB_FILES=1",
        f"FERRY_JOB_ID={id}",
        "FERRY_JOB_KIND=copy",
        "FERRY_JOB_STATE=done",
        f"FERRY_JOB_TARGET={tmp_path / 'b'}",
    ]


async def test_a_hook_that_cannot_run_is_logged_and_harms_nothing(home: Home, tmp_path: Path) -> None:
    settings = Settings(queue=QueueSettings(), hooks=HookSettings(("/nowhere/hook",)))
    home.configure("[hooks]\njob_ended = ['/nowhere/hook']\n")
    source = write_random(tmp_path / "a", MIB)
    async with open_client(home.paths, settings) as client:
        id = await client.submit(copy_request(source, target=tmp_path / "b", into=False))
        assert await ended(client, id) is JobState.DONE
        await eventually(lambda: "the hook '/nowhere/hook' cannot be run" in home.log())
        assert (await client.status()).pid == home.pid
