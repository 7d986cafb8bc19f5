"""What S3 alone has: uploads that outlast a crash, keys that are no names, times as rclone keeps them, the way in."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.places.stand import TAG, TIME_NS, begin, listed, put, some_bytes, write_all
from tests.places.stand_s3 import NOBODY, PART_BYTES, SIZES, client_of
from tests.servers.keys import forget_keys, set_keys
from tests.servers.proxy import running_proxy
from tui.model.entry import EntryKind
from tui.model.error import (
    AlreadyExists,
    AuthenticationFailed,
    NotAFolder,
    NotEmpty,
    NotFound,
    NotListed,
    PlaceError,
    PlaceUnavailable,
    SourceChanged,
    Unsupported,
)
from tui.model.location import S3, Location
from tui.places.base import Attributes, Identity
from tui.places.s3.endpoints import Endpoint, Sizes
from tui.places.s3.ledger import MemoryLedger
from tui.places.s3.opening import S3Opener
from tui.places.s3.reading import FIRST_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers.swift import Swift
    from tui.places.s3.place import S3Place

pytest.importorskip("aiobotocore", reason="S3 needs the extra: pip install 'ferry-tui[s3]'")

PLAIN = Attributes()
FEW = Sizes(
    SIZES.single_bytes, SIZES.part_bytes, page_keys=5, copy_bytes=4 * PART_BYTES, copy_part_bytes=PART_BYTES
)


@pytest.fixture
def keys(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch, swift)


@pytest.fixture
def opener(swift: Swift, keys: None) -> S3Opener:
    return S3Opener(lambda: {"swift": Endpoint("swift", swift.url)}, MemoryLedger(), FEW)


@pytest.fixture
async def place(opener: S3Opener) -> AsyncIterator[S3Place]:
    place = await opener.open(at(), NOBODY)
    yield place
    await place.close()


@pytest.fixture
async def bucket(place: S3Place, request: pytest.FixtureRequest) -> Location:
    """An empty bucket."""
    name = hashlib.md5(request.node.name.encode(), usedforsecurity=False).hexdigest()
    await place.make_folder(at(name))
    return at(name)


@pytest.fixture
async def client(swift: Swift, keys: None) -> AsyncIterator[Any]:
    async with client_of(swift) as client:
        yield client


def at(path: str = "") -> Location:
    return Location(f"/{path}", S3, "swift")


# Buckets and keys


async def test_buckets_are_the_folders_at_the_top(place: S3Place, bucket: Location) -> None:
    assert (await listed(place, at()))[bucket.name].kind is EntryKind.FOLDER
    assert (await place.stat(bucket)).kind is EntryKind.FOLDER
    assert await listed(place, bucket) == {}
    with pytest.raises(AlreadyExists, match=bucket.name):
        await place.make_folder(bucket)
    await put(place, bucket.child("file"))
    with pytest.raises(NotEmpty):
        await place.remove_folder(bucket)
    await place.remove_file(bucket.child("file"))
    await place.remove_folder(bucket)
    assert bucket.name not in await listed(place, at())


async def test_a_bucket_that_is_not_there_is_not_found(place: S3Place) -> None:
    missing = at("missing-bucket")
    for trying in (
        place.stat(missing),
        place.stat(missing.child("file")),
        listed(place, missing),
        put(place, missing.child("file")),
        place.get(missing.child("file"), 1),
        place.open_reader(missing.child("file")),
        place.remove_folder(missing),
    ):
        with pytest.raises(NotFound, match="missing-bucket"):
            await trying
    assert place.alive


async def test_a_name_no_bucket_can_have_is_said_to_be_one(place: S3Place) -> None:
    with pytest.raises(Unsupported, match="no name for a bucket"):
        await place.make_folder(at("UPPER_case"))
    with pytest.raises(NotFound):
        await place.stat(at("UPPER_case"))


async def test_nothing_but_buckets_is_at_the_top(place: S3Place) -> None:
    with pytest.raises(PlaceError, match="file"):
        await put(place, at("file"))
    with pytest.raises(PlaceError, match="file"):
        await begin(place, at("file"), 1)


async def test_folders_come_in_pages_each_entry_once(place: S3Place, bucket: Location) -> None:
    names = {f"{number:02}" for number in range(12)}
    await asyncio.gather(*(put(place, bucket.child(name)) for name in names))
    await asyncio.gather(*(put(place, bucket.below(f"{name}-folder/file")) for name in ("03", "07")))
    pages = [[entry.name for entry in page] async for page in place.list(bucket)]
    assert sorted(name for page in pages for name in page) == sorted({*names, "03-folder", "07-folder"})
    assert [len(page) for page in pages] == [5, 5, 4]


async def told(place: S3Place, folder: Location) -> tuple[set[str], str]:
    """Return the names a listing tells, and what it says of those it cannot tell."""
    names: set[str] = set()
    with pytest.raises(NotListed) as left_out:
        async for page in place.list(folder):
            names |= {entry.name for entry in page}
    return names, left_out.value.message.rpartition(": ")[2]


async def test_keys_that_are_no_names_are_left_out(
    place: S3Place, bucket: Location, client: Any, caplog: Any
) -> None:
    for key in ("a//b", "/c", "../d", "./e", "good"):
        await client.put_object(Bucket=bucket.name, Key=key, Body=b"")
    with caplog.at_level("INFO", logger="tui.places.s3"):
        assert await told(place, bucket) == ({"a", "good"}, "3 keys (such as '../') cannot be told by names")
    assert "left out" in caplog.text
    assert await told(place, bucket.child("a")) == (set(), "the key 'a//' cannot be told by names")


async def test_of_a_file_and_a_folder_of_one_name_the_file_is_shown(
    place: S3Place, bucket: Location, client: Any
) -> None:
    between = [f"a{number}" for number in "!#$%&'"]  # all of them lie between "a" and "a/", on several pages
    for key in ("a", *between, "a/inner", "a.txt/inner"):
        await client.put_object(Bucket=bucket.name, Key=key, Body=b"x")
    names, left_out = await told(place, bucket)
    assert names == {"a", *between, "a.txt"}
    assert left_out == "the key 'a/' cannot be told by names"
    assert (await place.stat(bucket.child("a"))).kind is EntryKind.FILE


@pytest.mark.parametrize(
    "name",
    [
        "two words+1%41&.txt",
        "größe/日本語",
        "\x01\x1b[31m",
        "a=b;c?d#e",
        " blanks at both ends ",
        "line\nand\rreturn",
        "~%2F..",
        "é" * 512,
    ],
    ids=range(8),
)
async def test_other_tools_find_the_keys_they_expect(
    place: S3Place, bucket: Location, client: Any, name: str
) -> None:
    await put(place, bucket.below(name), b"x")
    answer = await client.get_object(Bucket=bucket.name, Key=name)
    async with answer["Body"] as body:
        assert await body.read() == b"x"
    assert name.partition("/")[0] in await listed(place, bucket)
    assert await place.copy(bucket.below(name), bucket.child("copy"), PLAIN, TAG, replace=False) is None
    assert (await place.get(bucket.child("copy"), 1))[1] == b"x"


async def test_nothing_is_put_below_a_file_where_it_would_not_be_seen(
    place: S3Place, bucket: Location
) -> None:
    await put(place, bucket.child("file"), b"x")
    await put(place, bucket.child("other"), b"y")
    inner = bucket.below("file/inner")
    with pytest.raises(NotAFolder, match="file is a file"):
        await put(place, inner)
    with pytest.raises(NotAFolder):
        await listed(place, bucket.child("file"))
    with pytest.raises(NotAFolder):
        await place.copy(bucket.child("other"), inner, PLAIN, TAG, replace=False)
    writer = await begin(place, inner, 3 * PART_BYTES)
    await write_all(writer, some_bytes(3 * PART_BYTES))
    with pytest.raises(NotAFolder):
        await writer.publish(PLAIN, replace=False, flush=False)
    await writer.discard()
    assert set(await listed(place, bucket)) == {"file", "other"}


async def test_what_is_not_utf_8_is_refused(place: S3Place, bucket: Location) -> None:
    with pytest.raises(Unsupported, match="UTF-8"):
        await put(place, bucket.child("\udcff"))
    assert await listed(place, bucket) == {}


async def test_an_empty_folder_goes_with_its_mark(place: S3Place, bucket: Location, client: Any) -> None:
    await place.make_folder(bucket.child("folder"))
    assert [it["Key"] for it in (await client.list_objects_v2(Bucket=bucket.name))["Contents"]] == ["folder/"]
    await put(place, bucket.below("folder/file"))
    await place.remove_file(bucket.below("folder/file"))
    assert await listed(place, bucket.child("folder")) == {}
    await place.remove_folder(bucket.child("folder"))
    assert await listed(place, bucket) == {}


# Times


async def test_the_time_of_a_file_is_changed_and_all_else_stays(
    place: S3Place, bucket: Location, client: Any
) -> None:
    await client.put_object(
        Bucket=bucket.name,
        Key="file",
        Body=b"x",
        ContentType="text/x-kept",
        Metadata={"mtime": "1", "kept": "yes"},
    )
    await place.set_attributes(bucket.child("file"), Attributes(0o600, TIME_NS))
    assert (await place.stat(bucket.child("file"))).mtime_ns == TIME_NS
    head = await client.get_object(Bucket=bucket.name, Key="file")
    assert (head["ContentType"], head["Metadata"]["kept"]) == ("text/x-kept", "yes")


async def test_a_file_nobody_gave_a_time_has_that_of_its_upload(
    place: S3Place, bucket: Location, client: Any
) -> None:
    await client.put_object(Bucket=bucket.name, Key="file", Body=b"x", Metadata={"mtime": "yesterday"})
    entry = await place.stat(bucket.child("file"))
    listed_ns = (await listed(place, bucket))["file"].mtime_ns
    assert abs(entry.mtime_ns - listed_ns) < 2 * 10**9
    assert entry.mtime_ns > TIME_NS


async def test_rclone_sees_the_same_times(
    place: S3Place, bucket: Location, swift: Swift, tmp_path: Path
) -> None:
    if shutil.which("rclone") is None:
        pytest.skip("rclone is not here: apt-get install rclone")
    await place.put(bucket.child("ours"), b"x", Attributes(mtime_ns=TIME_NS), TAG, replace=False, flush=False)
    (tmp_path / "theirs").write_bytes(b"yy")
    os.utime(tmp_path / "theirs", ns=(TIME_NS, TIME_NS))
    store = f":s3,provider=Other,env_auth=true,force_path_style=true,endpoint='{swift.url}':{bucket.name}"
    await rclone("copy", str(tmp_path / "theirs"), store)
    assert (await place.stat(bucket.child("theirs"))).mtime_ns == TIME_NS
    await rclone("copy", f"{store}/ours", str(tmp_path))
    assert (tmp_path / "ours").stat().st_mtime_ns == TIME_NS


async def rclone(*arguments: str) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        ["rclone", "--config", "/dev/null", "--retries", "1", *arguments],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# Uploads in parts


async def test_an_upload_is_gone_on_with_after_a_crash(
    swift: Swift, opener: S3Opener, bucket: Location, client: Any
) -> None:
    data = some_bytes(5 * PART_BYTES + 1000)
    ledger = MemoryLedger()
    crashed = await S3Opener(lambda: {"swift": Endpoint("swift", swift.url)}, ledger, FEW).open(at(), NOBODY)
    writer = await begin(crashed, bucket.child("file"), len(data))
    await write_all(writer, data[: 3 * PART_BYTES + 10])
    await until(lambda: parts_there(client, bucket, "file"), 3)
    await crashed.store.close()  # and nothing of it is told to end in order
    again = await S3Opener(lambda: {"swift": Endpoint("swift", swift.url)}, ledger, FEW).open(at(), NOBODY)
    writer = await begin(again, bucket.child("file"), len(data))
    assert writer.start == 3 * PART_BYTES
    assert await listed(again, bucket) == {}
    await write_all(writer, data)
    await writer.publish(Attributes(mtime_ns=TIME_NS), replace=False, flush=False)
    entry, got = await again.get(bucket.child("file"), len(data))
    assert got == data
    assert entry.mtime_ns == TIME_NS
    assert await ledger.kept(TAG) == []
    await again.close()


async def test_parts_behind_a_gap_are_not_sent_again(
    swift: Swift, keys: None, bucket: Location, client: Any
) -> None:
    data = some_bytes(4 * PART_BYTES)
    identity = Identity(TAG, len(data), TIME_NS)
    begun = await client.create_multipart_upload(Bucket=bucket.name, Key="file", Metadata={"mtime": "1.5"})
    for number, piece in ((1, data[:PART_BYTES]), (3, data[2 * PART_BYTES : 3 * PART_BYTES]), (4, b"wrong")):
        request = {"Bucket": bucket.name, "Key": "file", "UploadId": begun["UploadId"], "PartNumber": number}
        await client.upload_part(**request, Body=piece)
    ledger = MemoryLedger()
    await ledger.keep(bucket.child("file").url, identity, begun["UploadId"])
    async with running_proxy(int(swift.url.rpartition(":")[2])) as line:
        endpoint = Endpoint("swift", f"http://127.0.0.1:{line.port}")
        place = await S3Opener(lambda: {"swift": endpoint}, ledger, FEW).open(at(), NOBODY)
        writer = await place.open_writer(bucket.child("file"), identity)
        assert writer.start == PART_BYTES
        line.sent_bytes = 0
        await write_all(writer, data)
        await writer.publish(PLAIN, replace=False, flush=False)
        assert 2 * PART_BYTES < line.sent_bytes < 3 * PART_BYTES
        entry, got = await place.get(bucket.child("file"), len(data))
        assert (got, entry.mtime_ns) == (data, 1_500_000_000)
        await place.close()


async def test_an_upload_the_store_has_given_up_is_begun_anew(
    place: S3Place, bucket: Location, client: Any
) -> None:
    data = some_bytes(3 * PART_BYTES)
    writer = await begin(place, bucket.child("file"), len(data))
    await write_all(writer, data[: 2 * PART_BYTES])
    await writer.suspend()
    (upload,) = (await client.list_multipart_uploads(Bucket=bucket.name))["Uploads"]
    await client.abort_multipart_upload(Bucket=bucket.name, Key="file", UploadId=upload["UploadId"])
    writer = await begin(place, bucket.child("file"), len(data))
    assert writer.start == 0
    await write_all(writer, data)
    await writer.publish(PLAIN, replace=False, flush=False)
    assert (await place.get(bucket.child("file"), len(data)))[1] == data


async def test_a_big_file_gets_another_time_if_one_is_given_at_the_end(
    place: S3Place, bucket: Location
) -> None:
    data = some_bytes(2 * PART_BYTES)
    writer = await begin(place, bucket.child("file"), len(data))
    await write_all(writer, data)
    await writer.publish(Attributes(mtime_ns=TIME_NS + 1), replace=False, flush=False)
    entry, got = await place.get(bucket.child("file"), len(data))
    assert (entry.mtime_ns, got) == (TIME_NS + 1, data)


async def test_a_file_that_grows_past_one_request_goes_up_in_parts(place: S3Place, bucket: Location) -> None:
    data = some_bytes(FEW.single_bytes + 5000)
    writer = await begin(place, bucket.child("file"), 1000)
    await write_all(writer, data)
    await writer.publish(PLAIN, replace=False, flush=False)
    assert (await place.get(bucket.child("file"), len(data)))[1] == data


async def test_forgotten_uploads_are_found_and_given_up(
    place: S3Place, bucket: Location, client: Any
) -> None:
    await client.create_multipart_upload(Bucket=bucket.name, Key="some/file")
    mine = [it for it in await place.unfinished(0) if bucket.holds(it.location)]
    assert [it.location for it in mine] == [bucket.below("some/file")]
    assert [it for it in await place.unfinished(3600) if bucket.holds(it.location)] == []
    await place.give_up(mine[0])
    assert [it for it in await place.unfinished(0) if bucket.holds(it.location)] == []
    assert "Uploads" not in await client.list_multipart_uploads(Bucket=bucket.name)


async def test_a_large_file_is_copied_in_parts(place: S3Place, bucket: Location) -> None:
    data = some_bytes(5 * PART_BYTES + 1)
    await place.put(bucket.child("file"), data, Attributes(mtime_ns=TIME_NS), TAG, replace=False, flush=False)
    await place.copy(bucket.child("file"), bucket.child("copy"), PLAIN, TAG, replace=False)
    entry, got = await place.get(bucket.child("copy"), len(data))
    assert (entry.mtime_ns, got == data) == (TIME_NS, True)


async def test_a_file_replaced_while_it_is_read_is_not_mixed(place: S3Place, bucket: Location) -> None:
    await put(place, bucket.child("file"), b"old" * FIRST_BYTES)
    reader = await place.open_reader(bucket.child("file"))
    assert await reader.read(0, 2) == b"ol"
    await put(place, bucket.child("file"), b"new" * FIRST_BYTES, replace=True)
    with pytest.raises(SourceChanged, match="file"):
        await reader.read(FIRST_BYTES, 1)


async def parts_there(client: Any, bucket: Location, key: str) -> int:
    uploads = (await client.list_multipart_uploads(Bucket=bucket.name)).get("Uploads", ())
    pages = [await client.list_parts(Bucket=bucket.name, Key=key, UploadId=it["UploadId"]) for it in uploads]
    return sum(len(page.get("Parts", ())) for page in pages)


async def until(count: Any, wanted: int) -> None:
    async with asyncio.timeout(30):
        while await count() != wanted:  # noqa: ASYNC110 - it is another process that counts
            await asyncio.sleep(0.02)


# The way in


async def open_with(endpoint: Endpoint, **options: Any) -> S3Place:
    return await S3Opener(lambda: {endpoint.name: endpoint}, **options).open(endpoint.root, NOBODY)


@pytest.mark.parametrize(
    ("variable", "why"),
    [("AWS_SECRET_ACCESS_KEY", "secret key"), ("AWS_ACCESS_KEY_ID", "access key|secret key")],
)
async def test_wrong_keys_are_told_at_the_door(
    swift: Swift, keys: None, monkeypatch: pytest.MonkeyPatch, variable: str, why: str
) -> None:
    monkeypatch.setenv(variable, "wrong")
    with pytest.raises(AuthenticationFailed, match=why) as caught:
        await open_with(Endpoint("swift", swift.url))
    assert "wrong" not in str(caught.value)


async def test_no_keys_are_told_at_the_door(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_keys(monkeypatch)
    with pytest.raises(AuthenticationFailed, match="no keys"):
        await open_with(Endpoint("swift", swift.url))


async def test_a_name_that_is_no_endpoint_is_a_profile(
    swift: Swift, keys: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(f"[profile work]\nregion = {swift.region}\nendpoint_url = {swift.url}\n")
    (tmp_path / "credentials").write_text(
        f"[work]\naws_access_key_id = {swift.access_key}\naws_secret_access_key = {swift.secret_key}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    place = await S3Opener().open(Location("/", S3, "work"), NOBODY)
    assert (await place.stat(Location("/", S3, "work"))).kind is EntryKind.FOLDER
    await place.close()
    with pytest.raises(NotFound, match="no profile"):
        await S3Opener().open(Location("/", S3, "missing"), NOBODY)


async def test_the_environment_names_the_default_store(
    swift: Swift, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", swift.url)
    place = await S3Opener().open(Location("/", S3), NOBODY)
    with pytest.raises(NotFound):
        await place.stat(Location("/no-such-bucket/file", S3))
    await place.close()


async def test_where_nobody_listens_the_store_is_unavailable(swift: Swift, keys: None) -> None:
    with pytest.raises(PlaceUnavailable, match="cannot be reached"):
        await open_with(Endpoint("swift", "http://127.0.0.1:9"))


async def test_a_store_that_falls_silent_is_noticed(swift: Swift, keys: None) -> None:
    async with running_proxy(int(swift.url.rpartition(":")[2])) as line:
        endpoint = Endpoint("swift", f"http://127.0.0.1:{line.port}")
        place = await open_with(endpoint, silence_s=2.0, sizes=FEW)
        bucket = at("silent-store")
        await place.make_folder(bucket)
        writer = await begin(place, bucket.child("file"), 40 << 20)
        line.freeze()
        with pytest.raises(PlaceUnavailable, match="not answer"):
            await writer.write(0, some_bytes(8 * PART_BYTES))
            await writer.publish(PLAIN, replace=False, flush=False)
        assert not place.alive
        await writer.discard()
        await place.close()


async def test_an_upload_outlasts_the_death_of_the_store(
    own_swift: Swift, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch, own_swift)
    opener = S3Opener(lambda: {"swift": Endpoint("swift", own_swift.url)}, MemoryLedger(), FEW)
    place, file = await opener.open(at(), NOBODY), at("bucket/file")
    await place.make_folder(at("bucket"))
    data = some_bytes(6 * PART_BYTES)
    writer = await begin(place, file, len(data))
    await write_all(writer, data[: 3 * PART_BYTES])
    async with client_of(own_swift) as client:
        await until(lambda: parts_there(client, at("bucket"), "file"), 3)
    own_swift.kill()
    with pytest.raises(PlaceUnavailable):
        await writer.write(3 * PART_BYTES, data[3 * PART_BYTES :])
        await writer.publish(PLAIN, replace=False, flush=False)
    await writer.suspend()
    await place.close()
    own_swift.start()
    place = await opener.open(at(), NOBODY)
    writer = await begin(place, file, len(data))
    assert writer.start == 3 * PART_BYTES
    await write_all(writer, data)
    await writer.publish(PLAIN, replace=False, flush=False)
    assert (await place.get(file, len(data)))[1] == data
    await place.close()


async def test_without_the_library_it_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aiobotocore.session", None)
    with pytest.raises(PlaceError, match=r"pip install 'ferry-tui\[s3\]'"):
        await S3Opener().open(at(), NOBODY)


# Memory


async def test_uploads_share_their_memory(swift: Swift, keys: None, bucket: Location) -> None:
    from tui.places.s3.budget import Budget
    from tui.places.s3.place import S3Place

    door = await open_with(Endpoint("swift", swift.url))
    budget = Budget(3 * PART_BYTES)
    place = S3Place(door.store, MemoryLedger(), budget, FEW)
    contents = {f"file {number}": some_bytes(4 * PART_BYTES + number, number) for number in range(3)}

    async def write(name: str, data: bytes) -> None:
        writer = await begin(place, bucket.child(name), len(data))
        await write_all(writer, data)
        await writer.publish(PLAIN, replace=False, flush=False)

    await asyncio.gather(*(write(name, data) for name, data in contents.items()))
    assert budget.most_bytes <= 3 * PART_BYTES
    assert budget.used_bytes == 0
    for name, data in contents.items():
        assert (await place.get(bucket.child(name), len(data)))[1] == data
    await place.close()


async def test_files_that_are_only_begun_hold_nothing_up() -> None:
    from tui.places.s3.budget import Budget

    budget = Budget(10)
    async with asyncio.timeout(5):
        for _ in range(4):
            await budget.take(8)  # nobody gives any back: waiting would last for ever
    budget.sent(8)
    waiting = asyncio.create_task(budget.take(8))
    await asyncio.sleep(0)
    assert not waiting.done()
    budget.give_back(8, sent=True)
    async with asyncio.timeout(5):
        await waiting
    assert budget.used_bytes == 32
