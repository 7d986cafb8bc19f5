"""Commands, their real engine, and a real store that speaks S3, named in the configuration."""

from __future__ import annotations

import asyncio
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import AioSession
from real_ferry import RealFerry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.swift import Swift

    Connect = Callable[[Swift], RealFerry]


@pytest.fixture
def connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Connect]:
    """Return what runs commands in the folder `here` of a person whose configuration names a store `test`."""
    home, person, here = tmp_path / "home", tmp_path / "person", tmp_path / "here"
    for folder in (home / "config", person / ".aws", here):
        folder.mkdir(parents=True)
    ferry = RealFerry(here, {"FERRY_HOME": str(home), "HOME": str(person)}, monkeypatch, capfdbinary)

    def to(swift: Swift) -> RealFerry:
        (home / "config" / "config.toml").write_text(
            f'[s3.test]\nurl = "{swift.url}"\nprofile = "own"\nregion = "{swift.region}"\n'
        )
        (person / ".aws" / "credentials").write_text(
            f"[own]\naws_access_key_id={swift.access_key}\naws_secret_access_key={swift.secret_key}\n"
        )
        return ferry

    yield to
    ferry.end()


@pytest.fixture
def store(connect: Connect, swift: Swift) -> RealFerry:
    """Run commands on the store that all tests share."""
    return connect(swift)


def test_a_store_is_known_from_when_it_stands_in_the_configuration(
    connect: Connect, swift: Swift, tmp_path: Path
) -> None:
    ferry, config = connect(swift), tmp_path / "home" / "config" / "config.toml"
    text = config.read_text()
    config.write_text("")
    assert ferry("engine", "start").stdout
    assert b"s3://test@/" not in ferry("hosts").stdout
    assert b"test" in ferry("ls", "s3://test@", status=1).stderr
    config.write_text(text)
    assert b"s3://test@/" in ferry("hosts").stdout
    ferry("mkdir", "s3://test@late")
    assert b"late/" in ferry("ls", "s3://test@").stdout.splitlines()


def test_a_tree_goes_to_a_store_and_comes_back(store: RealFerry, tmp_path: Path) -> None:
    tree = tmp_path / "here" / "tree"
    (tree / "sub").mkdir(parents=True)
    data = bytes(range(256)) * 10_000
    (tree / "big").write_bytes(data)
    (tree / "sub" / "a b+%").write_bytes(b"two")
    assert b"s3://test@/" in store("hosts").stdout
    store("mkdir", "s3://test@trees")
    assert b"trees/" in store("ls", "s3://test@").stdout.splitlines()
    assert b"copied 2 files" in store("copy", "tree", "s3://test@trees/new/").stdout
    assert store("ls", "s3://test@trees/new/tree").stdout == b"big\nsub/\n"
    assert store("cat", "s3://test@trees/new/tree/sub/a%20b+%25").stdout == b"two"
    assert b"all alike" in store("verify", "tree", "s3://test@trees/new").stdout
    (planned,) = map(
        json.loads,
        store("sync", "--dry-run", "--json", "tree", "s3://test@trees/new/tree").stdout.splitlines(),
    )
    assert (planned["files_same"], planned["new"], planned["changed"]) == (2, 0, 0)
    assert b"copied 2 files" in store("copy", "s3://test@trees/new/tree", "back").stdout
    assert (tmp_path / "here" / "back" / "big").read_bytes() == data
    assert b"deleted 2 files" in store("delete", "s3://test@trees/new").stdout
    assert store("ls", "s3://test@trees").stdout == b""


def test_what_no_path_can_tell_is_said(store: RealFerry, tmp_path: Path) -> None:
    store("mkdir", "s3://test@untold")
    asyncio.run(put(tmp_path, "untold", "a", "b//c", "../d"))
    listed = store("ls", "s3://test@untold", status=1)
    assert listed.stdout == b"a\nb/\n"
    (line,) = listed.stderr.splitlines()
    assert b"cannot read all of s3://test@untold: the key '../' cannot be told by names" in line
    assert b"Give the keys other names" in line
    counted = store("du", "s3://test@untold", status=1)
    assert b"1 file, 2 folders" in counted.stdout
    (line,) = counted.stderr.splitlines()
    assert b"cannot count all of s3://test@untold: 2 keys (such as '../') cannot be told by names" in line
    rehearsed = store("copy", "--dry-run", "s3://test@untold", "folder", status=1)
    assert b"(and 2 that cannot be told by names, such as '../')" in rehearsed.stdout


def test_a_store_that_is_not_named_anywhere_is_refused(store: RealFerry) -> None:
    assert b"cannot connect to s3://other@/" in store("ls", "s3://other@bucket", status=1).stderr


def test_a_half_upload_nobody_wants_is_found_by_the_doctor_and_removed(
    connect: Connect, own_swift: Swift, tmp_path: Path
) -> None:
    store = connect(own_swift)  # all uploads of a store are looked at, and other tests leave some
    store("mkdir", "s3://test@bucket")
    assert b"no half upload that no job wants" in store("doctor", "--uploads").stdout
    asyncio.run(begin_upload(tmp_path, "bucket", "some/half"))
    assert b"half of s3://test@bucket/some/half, begun" in store("doctor", "--uploads").stdout
    assert b"no half upload begun more than 24 h ago" in store("doctor", "--abort-uploads", "24").stdout
    assert b"1 half upload removed" in store("doctor", "--abort-uploads", "0").stdout
    assert b"no half upload that no job wants" in store("doctor", "--uploads").stdout
    assert b"a number of hours" in store("doctor", "--abort-uploads", "a day", status=2).stderr


async def begin_upload(tmp_path: Path, bucket: str, key: str) -> None:
    """Begin an upload as another program would that dies then."""
    async with another_program(tmp_path) as client:
        await client.create_multipart_upload(Bucket=bucket, Key=key)


async def put(tmp_path: Path, bucket: str, *keys: str) -> None:
    """Put some words under keys as another program may."""
    async with another_program(tmp_path) as client:
        for key in keys:
            await client.put_object(Bucket=bucket, Key=key, Body=b"some words")


def another_program(tmp_path: Path) -> Any:
    """A client of the library as it comes."""
    own = tomllib.loads((tmp_path / "home" / "config" / "config.toml").read_text())["s3"]["test"]
    session = AioSession(profile="own")
    session.set_config_variable("credentials_file", str(tmp_path / "person" / ".aws" / "credentials"))
    return session.create_client("s3", endpoint_url=own["url"], region_name=own["region"])
