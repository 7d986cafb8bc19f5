"""Many sources of one folder go over the wire as its name and theirs."""

from __future__ import annotations

import pytest

from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.model.siblings import Siblings
from tui.wire import lines
from tui.wire.bundle import BULKY_SOURCES, bundle, unbundle
from tui.wire.faults import CallError
from tui.wire.protocol import LINE_LIMIT_BYTES, METHODS

HERE = Location("/here")
MANY = [f"file {n} {'x' * 200} \udcff\n" for n in range(3 * BULKY_SOURCES)]


def request_of(sources: object) -> Request:
    return Request(kind=JobKind.COPY, sources=sources, target=Location("/there"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sources", [Siblings(HERE, MANY), tuple(HERE.children(MANY))], ids=["siblings", "tuple"]
)
def test_many_of_one_folder_are_bundled_and_come_out_as_they_were(sources: object) -> None:
    alone, names = bundle(request_of(sources))
    assert alone.sources == (HERE.child(MANY[0]),)
    assert unbundle(alone, names) == request_of(tuple(HERE.children(MANY)))


@pytest.mark.parametrize(
    "sources",
    [
        Siblings(HERE, MANY[:2]),
        (*HERE.children(MANY), Location("/elsewhere/x")),
        (*HERE.children(MANY), Location("/x")),
    ],
    ids=["few", "another folder", "the root"],
)
def test_few_and_those_of_several_folders_travel_each_by_itself(sources: object) -> None:
    alone, names = bundle(request_of(sources))
    assert (alone, names) == (request_of(tuple(sources)), b"")  # type: ignore[arg-type]
    assert isinstance(alone.sources, tuple)


@pytest.mark.parametrize("names", [b"a/b", b"a\0..", b"a\0\0b", b"."])
def test_what_is_no_plain_name_is_refused(names: bytes) -> None:
    with pytest.raises(CallError, match="not plain names"):
        unbundle(request_of((HERE.child("a"),)), names)


def test_a_million_names_fit_a_line() -> None:
    alone, _ = bundle(request_of(Siblings(HERE, MANY)))
    names = b"\0".join(b"holiday picture %07d.jpg" % n for n in range(1_000_000))
    line = lines.call(METHODS["submit"], 1, {"request": alone, "token": "t", "names": names})
    assert len(line) < LINE_LIMIT_BYTES
    assert METHODS["submit"].decode(lines.read(line).params)["names"] == names
