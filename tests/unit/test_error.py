"""What an operating system's error becomes: a sentence with its cause, and what can be done."""

from __future__ import annotations

import errno

import pytest

from tui.model import error
from tui.model.location import Location


@pytest.mark.parametrize(
    ("number", "kind", "cause", "advice"),
    [
        (errno.ENOENT, error.NotFound, "no such file or folder", "Check its name"),
        (errno.EACCES, error.PermissionDenied, "permission denied", "permissions or owner, then retry"),
        (errno.EPERM, error.PermissionDenied, "not permitted", "lsattr"),
        (errno.ENOSPC, error.OutOfSpace, "no space left", "Free some space"),
        (errno.EDQUOT, error.OutOfSpace, "the disk quota is used up", "quota"),
        (errno.EMFILE, error.PlaceUnavailable, "too many files are open", "ulimit -n"),
        (errno.EFBIG, error.Unsupported, "a file may not be so large there", "ulimit -f"),
        (
            errno.EMLINK,
            error.Unsupported,
            "there can be no more folders in one folder, or names of one file",
            "over several",
        ),
        (errno.ENOMEM, error.PlaceUnavailable, "the system has no memory for it", "End what takes it"),
        (errno.EBUSY, error.PlaceUnavailable, "busy or not answering", "then retry"),
        (errno.EXDEV, error.PlaceError, "Invalid cross-device link", ""),
    ],
)
def test_a_system_error_is_told_with_its_cause_and_its_remedy(
    number: int, kind: type[error.PlaceError], cause: str, advice: str
) -> None:
    told = error.from_os_error(OSError(number, "Invalid cross-device link"), Location("/there"), "write")
    assert type(told) is kind
    assert told.message == f"cannot write /there: {cause}"
    assert advice in told.remedy
    assert told.errno == number
