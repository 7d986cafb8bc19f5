"""`python -m tests.bench`: prints tables, judges nothing. `make bench` runs all; words choose."""

from __future__ import annotations

import argparse
import tempfile

from tests.bench import copying, key_latency, memory, remote, store


def main() -> None:
    known = [*copying.CONTESTS, "keys", "memory", *remote.CONTESTS, *store.CONTESTS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"{', '.join(known)} (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder", default=tempfile.gettempdir(), help="where to copy: tmpfs or a journaled disk"
    )
    parser.add_argument("--files", type=int, default=1_000_000, help="how many the table `memory` has")
    parser.add_argument("--remote", action="store_true", help="all tables of copies to and from another host")
    given = parser.parse_args()
    if unknown := set(given.tables) - set(known):
        parser.error(f"there is no table {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    tables = given.tables or (
        [*remote.CONTESTS, *store.CONTESTS] if given.remote else [*copying.CONTESTS, "keys", "memory"]
    )
    if contests := [table for table in tables if table in copying.CONTESTS]:
        copying.main(contests, given.rounds, given.folder)
    if contests := [table for table in tables if table in remote.CONTESTS]:
        remote.main(contests, given.rounds, given.folder)
    if contests := [table for table in tables if table in store.CONTESTS]:
        store.main(contests, given.rounds, given.folder)
    if "keys" in tables:
        key_latency.main([])
    if "memory" in tables:
        memory.main(given.files, given.folder)


if __name__ == "__main__":
    main()
