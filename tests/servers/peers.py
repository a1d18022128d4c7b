"""What tests and benchmarks talk to and pyworkflow does not need: installed when it is first asked for, not in .venv.

Each lies in a place of its own, below the checkout and ignored by git; one program installs it, the others wait. Where
it cannot be had the test is skipped, loudly; in CI that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 300.0
"""Seconds that an installation may take."""


class Missing(Exception):
    """It cannot be installed here: says why."""


@cache
def python(name: str, *packages: str) -> Path:
    """The Python of an environment `.venv-NAME` that has these packages. Raises Missing."""
    place = ROOT / f".venv-{name}"
    found = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install() -> None:
        if not found.exists():
            _call([sys.executable, "-m", "venv", "--clear", place])
        _call([found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])

    _once(place, "\n".join(packages), install)
    return found


@cache
def node(folder: Path) -> Path:
    """Node, with what the package.json of a folder asks for beside it. Raises Missing."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        raise Missing("there is no Node: install version 20 or newer, with npm")
    wanted = (folder / "package.json").read_text()
    _once(folder / "node_modules", wanted, lambda: _call([npm, "install", "--no-audit", "--no-fund"], folder))
    return Path(found)


@contextmanager
def needed() -> Iterator[None]:
    """What is missing in this block skips a test, or fails it in CI."""
    try:
        yield
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def _once(place: Path, what: str, install: Callable[[], None]) -> None:
    """Have it installed, unless it says of itself that it is whole."""
    stamp = place / "whole.stamp"
    with _alone(place):
        if stamp.exists() and stamp.read_text() == what:
            return
        stamp.unlink(missing_ok=True)
        install()
        stamp.write_text(what)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with place.with_name(f"{place.name}.lock").open("w") as file:
        with suppress(ImportError, OSError):  # Windows; a file system without locks
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _call(command: Sequence[str | Path], folder: Path = ROOT) -> None:
    told = " ".join(map(str, command))
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"`{told}` did not work: {error}") from error
    if done.returncode:
        raise Missing(f"`{told}` did not work: {(done.stderr or done.stdout)[-1_000:]}")
