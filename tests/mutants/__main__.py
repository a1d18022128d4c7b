"""`python3 run mutants [NAME …]`: plants each bug of the table in a copy of the tree and runs the quick tests.

Exits with 1 when a bug is not found, or when its text is not in the source any more.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

from . import code, rare, servers, table
from .table import Mutant

ROOT = Path(__file__).parents[2]
PARTS = ("pyworkflow", "backends", "tests", "docs", "setup.cfg", "pyproject.toml")
MUTANTS = (*table.MUTANTS, *code.MUTANTS, *rare.MUTANTS, *servers.MUTANTS)
EFFORT = {"PYWORKFLOW_SEEDS": "3000", "PYWORKFLOW_HISTORIES": "200"}
TIMEOUT = 600


def main() -> int:
    parser = argparse.ArgumentParser(prog="run mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these; may have * in them")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not options.names or _is_chosen(mutant, options.names)]
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = []
        for mutant, verdict in zip(chosen, pool.map(try_out, chosen), strict=True):
            print(f"{mutant.name:32} {verdict}", flush=True)
            verdicts.append(verdict)
    found = sum(verdict.startswith("found") for verdict in verdicts)
    print(f"{found} of {len(chosen)} found")
    return 0 if chosen and found == len(chosen) else 1


def _is_chosen(mutant: Mutant, names: list[str]) -> bool:
    return any(fnmatch(mutant.name, name) for name in names)


def try_out(mutant: Mutant) -> str:
    """Plant a bug in a copy and run its tests; what came of it."""
    source = (ROOT / mutant.file).read_text()
    if source.count(mutant.old) != 1:
        return f"OUT OF DATE: its text is {source.count(mutant.old)} times in {mutant.file}"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in PARTS:
            place = ROOT / part
            (shutil.copytree if place.is_dir() else shutil.copy)(place, copy / part)
        (copy / mutant.file).write_text(source.replace(mutant.old, mutant.new))
        return _verdict(copy, mutant)


def _verdict(copy: Path, mutant: Mutant) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *mutant.tests]
    try:
        environment = os.environ | EFFORT | {"PYTHONPATH": f"{copy}{os.pathsep}{copy / 'backends'}"}
        ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return "found: the tests hang"
    if ran.returncode not in (0, 1):
        return f"BROKEN: pytest ended with {ran.returncode}: {ran.stdout[-300:]}{ran.stderr[-300:]}"
    failed = re.search(r"^(?:FAILED|ERROR) (?:\S*/)?(.*?)(?: - .*)?$", ran.stdout, re.MULTILINE)
    return f"found by {failed[1]}" if failed else "SURVIVED"


if __name__ == "__main__":
    sys.exit(main())
