"""Reading a large file's copy back, slice by slice, before it gets its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.run import Sums
from tui.model.error import VerificationFailed
from tui.places.local.verifying import SLICE_BYTES

if TYPE_CHECKING:
    from tui.engine.run import Run
    from tui.places.local.slices import SliceCopy


async def is_true(run: Run, copy: SliceCopy, *, last: bool) -> bool:
    """Say whether a copy reads back as its source, as far as the run was not stopped meanwhile.

    Args:
        last: One that does not is an error, for it was copied again already.
    Raises:
        VerificationFailed: They differ, and it was the last try.
        PlaceError: One of them cannot be read.
    """
    verified = 0
    run.record.verifying += 1
    try:
        while not run.stopped and (done := await run.hop(copy.read_back, SLICE_BYTES)):
            verified += done
            run.count(Sums(verified_bytes=done))
    except VerificationFailed:
        if last:
            raise
        return False
    finally:
        run.record.verifying -= 1
        whole = verified == copy.size_bytes
        run.count(Sums(verified_files=1) if whole else Sums(verified_bytes=-verified))
    return True
