"""Swaps pairs of names for each other, as fast as it can, until its standard input ends; then says how often.

`python attacker.py NAME OTHER [NAME OTHER …]`; renameat2 with RENAME_EXCHANGE (Linux 3.15).
"""

import ctypes
import os
import select
import sys

AT_FDCWD, RENAME_EXCHANGE = -100, 2


def main() -> None:
    exchange = ctypes.CDLL(None).renameat2
    names = [os.fsencode(name) for name in sys.argv[1:]]
    pairs = list(zip(names[::2], names[1::2], strict=True))
    swaps = 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not select.select([0], [], [], 0)[0]:
        for _ in range(50):
            for name, other in pairs:
                swaps += exchange(AT_FDCWD, name, AT_FDCWD, other, RENAME_EXCHANGE) == 0
    sys.stdout.write(f"{swaps}\n")


if __name__ == "__main__":
    main()
