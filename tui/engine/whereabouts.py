"""What a move across filesystems writes down to be undone by: where each copy stands, and by what it is known again.

Before anything is made a trace says COPIED, which stands for nothing done yet. Once all is copied it says where it is,
before the original goes; and at the end it goes again itself where the original did not.
"""

from __future__ import annotations

import contextlib
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.look import Way
from tui.engine.traces import Bar, Trace
from tui.model.error import from_os_error
from tui.model.job import Conflict
from tui.places.local.identity import Likeness, compare, identify
from tui.places.local.standing import look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.engine.look import Step
    from tui.engine.run import Run
    from tui.places.local.root import Root


def begun(run: Run, steps: Sequence[Step], target: Root, kept: Mapping[int, Trace]) -> list[Trace]:
    """Return what is known before some sources are copied. For a thread.

    Args:
        kept: What an earlier go wrote down, by number.
    """
    return [_begun(run, step, target, kept.get(step.idx)) for step in steps]


def _begun(run: Run, step: Step, target: Root, before: Trace | None) -> Trace:
    bar = _bar(run, step, target, before)
    if before is not None and before.is_under_way:
        return replace(before, bar=bar)
    # What was written down before anything was done tells what is to be moved, if this undoes another move.
    identity = before.identity if before is not None and before.bar is None else ""
    return Trace(step.idx, None, identity, bar)


def _bar(run: Run, step: Step, target: Root, before: Trace | None) -> Bar:
    """Return what will speak against undoing the copy, COPIED where nothing will."""
    if run.fitting is not None and step.info is not None and stat.S_ISDIR(step.info.st_mode):
        return Bar.NAMES
    if step.there is None:
        return Bar.COPIED
    if before is not None and before.bar in (Bar.MERGED, Bar.REPLACED):
        return before.bar
    if step.source.fresh or is_our_copy(step, target, before):
        # This job made it. Only a file may have been replaced nevertheless, if somebody else's came in between.
        replaced = run.rule_for(step.idx, step.name) in (Conflict.OVERWRITE, Conflict.NEWER)
        return Bar.REPLACED if replaced and not stat.S_ISDIR(step.there.st_mode) else Bar.COPIED
    return Bar.MERGED if step.way is Way.MERGE else Bar.REPLACED


def is_our_copy(step: Step, target: Root, before: Trace | None) -> bool:
    """Say whether what stands at the target is the tree this job built, and gave its name, just before a crash."""
    if step.there is None or before is None or before.where is None or not before.is_under_way:
        return False
    with contextlib.suppress(OSError):
        now = identify(target.fd, step.target_name, step.there)
        return compare(before.identity, now) is Likeness.SAME
    return False


def about_to_stand(trace: Trace, target: Root, stage: bytes, name: bytes) -> Trace:
    """Return what a tree will be known by when it gets its name. For a thread.

    Raises:
        PlaceError: It cannot be looked at.
    """
    try:
        return replace(trace, where=target.location(name), identity=identify(target.fd, stage))
    except OSError as error:
        raise from_os_error(error, target.location(stage), "look at") from error


def copied(
    traces: Mapping[int, Trace], names: Mapping[int, bytes], parent: Root, target: Root
) -> list[Trace]:
    """Return where copies stand that are complete, by number; the originals are in `parent`. For a thread."""
    found = []
    for idx, name in names.items():
        trace = traces.get(idx)
        if trace is None or trace.bar is None or not trace.is_under_way:
            continue
        with contextlib.suppress(OSError):
            identity, home = identify(target.fd, name), identify(parent.fd, b".")
            found.append(replace(trace, where=target.location(name), identity=identity, bar=None, home=home))
    return found


def left(
    traces: Mapping[int, Trace], names: Mapping[int, bytes], failed: set[int], parent: Root
) -> tuple[set[int], list[int], list[Trace]]:
    """Look what did not go after all, as it was skipped or has failed. For a thread.

    Args:
        names: Of the originals, by number.
        failed: What is not done, and may be retried.
    Returns:
        The numbers of what has gone, and of what was left as it was; and new traces for what is in between.
    """
    gone: set[int] = set()
    whole: list[int] = []
    changed: list[Trace] = []
    for idx, name in names.items():
        try:
            info = look(parent.fd, name)
        except OSError:
            continue
        trace = traces.get(idx)
        if info is None:
            gone.add(idx)
        if info is None or trace is None:
            continue
        if stat.S_ISDIR(info.st_mode):
            changed += [replace(trace, bar=Bar.PARTLY)] if trace.bar is None else []
        elif idx not in failed or trace.bar is Bar.REPLACED:
            whole.append(idx)
        elif trace.bar is None:
            changed.append(replace(trace, bar=Bar.COPIED))
    return gone, whole, changed
