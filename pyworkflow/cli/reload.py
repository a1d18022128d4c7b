"""Starting a worker again when a source file changes: the worker stops as on SIGTERM, then Python is executed anew."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from ..worker import Worker

LOOK = 0.5
Snapshot = dict[str, tuple[int, int]]

log = logging.getLogger("pyworkflow.worker")


def run_with_reload(make: Callable[[], Worker], burst: bool) -> None:
    """Run the worker that `make` makes; execute the program anew when a module of the current directory changes, unless
    a signal says that it should end.

    An app that cannot be imported is reported; the next change of any source file under the directory tries again.
    """
    before = _snapshot(_sources())  # A file that changes while it is imported has changed, too.
    try:
        worker = make()
    except click.ClickException as error:
        error.show()
        log.info("waiting for a change")
        _wait_for_change(_sources, before)
        _execute_anew()
    changed = threading.Event()
    threading.Thread(target=_stop_on_change, args=(worker, before, changed), daemon=True).start()
    worker.run(burst=burst)
    if changed.is_set() and not worker.signaled:
        _execute_anew()


def _stop_on_change(worker: Worker, before: Snapshot, changed: threading.Event) -> None:
    path = _wait_for_change(_modules, before)
    if worker.signaled:
        return
    log.info("%s: starting again", path)
    changed.set()
    worker.stop()


def _wait_for_change(files: Callable[[], Iterable[str]], before: Snapshot) -> str:
    """Wait until one of the files is another than it was before, or when it was first seen; its path."""
    known: Snapshot = {}
    pause = threading.Event()
    while True:
        now = _snapshot(files())
        for path, state in now.items():
            if known.setdefault(path, before.get(path, state)) != state:
                return path
        for path in known.keys() - now.keys():
            return path
        pause.wait(LOOK)


def _modules() -> list[str]:
    """The files under the current directory that modules were imported from, later imports included."""
    here = os.path.join(os.getcwd(), "")
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    return [file for file in files if file and os.path.abspath(file).startswith(here)]


def _sources() -> list[str]:
    """All source files under the current directory, without hidden directories and virtual environments."""
    found = []
    for directory, below, names in os.walk(os.getcwd()):
        below[:] = [name for name in below if name[0] != "." and not Path(directory, name, "pyvenv.cfg").exists()]
        found += [os.path.join(directory, name) for name in names if name.endswith(".py")]
    return found


def _snapshot(files: Iterable[str]) -> Snapshot:
    """Time of change and size of those of the files that exist."""
    taken = {}
    for file in files:
        try:
            found = os.stat(file)
        except OSError:
            continue
        taken[file] = (found.st_mtime_ns, found.st_size)
    return taken


def _execute_anew() -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
