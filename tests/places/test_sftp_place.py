"""A place over SFTP: what it does with names, links and attributes, with and without the server's extensions."""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from tests.mounts import tmpfs
from tests.servers.sftp import connected, place_on, plain_place
from tests.servers.sshd import running_sshd
from tui.model.entry import EntryKind
from tui.model.error import (
    AlreadyExists,
    IsAFolder,
    LinkInTheWay,
    NameTooLong,
    NotAFolder,
    NotEmpty,
    NotFound,
    OutOfSpace,
    PlaceError,
    PlaceUnavailable,
    ReadOnly,
    Unsupported,
    VerificationFailed,
)
from tui.model.location import Location
from tui.places.base import Attributes, Identity
from tui.places.sftp.channel import Channel
from tui.places.sftp.errors import Refused
from tui.places.sftp.place import SftpPlace
from tui.places.sftp.protocol import Code, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers.sshd import Sshd
    from tui.places.sftp.session import Answer

TAG = "job12345"
SECOND = 1_000_000_000
PLAIN = Attributes(mode=0o640, mtime_ns=1_234_567_890 * SECOND)


@pytest.fixture(params=["openssh", "no extensions", "asyncssh"])
async def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SftpPlace]:
    """One place on each kind of server there is."""
    if request.param == "asyncssh":
        async with plain_place(monkeypatch) as found:
            yield found
        return
    server: Sshd = request.getfixturevalue("sshd" if request.param == "openssh" else "plain_sshd")
    async with place_on(server) as found:
        yield found


@pytest.fixture
async def far(sshd: Sshd) -> AsyncIterator[SftpPlace]:
    async with place_on(sshd) as found:
        yield found


def at(path: Path, name: str = "") -> Location:
    location = Location(str(path), "sftp", "test")
    return location.child(name) if name else location


async def names_in(place: SftpPlace, folder: Location) -> list[str]:
    return [entry.name async for page in place.list(folder) for entry in page]


async def test_what_a_server_offers_is_what_the_place_can(sshd: Sshd, plain_sshd: Sshd) -> None:
    async with place_on(sshd) as full, place_on(plain_sshd) as bare:
        can, cannot = full.capabilities, bare.capabilities
        assert can.copies and can.space and can.flushes
        assert not (cannot.copies or cannot.space or cannot.flushes)
        assert can.time_step_ns == cannot.time_step_ns == SECOND
        with pytest.raises(Unsupported):
            await bare.space(Location("/tmp", "sftp", "test"))
        assert (await full.space(Location("/tmp", "sftp", "test"))).size_bytes > 0


async def test_the_home_folder_is_found(place: SftpPlace) -> None:
    home = await place.resolve(Location("/~", "sftp", "test"))
    below = await place.resolve(Location("/~/a/b", "sftp", "test"))
    assert home.path.startswith("/") and "~" not in home.path
    assert below == home.below("a/b")
    assert await place.resolve(at_root := Location("/~x", "sftp", "test")) == at_root


@pytest.mark.parametrize("size_bytes", [0, 1, 4096, 300_000, 1_000_000])
async def test_a_small_file_comes_back_as_it_was_put(
    place: SftpPlace, tmp_path: Path, size_bytes: int
) -> None:
    data = os.urandom(size_bytes)
    await place.put(at(tmp_path, "a"), data, PLAIN, TAG, replace=False, flush=True)

    entry, got = await place.get(at(tmp_path, "a"), 1 << 20)

    assert got == data == (tmp_path / "a").read_bytes()
    assert (entry.size_bytes, entry.mtime_ns, stat.S_IMODE(entry.mode)) == (size_bytes, PLAIN.mtime_ns, 0o640)
    assert entry == await place.stat(at(tmp_path, "a"))
    assert os.listdir(tmp_path) == ["a"]


