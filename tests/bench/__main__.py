"""`python -m tests.bench`: prints tables, judges nothing. `make bench` runs all; words choose."""

from __future__ import annotations

import argparse
import tempfile

from tests.bench import copying, key_latency


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "tables", nargs="*", metavar="TABLE", help=f"{', '.join([*copying.CONTESTS, 'keys'])} (all)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder", default=tempfile.gettempdir(), help="where to copy: tmpfs or a journaled disk"
    )
    given = parser.parse_args()
    known = {*copying.CONTESTS, "keys"}
    if unknown := set(given.tables) - known:
        parser.error(f"there is no table {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    tables = given.tables or [*copying.CONTESTS, "keys"]
    if contests := [table for table in tables if table in copying.CONTESTS]:
        copying.main(contests, given.rounds, given.folder)
    if "keys" in tables:
        key_latency.main([])


if __name__ == "__main__":
    main()
