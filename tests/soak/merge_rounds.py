"""Merge random trees by every conflict rule, kill the engine at random moments, and hold the result against a model.

`python -m tests.soak.merge_rounds --rounds 150` is what `make soak` runs; the test suite plays a few.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.soak.rounds import Ground, main
from tests.trees import partials

if TYPE_CHECKING:
    import random

RULES = ("skip", "overwrite", "newer", "rename", "fail")
FOLDER = ("folder",)
WAITS_S = (0, 0.02, 0.05, 0.1, 0.2)

Tree = dict[str, tuple[object, ...]]
"""By relative path: what stands there (a folder, a file's content and time, a link's target)."""


def read_tree(root: Path) -> Tree:
    found: Tree = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                what: tuple[object, ...] = ("link", info.st_mtime_ns, os.readlink(path))
            elif stat.S_ISDIR(info.st_mode):
                what = FOLDER
            else:
                what = ("file", info.st_mtime_ns, Path(path).read_bytes())
            found[os.path.relpath(path, root)] = what
    return found


def make_tree(root: Path, rng: random.Random, names: int = 24, depth: int = 0) -> None:
    """Make a tree of few different names and contents, so that two such trees meet in many ways."""
    root.mkdir(parents=True)
    for number in rng.sample(range(names), rng.randrange(names // 4, names // 2)):
        path, chance, version = root / f"n{number}", rng.random(), rng.randrange(3)
        if chance < 0.3 and depth < 3:
            make_tree(path, rng, names, depth + 1)
        elif chance < 0.4:
            path.symlink_to(f"to {version}")
            os.utime(path, ns=(1_600_000_000 * 10**9,) * 2, follow_symlinks=False)
        else:
            path.write_bytes(b"v%d" % version * (version + 1) * ((6 << 20) if chance > 0.98 else 1))
            os.utime(path, ns=((1_600_000_000 + version) * 10**9,) * 2)


@dataclass
class Model:
    """What a merge should come to.

    Attributes:
        target: What should stand at the target.
        stay: What should stay at the source, even after a move.
        refused: How many entries should be told as not done.
    """

    rule: str
    target: Tree
    stay: set[str] = field(default_factory=set)
    refused: int = 0

    def merge(self, source: Tree) -> None:
        new_names: dict[str, str] = {}
        barred: list[str] = []
        for path in sorted(source, key=lambda path: path.count("/")):
            if any(path.startswith(f"{folder}/") for folder in barred):
                self.stay.add(path)
                continue
            folder, name = os.path.split(path)
            new_names[path] = place = os.path.join(new_names.get(folder, ""), name)
            what, there = source[path], self.target.get(place)
            if there is None:
                self.target[place] = what
            elif there == what:
                continue
            elif self.rule == "rename":
                new_names[path] = self._beside(place, what)
            elif FOLDER in (what, there):  # neither takes the other's place, whatever the rule
                self._refuse(path, told=self.rule != "skip")
                barred += [path] if what == FOLDER else []
            else:
                self._conflict(path, place, what, there)

    def _conflict(self, path: str, place: str, what: tuple[object, ...], there: tuple[object, ...]) -> None:
        newer = what[1] > there[1]  # type: ignore[operator]
        if self.rule == "overwrite" or (self.rule == "newer" and newer):
            self.target[place] = what
        else:
            self._refuse(path, told=self.rule == "fail")

    def _refuse(self, path: str, *, told: bool) -> None:
        self.stay.add(path)
        self.refused += told

    def _beside(self, place: str, what: tuple[object, ...]) -> str:
        """Put something under the first other name that is free, or holds the same, or a folder for a folder."""
        number = 1
        while self.target.get(f"{place} ({number})") not in (None, what):
            number += 1
        self.target[f"{place} ({number})"] = what
        return f"{place} ({number})"


def play(ground: Ground) -> tuple[str, list[str]]:
    """Merge two fresh trees, with kills; return what was done, and what is wrong afterwards."""
    rng = ground.rng
    rule, kind = RULES[ground.number % len(RULES)], rng.choice(("copy", "move"))
    across = rng.random() < 0.6
    source, target = ground.near / "from" / "source", ground.place(across) / "to"
    make_tree(source, rng)
    make_tree(target / "source", rng)
    before = read_tree(source)
    model = Model(rule, read_tree(target / "source"))
    model.merge(before)
    words = (kind, "--detach", "--on-conflict", rule, str(source), f"{target}/")
    ground.kills, ended = ground.ferry.interrupted(rng, WAITS_S, *words)
    faults = _compare("target", model.target, read_tree(target / "source"))
    left = read_tree(source) if source.exists() else {}
    if kind == "copy":
        faults += _compare("source", before, left)
    else:
        wanted = {path: before[path] for path in model.stay if before[path] != FOLDER}
        faults += _compare("source", wanted, {p: w for p, w in left.items() if w != FOLDER})
    if bool(ended.returncode) != bool(model.refused):
        faults.append(f"exit status {ended.returncode}, {model.refused} refused")
    faults += [f"left behind: {path}" for path in partials(source, target)]
    return f"{kind} {rule}{' across' if across else ''}", faults


def _compare(where: str, wanted: Tree, found: Tree) -> list[str]:
    return [
        f"{where} {path}: {str(wanted.get(path))[:60]} / {str(found.get(path))[:60]}"
        for path in sorted(wanted.keys() | found.keys())
        if wanted.get(path) != found.get(path)
    ][:5]


if __name__ == "__main__":
    raise SystemExit(main(__doc__, play))
