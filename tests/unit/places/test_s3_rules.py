"""What of S3 needs no store: times as text, sizes of parts, and what its answers mean."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.error import (
    AlreadyExists,
    AuthenticationFailed,
    NameTooLong,
    NotFound,
    OutOfSpace,
    PermissionDenied,
    PlaceError,
    PlaceUnavailable,
    Unsupported,
)
from tui.model.location import S3, Location
from tui.places.s3.endpoints import Endpoint, Sizes, host_of
from tui.places.s3.entries import entry_of_head
from tui.places.s3.known import KNOWN_S, KnownFolders
from tui.places.s3.profiles import profiles
from tui.places.s3.spots import Spot, spot_of
from tui.places.s3.times import given_ns, mtime_of_text, mtime_text, stored_ns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tui.places.s3.store import Store

exceptions = pytest.importorskip(
    "botocore.exceptions", reason="S3 needs the extra: pip install 'ferry-tui[s3]'"
)

from tui.places.s3.errors import from_foreign  # noqa: E402
from tui.places.s3.uploads import make  # noqa: E402

HERE = Location("/bucket/key", S3, "store")


@given(st.integers(-(2**62), 2**62))
def test_a_time_survives_as_text(mtime_ns: int) -> None:
    assert mtime_of_text(mtime_text(mtime_ns)) == mtime_ns


@pytest.mark.parametrize(
    ("text", "mtime_ns"),
    [
        ("1600000000.123456789", 1_600_000_000_123_456_789),
        ("1600000000", 1_600_000_000_000_000_000),
        ("1600000000.5", 1_600_000_000_500_000_000),
        ("1600000000.1234567891", 1_600_000_000_123_456_789),
        ("-1.5", -1_500_000_000),
        ("13569465600", 13_569_465_600_000_000_000),
        ("", None),
        ("1e9", None),
        ("2020-09-13", None),
        ("99999999999999", None),
    ],
)
def test_times_of_other_tools_are_read(text: str, mtime_ns: int | None) -> None:
    assert mtime_of_text(text) == mtime_ns


def test_of_two_tools_that_gave_a_time_rclone_is_believed() -> None:
    s3cmd = "atime:1600000001/ctime:1600000002/gname:mtime:9/md5:0/mode:33188/mtime:1600000003/uid:0"
    assert given_ns({"s3cmd-attrs": s3cmd}) == 1_600_000_003_000_000_000
    assert given_ns({"s3cmd-attrs": s3cmd, "mtime": "1600000004.5"}) == 1_600_000_004_500_000_000
    assert given_ns({"s3cmd-attrs": "mode:33188"}) is given_ns({}) is None


def test_what_s3cmd_notes_for_itself_is_nothing_that_a_copy_lacks() -> None:
    noted = {"s3cmd-attrs": "atime:1600000001/mode:33188/mtime:1600000003/uid:0"}
    head = {"ContentLength": 1, "LastModified": "2026-12-01T13:00:00Z", "Metadata": noted}
    assert not entry_of_head("file", head).described
    assert entry_of_head("file", head | {"Metadata": noted | {"kept": "yes"}}).described


def test_both_ways_to_tell_when_something_was_stored_are_read() -> None:
    assert stored_ns("2026-12-01T13:00:00.123Z") == 1_796_130_000_123_000_000
    assert stored_ns("Tue, 01 Dec 2026 13:00:00 GMT") == 1_796_130_000_000_000_000
    assert stored_ns("yesterday") == 0


@given(st.integers(0, 5 << 40))
def test_any_file_fits_into_the_parts_there_may_be(size_bytes: int) -> None:
    part_bytes = Sizes().part_bytes_of(size_bytes)
    assert part_bytes >= 8 << 20
    assert -(-size_bytes // part_bytes) <= 10_000
    assert part_bytes == 8 << 20 or part_bytes % (1 << 20) == 0


def test_parts_are_small_while_they_may_be() -> None:
    assert Sizes().part_bytes_of(80_000 << 20) == 8 << 20
    assert Sizes().part_bytes_of((80_000 << 20) + 1) == 9 << 20


def test_keys_longer_than_stores_take_are_refused() -> None:
    assert spot_of(Location("/bucket/" + "é" * 512, S3), "write").key == "é" * 512
    with pytest.raises(NameTooLong, match="1024 bytes"):
        spot_of(Location("/bucket/" + "é" * 513, S3), "write")


def test_an_endpoint_says_what_it_is() -> None:
    assert (
        repr(Endpoint("minio", "https://example.org"))
        == "Endpoint(minio: https://example.org, profile default)"
    )


def answer(code: str, message: str = "", status: int = 400) -> Exception:
    told: dict[str, Any] = {"Error": {"Code": code, "Message": message}}
    made = exceptions.ClientError({**told, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")
    return cast("Exception", made)


@pytest.mark.parametrize(
    ("code", "cls", "why"),
    [
        ("NoSuchKey", NotFound, "no such file"),
        ("NoSuchBucket", NotFound, "no such bucket"),
        ("AccessDenied", PermissionDenied, "does not allow"),
        ("InvalidAccessKeyId", AuthenticationFailed, "access key"),
        ("SignatureDoesNotMatch", AuthenticationFailed, "secret key"),
        ("ExpiredToken", AuthenticationFailed, "expired"),
        ("RequestTimeTooSkewed", AuthenticationFailed, "clock"),
        ("AuthorizationHeaderMalformed", PlaceError, "another region"),
        ("PermanentRedirect", PlaceError, "another region"),
        ("SlowDown", PlaceUnavailable, "busy"),
        ("PreconditionFailed", AlreadyExists, "already there"),
        ("QuotaExceeded", OutOfSpace, "quota"),
        ("InvalidObjectState", PermissionDenied, "archive"),
        ("NotImplemented", Unsupported, "kind of request"),
    ],
)
def test_what_a_store_answers_becomes_a_sentence(code: str, cls: type[PlaceError], why: str) -> None:
    told = from_foreign(answer(code, "whatever"), "read", HERE)
    assert type(told) is cls
    assert told.message.startswith("cannot read s3://store@bucket/key: ")
    assert why in told.message
    assert told.location == HERE
    assert told.remedy


def test_the_region_a_store_names_is_passed_on() -> None:
    error = answer("AuthorizationHeaderMalformed")
    error.response["Error"]["Region"] = "eu-west-3"  # type: ignore[attr-defined]
    assert from_foreign(error, "read", HERE).message.endswith("another region: eu-west-3")


def test_an_answer_nobody_knows_is_passed_on() -> None:
    assert "says Odd: some words" in from_foreign(answer("Odd", "some words"), "read", HERE).message


@pytest.mark.parametrize(
    ("code", "status", "cls", "why"),
    [
        ("Odd", 503, PlaceUnavailable, "trouble of its own"),
        ("", 522, PlaceUnavailable, "trouble of its own"),
        ("XMinioStorageFull", 507, OutOfSpace, "no space left"),
        ("Odd", 507, OutOfSpace, "no space left"),
        ("", 413, Unsupported, "larger than the store allows"),
        ("", 403, PermissionDenied, "does not allow"),
        ("", 501, Unsupported, "kind of request"),
        ("Odd", 429, PlaceUnavailable, "busy"),
    ],
)
def test_where_no_code_is_known_the_status_tells(
    code: str, status: int, cls: type[PlaceError], why: str
) -> None:
    told = from_foreign(answer(code, "", status), "write", HERE)
    assert (type(told), told.message) == (cls, f"cannot write {HERE}: {told.message.partition(': ')[2]}")
    assert why in told.message
    assert "disk" not in told.remedy


def test_an_answer_without_a_code_is_told_by_its_status() -> None:
    error = answer("", "", 418)
    error.response["Error"]["Code"] = None  # type: ignore[attr-defined]
    assert from_foreign(error, "read", HERE).message.endswith("the store says 418")


@pytest.mark.parametrize(
    "code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "401"]
)
def test_who_cannot_get_in_is_told_where(code: str) -> None:
    told = from_foreign(answer(code, ""), "read", HERE, "box:9000")
    assert told.message.startswith("cannot read s3://store@bucket/key: ")
    assert "the store at box:9000" in told.message
    assert "the store" in from_foreign(answer(code, ""), "read", HERE).message


def test_a_store_that_cannot_be_reached_is_named_by_its_host() -> None:
    assert (
        "the store at box cannot be reached" in from_foreign(ConnectionError(), "read", HERE, "box").message
    )
    assert "the store at box does not answer" in from_foreign(TimeoutError(), "read", HERE, "box").message


def test_a_host_is_told_without_what_signs_in_there() -> None:
    assert host_of("https://key:secret@box:9000/path") == "box:9000"
    assert host_of("") == host_of("http://[broken") == ""


class UploadOnly:
    """Stands for a store whose keys may write, and nothing else."""

    def __init__(self, *, conditional: bool | None) -> None:
        self.conditional, self.heeds, self.answers_head = conditional, False, True
        self.first, self.known = asyncio.Lock(), KnownFolders()
        self.made: list[dict[str, Any]] = []

    @contextlib.asynccontextmanager
    async def turn(self, spot: Spot) -> AsyncIterator[None]:
        yield

    async def call(self, operation: str, doing: str, location: Location, **_: object) -> None:
        raise PermissionDenied(f"cannot {doing} {location}: {operation}")

    async def keys(self, doing: str, location: Location, **_: object) -> None:
        raise PermissionDenied(f"cannot {doing} {location}: list")

    async def write(self, *, replace: bool) -> None:
        async def ask(**more: Any) -> None:
            self.made.append(more)
            if more and self.conditional is False:
                raise AssertionError("it does not take conditions")

        await make(cast("Store", self), HERE, Spot("bucket", "key"), ask, replace=replace)


@pytest.mark.parametrize("conditional", [None, True, False])
async def test_who_may_only_write_is_let_replace(conditional: bool | None) -> None:
    store = UploadOnly(conditional=conditional)
    await store.write(replace=True)
    assert store.made == [{}]


@pytest.mark.parametrize("conditional", [None, True])
async def test_who_may_only_write_is_let_write_on_condition(conditional: bool | None) -> None:
    store = UploadOnly(conditional=conditional)
    await store.write(replace=False)
    assert store.made == [{"IfNoneMatch": "*"}]


async def test_who_may_only_write_replaces_nothing_by_accident() -> None:
    store = UploadOnly(conditional=False)
    with pytest.raises(PermissionDenied):
        await store.write(replace=False)
    assert store.made == []


# What is known of folders


def known_of(*names: str) -> tuple[KnownFolders, list[float]]:
    """Return what is known after a folder `in` was listed that has some folders, and the time, to be moved."""
    now = [0.0]
    known = KnownFolders(lambda: now[0])
    listed = known.learn(Spot("bucket", "in"))
    assert not known.is_no_folder(Spot("bucket", "in/file"))
    listed.add(names)
    listed.complete = True
    return known, now


def test_a_name_that_was_not_listed_as_a_folder_is_none() -> None:
    known, _ = known_of("folder")
    assert known.is_no_folder(Spot("bucket", "in/file"))
    assert not known.is_no_folder(Spot("bucket", "in/folder"))
    for unknown in (Spot("other", "in/file"), Spot("bucket", "file"), Spot("bucket", "in/deeper/file")):
        assert not known.is_no_folder(unknown)


def test_what_is_made_below_makes_a_name_a_folder() -> None:
    known, _ = known_of()
    known.made(Spot("bucket", "in/one/two/file"))
    assert not known.is_no_folder(Spot("bucket", "in/one"))
    assert known.is_no_folder(Spot("bucket", "in/two"))


def test_what_becomes_a_file_is_no_folder_any_more() -> None:
    known, _ = known_of()
    assert known.is_folder(Spot("bucket", "in"))
    known.made(Spot("bucket", "in"))
    assert not known.is_folder(Spot("bucket", "in"))


def test_what_is_known_of_folders_goes_out_of_date() -> None:
    known, now = known_of()
    now[0] = KNOWN_S + 1
    assert not known.is_no_folder(Spot("bucket", "in/file"))


def test_what_is_known_of_folders_stays_small() -> None:
    known, _ = known_of(*(f"{number}" for number in range(20_000)))
    assert not known.is_no_folder(Spot("bucket", "in/file"))
    for number in range(1000):
        known.learn(Spot("bucket", f"folder {number}")).complete = True
    assert not known.is_no_folder(Spot("bucket", "folder 0/file"))
    assert known.is_no_folder(Spot("bucket", "folder 999/file"))


# Profiles


def test_profiles_of_both_files_are_known(tmp_path: Path) -> None:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[default]\nregion = eu-west-1\n[profile work]\ns3 =\n  addressing_style = path\n"
        "[profile 'two words']\n[sso-session corp]\n[services local]\n"
    )
    (folder / "credentials").write_text(
        "[default]\n[minio]\naws_access_key_id = a\naws_secret_access_key = %b\n"
    )
    assert profiles({"HOME": str(tmp_path)}) == ["default", "minio", "two words", "work"]


def test_files_of_profiles_may_lie_elsewhere_be_missing_or_broken(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile one]\n")
    (tmp_path / "broken").write_bytes(b"no section\n\xff")
    named = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "broken"),
    }
    assert profiles(named) == ["one"]
    assert profiles({"HOME": str(tmp_path)}) == []
