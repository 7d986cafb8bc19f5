"""Values survive the wire, whatever names they quote."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tui.model.entry import EntryKind, Facts
from tui.model.fidelity import Loss, Lost, Trait
from tui.model.job import (
    Conflict,
    EngineStatus,
    Job,
    JobError,
    JobKind,
    JobState,
    Progress,
    Question,
    Request,
    Stage,
    Update,
)
from tui.model.location import Location
from tui.wire.shapes import Codec, escape, unescape

NASTY = Location("/tmp/\udcff\n\x1b[31m/é\u202e")

JOB = Job(
    id=7,
    kind=JobKind.MOVE,
    state=JobState.RUNNING,
    first_source=NASTY,
    source_count=3,
    target=Location("/srv", "sftp", "ann@example.org"),
    into=True,
    conflict=Conflict.NEWER,
    priority=3,
    limit_bytes_s=None,
    position=1,
    created_at=1.5,
    revision=9,
    progress=Progress(files_done=1, current=NASTY, time_left_s=2.5, counting=True),
    note="waits for \udcfe",
    stage=Stage(NASTY.parent.child(".ferry-a-b.part"), NASTY, 5),
)
STATUS = EngineStatus(1, "0.1.0", 1, 2.0, 5_000, 2, 0.5)
NAMES = st.binary(min_size=1, max_size=40).map(lambda name: name.replace(b"/", b"-").replace(b"\0", b"-"))
SAID = st.text(st.characters(codec=None, exclude_categories=()), max_size=50)


def through_json(codec: Codec, value: object) -> object:
    data = codec.encode(value)
    json.loads(data.decode("ascii", errors="strict") if data.isascii() else data.decode())
    return codec.decode(data)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Update, Update(3, (JOB, replace(JOB, id=8, target=None, stage=None)), (1, 2), STATUS, True)),
        (Job, JOB),
        (tuple[Lost, ...], (Lost(Loss.OWNER, 12, (NASTY, Location("/b"))), Lost(Loss.TIMES, 1))),
        (
            Request,
            Request(kind=JobKind.COPY, sources=(NASTY,), target=NASTY, preserve=frozenset({Trait.TIMES})),
        ),
        (JobError, JobError(1, 7, NASTY, "NotFound", "cannot read \udcff", "", 3.25)),
        (
            Question,
            Question(1, 7, NASTY, NASTY, Facts(EntryKind.FILE, 5, -1), Facts(EntryKind.LINK, 2**62, 7), 4.0),
        ),
        (Request, Request(kind=JobKind.CHMOD, sources=(NASTY,), mode_set=0o600, recursive=True, paused=True)),
        (Request, Request(kind=JobKind.RENAME, sources=(NASTY,), targets=(Location("/b"),))),
        (tuple[int, ...] | None, None),
        (tuple[int, ...] | None, (1, 2)),
        (type(None), None),
    ],
)
def test_every_kind_of_value_comes_back_equal(hint: object, value: object) -> None:
    assert through_json(Codec(hint), value) == value


@given(NAMES)
def test_any_name_of_a_file_travels_unchanged(name: bytes) -> None:
    location = Location.local(b"/folder/x" + name)
    assert through_json(Codec(Location), location) == location


@given(SAID)
def test_any_text_travels_unchanged(text: str) -> None:
    assert unescape(escape(text)) == text
    escape(text).encode()
    assert through_json(Codec(str), text) == text


def test_a_misspelt_field_is_refused_and_named() -> None:
    with pytest.raises(msgspec.ValidationError, match="pirority"):
        Codec(Request).decode(b'{"kind":"copy","sources":[],"pirority":1}')


def test_a_wrong_location_is_refused_with_where_it_stands() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"not a location: 'nope' - at `\$\.sources\[0\]`"):
        Codec(Request).decode(b'{"kind":"copy","sources":["nope"]}')
    with pytest.raises(msgspec.ValidationError, match="Expected `str`, got `int`"):
        Codec(Request).decode(b'{"kind":"copy","sources":[3]}')
