"""URLs on the command line: what they name, and what is refused without repeating a password."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tui.cli.operands import locate
from tui.cli.urls import is_far, is_home, parse_url, scp_hint
from tui.model.error import UsageError
from tui.model.location import Location

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("sftp://host", "host", "/~"),
        ("sftp://host/", "host", "/"),
        ("sftp://host/~/a/../b", "host", "/~/b"),
        ("SFTP://me@host:2222/a/b/", "me@host:2222", "/a/b"),
        ("sftp://[fe80::1%eth0]:22/x", "[fe80::1%eth0]:22", "/x"),
        ("sftp://host/a%20b/%FF?c#d", "host", "/a b/\udcff?c#d"),
        ("sftp://host/100%", "host", "/100%"),
        ("sftp://me%40home@host/x", "me@home@host", "/x"),
    ],
)
def test_an_sftp_url_names_a_path_on_a_host(url: str, authority: str, path: str) -> None:
    assert parse_url(url) == Location(path, "sftp", authority)
    assert is_far(url)


@pytest.mark.parametrize(
    ("url", "name", "path"),
    [
        ("s3://bucket/a/key", "", "/bucket/a/key"),
        ("s3://bucket/a/", "", "/bucket/a"),
        ("s3://bucket", "", "/bucket"),
        ("s3:///", "", "/"),
        ("s3://", "", "/"),
        ("s3://minio@bucket/k%2B1", "minio", "/bucket/k+1"),
        ("s3://minio@/", "minio", "/"),
    ],
)
def test_an_s3_url_names_a_store_a_bucket_and_a_key(url: str, name: str, path: str) -> None:
    assert parse_url(url) == Location(path, "s3", name)


def test_a_file_url_is_a_path_here() -> None:
    assert parse_url("file:///a%20b/../c") == Location("/c")
    assert parse_url("file://localhost/c") == Location("/c")
    assert not is_far("file:///c")


@pytest.mark.parametrize(
    "url", ["sftp://me:hunter2@host/x", "sftp://:hunter2@host/", "s3://AK:hunter2@bucket/key"]
)
def test_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="a password does not belong in a URL") as caught:
        parse_url(url)
    assert "hunter2" not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/x", "Ferry knows no places of the kind ftp://"),
        ("sftp:///x", "has no host"),
        ("sftp://-oProxyCommand=x/", "has no host"),
        ("sftp://-x@host/", "a user who cannot be one"),
        ("sftp://host:0/", "has no host"),
        ("sftp://a..b/", "has no host"),
        ("sftp://host:65536/", "has no host"),
        ("sftp://me:hunter/2@host/x", "has no host"),
        ("sftp://host/~/../x", "above a home folder"),
        ("sftp://host/a%00b", "NUL"),
        ("s3:///key", "a key without a bucket"),
        ("s3://bucket/a/../b", "a part that is empty, . or .."),
        ("s3://bucket//a", "a part that is empty, . or .."),
        ("s3://a b@bucket/", "no store can have"),
        ("file://host/x", "names no host"),
    ],
)
def test_what_names_nothing_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_url(url)
    assert "hunter" not in caught.value.message + caught.value.remedy


def test_a_file_here_that_looks_like_a_url_is_named_by_its_folder(here: Path) -> None:
    assert locate("./sftp://host/x") == Location(f"{os.getcwd()}/sftp:/host/x")
    assert locate("sftp:x") == Location(f"{os.getcwd()}/sftp:x")


def test_only_the_home_folder_of_a_host_has_to_be_resolved() -> None:
    assert is_home(parse_url("sftp://host"))
    assert is_home(parse_url("sftp://host/~/x"))
    assert not is_home(parse_url("sftp://host/a/~"))
    assert not is_home(parse_url("s3://bucket/~"))


@pytest.mark.parametrize("word", ["host:path", "me@host:", "me@host:/x", "host:/x", "a:b"])
def test_a_word_as_for_scp_gets_a_hint(here: Path, word: str) -> None:
    assert "sftp://host/path" in scp_hint(word)


@pytest.mark.parametrize("word", ["12:30", "/a:b", "./a:b", "plain", "standing:file", "x/a:b"])
def test_other_words_get_none(here: Path, word: str) -> None:
    (here / "standing:file").touch()
    assert scp_hint(word) == ""
