"""Undo moves across filesystems, kill the engine at random moments, and see that all is back where it was.

`python -m tests.soak.undo_rounds --rounds 50` is what `make soak` runs; the test suite plays a few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.soak.crash_rounds import Size
from tests.soak.rounds import Ground, main
from tests.trees import describe, differences, make_mixed_tree, partials

if TYPE_CHECKING:
    from pathlib import Path

WAITS_S = (0, 0.02, 0.1, 0.2, 0.4)
SIZE = Size()

Tree = dict[bytes, tuple[object, ...]]


def play(ground: Ground, size: Size = SIZE) -> tuple[str, list[str]]:
    """Move a fresh tree and some files, with or without kills, and undo it with kills; return what is wrong then."""
    rng = ground.rng
    from_far, kill_both = rng.random() < 0.5, rng.random() < 0.5
    source, target = ground.place(from_far) / "from", ground.place(not from_far) / "to"
    make_mixed_tree(source / "tree", rng.randrange(1 << 30), size.files, size.large_bytes, size.large_files)
    for number in range(20):
        (source / f"file {number}").write_text(f"{number}")
    target.mkdir()
    wanted = _entries(source)
    words = ("move", "--detach", *(str(path) for path in sorted(source.iterdir())), f"{target}/")
    id_ = ground.ferry.run(*words).stdout.strip()
    if kill_both:
        ground.kills, _ = ground.ferry.killed_during(id_, rng, WAITS_S)
    else:
        ground.ferry.run("queue", "wait", id_)
    kills, ended = ground.ferry.interrupted(rng, WAITS_S, "queue", "undo", "--detach", id_)
    ground.kills += kills
    faults = []
    if ended.returncode != 0:
        faults.append(f"exit status {ended.returncode}: {ended.stderr.strip() or ended.stdout.strip()}")
    faults += [f"left behind: {path}" for path in partials(source, target)]
    faults += [f"not moved back: {path.name!r}" for path in target.iterdir()]
    faults += differences(wanted, _entries(source))[:5]
    return f"undo {'far to near' if from_far else 'near to far'}", faults


def _entries(folder: Path) -> Tree:
    return {name: state for name, state in describe(folder).items() if name}


if __name__ == "__main__":
    raise SystemExit(main(__doc__, play))
