"""What may be asked of places beyond the local disk."""

from __future__ import annotations

import re

import pytest

from tui.engine.planner import check
from tui.model.error import FerryError, Unsupported, UsageError
from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.model.misfit import Names

HERE, THERE, BUCKET = Location("/a"), Location("/a", "sftp", "user@host"), Location("/b/a", "s3")


@pytest.mark.parametrize(
    "request_",
    [
        *(
            Request(kind=kind, sources=(source,), target=target, into=kind is not JobKind.SYNC)
            for kind in (JobKind.COPY, JobKind.MOVE, JobKind.SYNC)
            for source, target in ((HERE, THERE), (THERE, HERE), (THERE, BUCKET), (BUCKET, BUCKET))
        ),
        Request(kind=JobKind.VERIFY, sources=(THERE,), targets=(BUCKET,)),
        Request(kind=JobKind.DELETE, sources=(THERE, THERE)),
        Request(kind=JobKind.CHMOD, sources=(THERE,)),
        Request(kind=JobKind.RENAME, sources=(THERE,), targets=(THERE.parent.child("b"),)),
        Request(kind=JobKind.COPY, sources=(THERE,), target=HERE, names=Names.ASK),
        Request(kind=JobKind.COPY, sources=(THERE,), target=HERE, names=Names.SKIP),
    ],
    ids=lambda request: f"{request.kind} {request.sources[0].scheme}",
)
def test_what_can_be_done_there_is_taken(request_: Request) -> None:
    check(request_)


@pytest.mark.parametrize(
    ("request_", "error", "why"),
    [
        (Request(kind=JobKind.TRASH, sources=(THERE,)), Unsupported, "there is no trash on host: delete it"),
        (
            Request(kind=JobKind.DELETE, sources=(THERE, BUCKET)),
            UsageError,
            "all sources must be at one place",
        ),
        (Request(kind=JobKind.COPY, sources=(HERE, THERE), target=HERE), UsageError, "all sources must be"),
        (Request(kind=JobKind.RENAME, sources=(THERE,), targets=(HERE,)), UsageError, "the same place"),
        (
            Request(kind=JobKind.VERIFY, sources=(HERE, HERE), targets=(THERE, BUCKET)),
            UsageError,
            "all targets must be at one place",
        ),
        (
            Request(kind=JobKind.MOVE, sources=(THERE,), target=HERE, names=Names.SKIP),
            UsageError,
            "names are changed",
        ),
        (
            Request(kind=JobKind.COPY, sources=(HERE,), target=THERE, names=Names.SKIP),
            UsageError,
            "names are changed",
        ),
        (
            Request(kind=JobKind.DELETE, sources=(Location("/", "sftp", "host"),)),
            UsageError,
            "the root folder cannot",
        ),
        (
            Request(kind=JobKind.DELETE, sources=(Location("/a", "gopher", "host"),)),
            Unsupported,
            "gopher is not known",
        ),
    ],
)
def test_what_cannot_is_refused_in_a_sentence(request_: Request, error: type[FerryError], why: str) -> None:
    with pytest.raises(error, match=re.escape(why)):
        check(request_)