async def test_names_are_any_bytes(place: SftpPlace, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe \n\x1b[31m\xc3\xa4'\"\\")
    await place.put(at(tmp_path, name), b"x", PLAIN, TAG, replace=False, flush=False)
    assert os.listdir(os.fsencode(tmp_path)) == [os.fsencode(name)]
    assert await names_in(place, at(tmp_path)) == [name]
    await place.rename(at(tmp_path, name), at(tmp_path, "b" + name))
    assert (await place.stat(at(tmp_path, "b" + name))).name == "b" + name


async def test_a_name_that_is_taken_stays_what_it_was(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "broken").symlink_to("nowhere")
    for name in ("a", "broken"):
        with pytest.raises(AlreadyExists):
            await place.put(at(tmp_path, name), b"new", PLAIN, TAG, replace=False, flush=False)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert (tmp_path / "broken").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["a", "broken"]


async def test_what_is_to_be_replaced_makes_way(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "a").symlink_to("other")
    await place.put(at(tmp_path, "a"), b"new", PLAIN, TAG, replace=True, flush=False)
    await place.put(at(tmp_path, "a"), b"newer", PLAIN, TAG, replace=True, flush=False)
    await place.put(at(tmp_path, "b"), b"first", PLAIN, TAG, replace=True, flush=False)

    await place.stat(at(tmp_path, "a"))
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"newer"
    assert (tmp_path / "other").read_bytes() == b"other"
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "other"]


async def test_a_folder_never_makes_way_for_a_file(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsAFolder):
        await place.put(at(tmp_path, "a"), b"new", PLAIN, TAG, replace=True, flush=False)
    await place.stat(at(tmp_path))
    assert (tmp_path / "a").is_dir() and os.listdir(tmp_path) == ["a"]


async def test_a_big_folder_is_listed_in_pages(place: SftpPlace, tmp_path: Path) -> None:
    expected = {f"entry-{number:04}" for number in range(3000)}
    for name in expected:
        (tmp_path / name).touch()
    pages = [page async for page in place.list(at(tmp_path))]
    assert len(pages) > 10
    found = [entry for page in pages for entry in page]
    assert len(found) == 3000 and {entry.name for entry in found} == expected
    assert all(entry.kind is EntryKind.FILE for entry in found)


async def test_a_listing_that_is_left_closes_its_folder(far: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for _ in range(1500):  # more than a process may have open
        async with aclosing(far.list(at(tmp_path))) as pages:
            async for page in pages:
                assert page[0].name == "a"
                break
    assert await names_in(far, at(tmp_path)) == ["a"]


async def test_openings_given_up_leave_nothing_open(far: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for _ in range(1500):
        task = asyncio.create_task(far.open_reader(at(tmp_path, "a")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    reader = await far.open_reader(at(tmp_path, "a"))
    await reader.close()


async def test_links_are_shown_with_where_they_point(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, points_to in (("to-folder", "folder"), ("broken", "nowhere")):
        await place.make_symlink(at(tmp_path, name), points_to, TAG, replace=False)
    to_folder, broken = [await place.stat(at(tmp_path, name)) for name in ("to-folder", "broken")]
    assert (to_folder.kind, to_folder.link_target) == (EntryKind.FOLDER_LINK, "folder")
    assert (broken.kind, broken.link_target) == (EntryKind.BROKEN_LINK, "nowhere")
    assert (await place.stat(at(tmp_path, "to-folder"), follow=True)).kind is EntryKind.FOLDER
    with pytest.raises(NotFound):
        await place.stat(at(tmp_path, "broken"), follow=True)
    with pytest.raises(AlreadyExists):
        await place.make_symlink(at(tmp_path, "broken"), "folder", TAG, replace=False)
    await place.make_symlink(at(tmp_path, "broken"), "folder", TAG, replace=True)
    assert os.readlink(tmp_path / "broken") == "folder"
    await place.stat(at(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["broken", "folder", "to-folder"]


async def test_links_are_not_read_through(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("secret")
    with pytest.raises(LinkInTheWay):
        await place.open_reader(at(tmp_path, "link"))
    with pytest.raises(LinkInTheWay):
        await place.get(at(tmp_path, "link"), 100)
    with pytest.raises(LinkInTheWay):
        await place.set_attributes(at(tmp_path, "link"), PLAIN)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) != 0o640


async def test_a_link_swapped_in_before_the_opening_is_noticed(
    far: SftpPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    session = far._session
    opened = session.open

    async def swap_then_open(path: bytes, flags: int, mode: int | None = None) -> bytes:
        os.unlink(path)
        os.symlink(tmp_path / "secret", path)
        return await opened(path, flags, mode)

    monkeypatch.setattr(session, "open", swap_then_open)
    for step in (lambda: far.open_reader(at(tmp_path, "a")), lambda: far.get(at(tmp_path, "a"), 100)):
        (tmp_path / "a").unlink(missing_ok=True)
        (tmp_path / "a").write_bytes(b"public")
        with pytest.raises(LinkInTheWay):
            await step()


async def test_a_link_in_the_place_of_a_half_file_is_not_written_through(
    place: SftpPlace, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_bytes(b"victim")
    identity = Identity(TAG, 100, 5)
    writer = await place.open_writer(at(tmp_path, "a"), identity)
    await writer.suspend()
    (half,) = [name for name in os.listdir(tmp_path) if name.startswith(".ferry-")]
    (tmp_path / half).unlink()
    (tmp_path / half).symlink_to("victim")

    writer = await place.open_writer(at(tmp_path, "a"), identity)
    await writer.write(0, bytes(100))
    await writer.publish(PLAIN, replace=False, flush=False)

    assert writer.start == 0
    assert (tmp_path / "victim").read_bytes() == b"victim"
    assert (tmp_path / "a").read_bytes() == bytes(100) and not (tmp_path / "a").is_symlink()


async def test_pipes_and_folders_are_not_opened(place: SftpPlace, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for step in (place.open_reader, lambda where: place.get(where, 100)):
        with pytest.raises(Unsupported):
            await step(at(tmp_path, "pipe"))
        with pytest.raises(IsAFolder):
            await step(at(tmp_path))
        with pytest.raises(NotFound):
            await step(at(tmp_path, "nothing"))


async def test_a_file_with_more_bytes_than_wanted_is_refused(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(11))
    with pytest.raises(Unsupported):
        await place.get(at(tmp_path, "a"), 10)


async def test_a_reader_gives_any_range(place: SftpPlace, tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    (tmp_path / "a").write_bytes(data)
    reader = await place.open_reader(at(tmp_path, "a"))
    spans = [(0, 10), (5, 1 << 20), (2_999_990, 100), (0, 5_000_000), (3_000_001, 10), (7, 0)]
    got = await asyncio.gather(*[reader.read(offset, size) for offset, size in spans])
    assert got == [data[offset : offset + size] for offset, size in spans]
    with (tmp_path / "a").open("ab") as file:
        file.write(b"more")
    assert (await reader.look()).size_bytes == reader.entry.size_bytes + 4
    await reader.close()


async def test_a_file_in_the_making_has_another_name_and_is_nobody_elses(
    place: SftpPlace, tmp_path: Path
) -> None:
    data = os.urandom(2_500_000)
    writer = await place.open_writer(at(tmp_path, "a"), Identity(TAG, len(data), 5))
    view = memoryview(bytearray(data))
    for offset in range(0, len(data), 1 << 20):
        await writer.write(offset, view[offset : offset + (1 << 20)])
    (half,) = os.listdir(tmp_path)
    assert half.startswith(f".ferry-{TAG}-") and len(half) == len(f".ferry-{TAG}-") + 16
    assert stat.S_IMODE((tmp_path / half).stat().st_mode) == 0o600
    await writer.publish(Attributes(mtime_ns=7 * SECOND), replace=False, flush=True)

    found = (tmp_path / "a").stat()
    (tmp_path / "made-here").touch()
    assert (tmp_path / "a").read_bytes() == data and found.st_mtime == 7
    assert (
        found.st_mode == (tmp_path / "made-here").stat().st_mode
    )  # what the server gives, where nothing is asked


async def test_a_file_that_is_not_what_was_written_is_not_published(place: SftpPlace, tmp_path: Path) -> None:
    writer = await place.open_writer(at(tmp_path, "a"), Identity(TAG, 100, 5))
    await writer.write(0, bytes(100))
    await place.stat(at(tmp_path))
    (half,) = os.listdir(tmp_path)
    os.truncate(tmp_path / half, 99)
    with pytest.raises(VerificationFailed):
        await writer.publish(PLAIN, replace=True, flush=False)
    await writer.discard()
    assert os.listdir(tmp_path) == []


async def test_a_name_taken_meanwhile_can_be_decided_upon(place: SftpPlace, tmp_path: Path) -> None:
    writer = await place.open_writer(at(tmp_path, "a"), Identity(TAG, 3, 5))
    await writer.write(0, b"new")
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(AlreadyExists):
        await writer.publish(PLAIN, replace=False, flush=False)
    assert (tmp_path / "a").read_bytes() == b"old"
    await writer.publish(PLAIN, replace=True, flush=False)
    await place.stat(at(tmp_path))
    assert (tmp_path / "a").read_bytes() == b"new" and os.listdir(tmp_path) == ["a"]


async def test_a_copy_within_the_server_is_whole(far: SftpPlace, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(data)
    await far.copy(at(tmp_path, "a"), at(tmp_path, "b"), PLAIN, TAG, replace=False)
    found = (tmp_path / "b").stat()
    assert (tmp_path / "b").read_bytes() == data
    assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o640, PLAIN.mtime_ns)
    with pytest.raises(AlreadyExists):
        await far.copy(at(tmp_path, "a"), at(tmp_path, "b"), PLAIN, TAG, replace=False)
    with pytest.raises(NotFound):
        await far.copy(at(tmp_path, "nothing"), at(tmp_path, "c"), PLAIN, TAG, replace=False)
    await far.stat(at(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


async def test_folders_are_made_and_removed(place: SftpPlace, tmp_path: Path) -> None:
    await place.make_folder(at(tmp_path, "a"), 0o2777)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o2777
    with pytest.raises(AlreadyExists):
        await place.make_folder(at(tmp_path, "a"))
    with pytest.raises(NotFound):
        await place.make_folder(at(tmp_path / "b", "c"))
    (tmp_path / "a" / "x").touch()
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(NotEmpty):
        await place.remove_folder(at(tmp_path, "a"))
    with pytest.raises(NotAFolder):
        await place.remove_folder(at(tmp_path, "link"))
    with pytest.raises(IsAFolder):
        await place.remove_file(at(tmp_path, "a"))
    await place.remove_file(at(tmp_path, "link"))
    await place.remove_file(at(tmp_path / "a", "x"))
    await place.remove_folder(at(tmp_path, "a"))
    assert os.listdir(tmp_path) == []
    with pytest.raises(NotFound):
        await place.remove_folder(at(tmp_path, "a"))
    with pytest.raises(NotFound):
        await place.remove_file(at(tmp_path, "a"))


async def test_only_folders_are_listed(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(NotAFolder):
        await names_in(place, at(tmp_path, "a"))
    with pytest.raises(NotFound):
        await names_in(place, at(tmp_path, "b"))


async def test_entries_of_every_kind_get_other_names(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"file")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    for name in ("file", "link", "folder"):
        for taken in ("broken", "file", "folder"):
            with pytest.raises(AlreadyExists):
                await place.rename(at(tmp_path, name), at(tmp_path, taken))
        await place.rename(at(tmp_path, name), at(tmp_path, f"new-{name}"))
        await place.rename(at(tmp_path, f"new-{name}"), at(tmp_path, name))
    with pytest.raises(IsAFolder):
        await place.rename(at(tmp_path, "file"), at(tmp_path, "folder"), replace=True)
    with pytest.raises(NotAFolder):
        await place.rename(at(tmp_path, "folder"), at(tmp_path, "file"), replace=True)
    with pytest.raises(Unsupported):
        await place.rename(at(tmp_path, "folder"), at(tmp_path / "folder", "inside"))
    await place.rename(at(tmp_path, "file"), at(tmp_path, "broken"), replace=True)
    await place.stat(at(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["broken", "folder", "link"]
    assert (tmp_path / "broken").read_bytes() == b"file"


async def test_attributes_are_set_on_files_and_folders(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder"):
        await place.set_attributes(at(tmp_path, name), PLAIN)
        await place.set_attributes(at(tmp_path, name), Attributes(mode=0o700))
        found = (tmp_path / name).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o700, PLAIN.mtime_ns)
    with pytest.raises(NotFound):
        await place.set_attributes(at(tmp_path, "nothing"), PLAIN)


async def test_only_half_files_of_the_job_are_abandoned(place: SftpPlace, tmp_path: Path) -> None:
    for name in ("a", "b"):
        writer = await place.open_writer(at(tmp_path, name), Identity(TAG, 10, 5))
        await writer.suspend()
    other = await place.open_writer(at(tmp_path, "c"), Identity("other123", 10, 5))
    await other.suspend()
    (tmp_path / f".ferry-{TAG}-0123456789abcdef.part").write_bytes(b"the only one there is")
    (tmp_path / f".ferry-{TAG}-folder").mkdir()
    os.utime(tmp_path, (1000, 1000))

    assert await place.abandon(at(tmp_path), TAG) == 2
    assert await place.abandon(at(tmp_path), TAG) == 0

    left = sorted(os.listdir(tmp_path))
    assert len(left) == 3 and left[:2] == [
        f".ferry-{TAG}-0123456789abcdef.part",
        f".ferry-{TAG}-folder",
    ]
    assert os.stat(tmp_path).st_mtime == 1000


async def test_a_name_too_long_is_told_as_that(far: SftpPlace, tmp_path: Path) -> None:
    with pytest.raises(NameTooLong) as caught:
        await far.make_folder(at(tmp_path, "x" * 300))
    assert str(caught.value).startswith(f"cannot create the folder sftp://test{tmp_path}/xxx")


async def test_a_full_filesystem_is_told_as_that(far: SftpPlace, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", "size=1m") as small:
        with pytest.raises(OutOfSpace):
            await far.put(at(small, "a"), bytes(2 << 20), PLAIN, TAG, replace=False, flush=False)
        writer = await far.open_writer(at(small, "b"), Identity(TAG, 20 << 20, 5))
        with pytest.raises(OutOfSpace):
            for offset in range(0, 20 << 20, 1 << 20):
                await writer.write(offset, bytes(1 << 20))
        with pytest.raises(OutOfSpace):
            await writer.publish(PLAIN, replace=False, flush=False)
        await writer.discard()
        assert os.listdir(small) == []


async def test_a_filesystem_nobody_writes_to_is_told_as_that(far: SftpPlace, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "fixed", "ro") as fixed:
        with pytest.raises(ReadOnly):
            await far.put(at(fixed, "a"), b"x", PLAIN, TAG, replace=False, flush=False)
        with pytest.raises(ReadOnly):
            await far.make_folder(at(fixed, "a"))


async def test_a_connection_without_sftp_is_told_as_that(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd", extra="", plain=False) as server:
        config = tmp_path / "sshd" / "sshd_config"
        server.stop()
        server._extra = ""
        server.start()
        assert "Subsystem" not in config.read_text()
        async with connected(server) as connection:
            with pytest.raises(Unsupported):
                await SftpPlace.start(connection, Location("/", "sftp", "test"))


async def test_after_closing_all_is_out_of_reach(sshd: Sshd, tmp_path: Path) -> None:
    async with place_on(sshd) as place:
        await place.close()
        assert not place.alive
        with pytest.raises(PlaceUnavailable):
            await place.stat(at(tmp_path))
        await place.close()


async def test_what_is_closed_touches_no_other_file(far: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    reader = await far.open_reader(at(tmp_path, "a"))
    writer = await far.open_writer(at(tmp_path, "b"), Identity(TAG, 2, 5))
    await reader.close()
    await writer.suspend()
    other = await far.open_writer(at(tmp_path, "c"), Identity(TAG, 2, 5))  # has a handle of those
    with pytest.raises(ValueError, match="closed"):
        await reader.read(0, 1)
    with pytest.raises(ValueError, match="closed"):
        await writer.write(0, b"bb")
    await other.write(0, b"cc")
    await other.publish(PLAIN, replace=False, flush=False)
    assert (tmp_path / "c").read_bytes() == b"cc"


async def test_a_shell_that_prints_is_told_as_no_sftp(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd", extra="ForceCommand echo Welcome to this host") as server:
        async with connected(server) as connection:
            with pytest.raises(Unsupported, match='not SFTP but "Welcome to this host"') as told:
                await SftpPlace.start(connection, Location("/", "sftp", "test"))
            assert "internal-sftp" in told.value.remedy


@pytest.mark.parametrize("command", ["/bin/false", "sleep 0.2"])
async def test_a_host_that_ends_the_session_at_once_is_told_as_that(tmp_path: Path, command: str) -> None:
    with running_sshd(tmp_path / "sshd", extra=f"ForceCommand {command}") as server:
        async with connected(server) as connection:
            with pytest.raises(PlaceUnavailable, match="ended the session at once") as told:
                await SftpPlace.start(connection, Location("/", "sftp", "test"))
            assert "Its log tells why" in told.value.remedy


@pytest.mark.parametrize("at_step", [1, 2])
@pytest.mark.parametrize("by", ["refusal", "cancelling"])
async def test_what_was_to_be_replaced_comes_back_where_that_fails(
    plain_sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_step: int, by: str
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    async with place_on(plain_sshd) as place:
        session = place._session
        rename, steps = session.rename, []

        async def fail(path: bytes, new: bytes) -> None:
            steps.append(new)
            if len(steps) < at_step:
                await rename(path, new)
            elif by == "refusal":
                raise Refused(Code.FAILURE)
            else:  # it is done, but nobody hears of it
                await rename(path, new) if at_step == 1 else None
                raise asyncio.CancelledError

        monkeypatch.setattr(session, "rename", fail)
        put = place.put(at(tmp_path, "a"), b"new", PLAIN, TAG, replace=True, flush=False)
        with pytest.raises((PlaceError, asyncio.CancelledError)):
            await put
        await place.stat(at(tmp_path))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


async def test_a_rename_that_replaces_touches_no_third_file(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    for name in ("a.part", "b.part"):
        (tmp_path / name).write_bytes(b"precious")
    await place.rename(at(tmp_path, "a"), at(tmp_path, "b"), replace=True)
    assert sorted(os.listdir(tmp_path)) == ["a.part", "b", "b.part"]
    assert (tmp_path / "b").read_bytes() == b"new"
    assert (tmp_path / "a.part").read_bytes() == (tmp_path / "b.part").read_bytes() == b"precious"


async def test_a_file_renamed_to_itself_stays(place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    await place.rename(at(tmp_path, "a"), at(tmp_path, "a"), replace=True)
    with pytest.raises(AlreadyExists):
        await place.rename(at(tmp_path, "a"), at(tmp_path, "a"))
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"a"


async def test_no_more_small_files_are_open_than_any_server_allows(
    plain_sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_files = most = 0
    post = Channel._send_now

    def counted(channel: Channel, kind: Kind, *rest: Any, slow: bool) -> None:
        nonlocal open_files, most
        open_files += (kind == Kind.OPEN) - (kind == Kind.CLOSE)
        most = max(most, open_files)
        post(channel, kind, *rest, slow=slow)

    folder = Location(str(tmp_path), "sftp", "test")
    async with place_on(plain_sshd) as place:
        monkeypatch.setattr(Channel, "_send_now", counted)
        names = [folder.child(str(number)) for number in range(200)]
        await asyncio.gather(
            *(place.put(name, b"x", PLAIN, TAG, replace=False, flush=False) for name in names)
        )
        assert (most, open_files) == (64, 0)
        most = 0
        found = await asyncio.gather(*(place.get(name, 10) for name in names))
        assert (most, open_files) == (64, 0)
    assert {data for _, data in found} == {b"x"}


async def test_folders_get_their_modes_whatever_the_server_takes_away(
    place: SftpPlace, tmp_path: Path
) -> None:
    folder = Location(str(tmp_path), "sftp", "test")
    modes = [0o755, 0o777, 0o755, 0o700, 0o775, 0o770, 0o1777, 0o500, 0o777, 0o751]
    for number, mode in enumerate(modes):
        await place.make_folder(folder.child(str(number)), mode)
    found = [stat.S_IMODE((tmp_path / str(number)).stat().st_mode) for number in range(len(modes))]
    assert found == modes


async def test_a_folder_is_one_request_once_it_is_known_what_the_server_makes(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, asked = Location(str(tmp_path), "sftp", "test"), []
    async with place_on(sshd) as place:
        send = place._session.send

        def noting(kind: Kind, *parts: bytes, slow: bool = False) -> Answer:
            asked.append(kind)
            return send(kind, *parts, slow=slow)

        await place.make_folder(folder.child("first"), 0o700)
        monkeypatch.setattr(place._session, "send", noting)
        await place.make_folder(folder.child("second"), 0o700)
    assert asked == [Kind.MKDIR]
