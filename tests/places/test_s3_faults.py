"""What goes wrong at stores: answers that are lost, keys that expire, other regions."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, cast

import pytest

from tests.places.stand import TAG, begin, put, some_bytes, write_all
from tui.model.error import AuthenticationFailed, NotFound, PlaceError, PlaceUnavailable, Unsupported
from tui.model.location import S3, Location
from tui.places.base import Attributes
from tui.places.s3.endpoints import Endpoint, Sizes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tui.places.s3.place import S3Place
    from tui.places.s3.store import Store

pytest.importorskip("aiobotocore", reason="S3 needs the extra: pip install 'ferry-tui[s3]'")

from tests.places.stand_s3 import NOBODY
from tests.servers.keys import forget_keys
from tests.servers.polite import Polite, polite_place, running
from tui.places.s3.opening import S3Opener
from tui.places.s3.uploads import guarded

FILE = Location("/bucket/file", S3, "polite")
OTHER = FILE.parent.child("other")
PART_BYTES = 1000
SIZES = Sizes(single_bytes=PART_BYTES, part_bytes=PART_BYTES)
DATA = some_bytes(3 * PART_BYTES)


@pytest.fixture
def store() -> Polite:
    return Polite()


@pytest.fixture
async def place(store: Polite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Place]:
    async with polite_place(store, monkeypatch, SIZES) as place:
        yield place


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """A port nobody listens at: it is taken, and that is all."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def upload(place: S3Place) -> None:
    writer = await begin(place, FILE, len(DATA))
    await write_all(writer, DATA)
    await writer.publish(Attributes(), replace=False, flush=False)


async def test_an_upload_whose_last_answer_was_lost_is_complete(place: S3Place, store: Polite) -> None:
    store.loses_answers = True
    await upload(place)
    assert store.objects == {"file": DATA}
    assert await place.abandon(FILE.parent, TAG) == 0


async def test_an_upload_that_was_given_up_elsewhere_is_not_taken_for_complete(
    place: S3Place, store: Polite
) -> None:
    writer = await begin(place, FILE, len(DATA))
    await write_all(writer, DATA)
    store.uploads.clear()
    with pytest.raises(NotFound, match="half upload has gone"):
        await writer.publish(Attributes(), replace=False, flush=False)
    await writer.discard()
    assert store.objects == {}


@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
async def test_what_goes_wrong_after_the_store_has_said_200_is_tried_again(
    place: S3Place, store: Polite, code: str
) -> None:
    store.belated.extend([code, code])
    await upload(place)
    assert store.objects == {"file": DATA}
    store.belated.extend([code, code])
    await place.copy(FILE, OTHER, Attributes(), TAG, replace=False)
    assert store.objects == {"file": DATA, "other": DATA}


async def test_an_upload_the_store_cannot_put_together_is_not_taken_for_complete(
    place: S3Place, store: Polite
) -> None:
    store.belated.extend(["InternalError"] * 9)
    with pytest.raises(PlaceUnavailable, match="the store has trouble of its own"):
        await upload(place)
    assert store.objects == {}
    assert len(store.uploads) == 1
    assert place.alive


async def test_a_clock_that_is_wrong_is_told_and_costs_no_second_try(place: S3Place, store: Polite) -> None:
    store.objects["file"] = DATA
    store.refusals.extend([(403, "RequestTimeTooSkewed")] * 9)
    with pytest.raises(AuthenticationFailed, match="the clock here and that of the store at 127"):
        await place.get(FILE, len(DATA))
    assert store.asked["GET"] == 1


async def test_a_discarded_upload_leaves_nothing(place: S3Place, store: Polite) -> None:
    writer = await begin(place, FILE, len(DATA))
    await write_all(writer, DATA[: 2 * PART_BYTES])
    await writer.discard()
    assert store.uploads == {}
    assert await place.abandon(FILE.parent, TAG) == 0


async def test_keys_that_expire_in_the_midst_are_read_anew(place: S3Place, store: Polite) -> None:
    store.expired = True
    with pytest.raises(PlaceUnavailable, match="keys have expired"):
        await put(place, FILE)
    assert not place.alive


async def test_keys_that_had_expired_before_are_told_at_the_door(
    store: Polite, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.expired = True
    with pytest.raises(AuthenticationFailed, match="keys have expired"):
        async with polite_place(store, monkeypatch):
            pass


async def test_a_bucket_of_another_region_is_told_as_such(place: S3Place, store: Polite) -> None:
    store.refusals.extend([(301, "PermanentRedirect")] * 9)
    with pytest.raises(PlaceError, match="another region"):
        await place.open_reader(FILE)
    assert place.alive


async def test_a_store_that_is_not_there_is_told_by_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_keys(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with free_port() as port:
        opener = S3Opener(lambda: {"gone": Endpoint("gone", f"http://127.0.0.1:{port}")})
        with pytest.raises(PlaceUnavailable, match=f"the store at 127.0.0.1:{port} cannot be reached"):
            await opener.open(Location("/", S3, "gone"), NOBODY)


async def test_no_redirection_is_followed(place: S3Place, store: Polite) -> None:
    third = Polite()
    async with running(third) as url:
        store.elsewhere = f"{url}/bucket/file"
        with pytest.raises(PlaceError, match="another region"):
            await put(place, FILE)
        with pytest.raises(PlaceError, match="another region"):
            await place.get(FILE, 100)
    assert third.asked == {}
    assert place.alive


class Signing:
    def __init__(self, *, signs_bodies: bool) -> None:
        self.signs_bodies = signs_bodies


async def test_what_is_sent_goes_with_one_sum_and_not_two() -> None:
    assert await guarded(cast("Store", Signing(signs_bodies=True)), b"") == {}
    md5 = {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    assert await guarded(cast("Store", Signing(signs_bodies=False)), b"") == md5


async def test_a_folder_whose_name_no_answer_can_hold_is_refused_for_good(place: S3Place) -> None:
    with pytest.raises(Unsupported, match="folder of such a name") as told:
        await place.stat(FILE.parent.child("a\x01"))
    assert not told.value.transient
    assert place.alive
