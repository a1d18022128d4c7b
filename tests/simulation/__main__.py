"""`python -m tests.simulation --seeds 100000`, or `--seed 7` to see what one of them does.

With `--patient` they are worlds in which nothing times out.
"""

from __future__ import annotations

import argparse
import sys
import time

from .backends import BACKENDS
from .run import Failure, many, number_of_seeds, run, show


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one and show what happens in it")
    parser.add_argument("--backend", choices=sorted(BACKENDS), help="where; most are in memory, some in SQLite")
    parser.add_argument("--patient", action="store_true", help="worlds in which nothing times out")
    parser.add_argument("--seeds", type=int, default=number_of_seeds(), help="how many to run (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="where to begin (%(default)s)")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        if options.seed is not None:
            run(options.seed, options.backend, trace=True, patient=options.patient)
        else:
            many(options.first, options.seeds, options.backend, options.patient, show)
            seconds = time.monotonic() - began
            print(f"{options.seeds} seeds in {seconds:.1f} s: {options.seeds / seconds:.0f} a second")
    except Failure as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
