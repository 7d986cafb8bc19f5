"""Merge random trees by every conflict rule, kill the engine at random moments, and hold the result against a model.

`python -m tests.soak.merge_rounds --rounds 100` is what `make soak` runs; the test suite plays a few.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.crash_rounds import Ferry, other_filesystem
from tests.trees import partials

RULES = ("skip", "overwrite", "newer", "rename", "fail")
FOLDER = ("folder",)

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


@dataclass
class Merge:
    """One job, and its round of kills."""

    ferry: Ferry
    rng: random.Random
    source: Path
    target: Path
    kills: int = 0

    def play(self, kind: str, rule: str) -> list[str]:
        """Run it, and return what is wrong afterwards: one line a fault, none where all is well."""
        make_tree(self.source, self.rng)
        make_tree(self.target / "source", self.rng)
        before = read_tree(self.source)
        model = Model(rule, read_tree(self.target / "source"))
        model.merge(before)
        words = (kind, "--detach", "--on-conflict", rule, str(self.source), f"{self.target}/")
        id_ = self.ferry.run(*words).stdout.strip()
        for _ in range(self.rng.randrange(1, 5)):
            time.sleep(self.rng.choice([0, 0.02, 0.05, 0.1, 0.2]) * self.rng.random())
            self.kills += self.ferry.kill_engine()
            self.ferry.run("queue")
        status = self.ferry.run("queue", "wait", id_, check=False).returncode
        faults = self._compare("target", model.target, read_tree(self.target / "source"))
        left = read_tree(self.source) if self.source.exists() else {}
        if kind == "copy":
            faults += self._compare("source", before, left)
        else:
            wanted = {path: before[path] for path in model.stay if before[path] != FOLDER}
            faults += self._compare("source", wanted, {p: w for p, w in left.items() if w != FOLDER})
        if bool(status) != bool(model.refused):
            faults.append(f"exit status {status}, {model.refused} refused")
        faults += [f"left behind: {path}" for path in partials(self.source, self.target)]
        return faults

    @staticmethod
    def _compare(where: str, wanted: Tree, found: Tree) -> list[str]:
        return [
            f"{where} {path}: {str(wanted.get(path))[:60]} / {str(found.get(path))[:60]}"
            for path in sorted(wanted.keys() | found.keys())
            if wanted.get(path) != found.get(path)
        ][:5]


def run_merges(rounds: int, seed: int, folder: Path, say=lambda line: None) -> list[str]:
    """Play so many rounds and return the faults of the first that has any, with its round and seed."""
    ferry = Ferry(folder / "home")
    memory = other_filesystem()
    far = Path(tempfile.mkdtemp(dir=memory, prefix="ferry-merge-")) if memory else folder / "far"
    try:
        for number in range(rounds):
            rng = random.Random(seed + number)
            rule, kind = RULES[number % len(RULES)], rng.choice(("copy", "move"))
            across = rng.random() < 0.6
            source, target = folder / "from", (far if across else folder) / "to"
            one = Merge(ferry, rng, source / "source", target)
            faults = one.play(kind, rule)
            label = (
                f"round {number + 1}/{rounds} {kind} {rule}{' across' if across else ''}, {one.kills} kills"
            )
            say(f"{label}: {'ok' if not faults else faults}")
            if faults:
                return [f"{label} (seed {seed + number}): {fault}" for fault in faults]
            for root in (source, target):
                shutil.rmtree(root)
    finally:
        ferry.run("engine", "stop", check=False)
        shutil.rmtree(far, ignore_errors=True)
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ferry-soak-"))
    faults = run_merges(given.rounds, given.seed, folder, say=lambda line: print(line, flush=True))
    if not faults:
        shutil.rmtree(folder)
    print("\n".join(faults) or "no faults")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
