"""The files of a run: the processes', the ledger beside it and the workers' log; whether to begin or to go on."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pyworkflow import Manager, WorkflowError
from pyworkflow.backend.sqlite import SQLiteBackend

from .app import workflows
from .ledger import Ledger
from .orderbook import BadFile, read_stock


@dataclass(frozen=True)
class Files:
    """Where things are: everything is named after the file of the processes."""

    processes: Path

    @property
    def url(self) -> str:
        """The backend's, for worker processes."""
        return f"sqlite:///{quote(str(self.processes.resolve()))}"

    @property
    def ledger(self) -> Path:
        return self.processes.with_name(f"{self.processes.stem}-ledger.db")

    @property
    def log(self) -> Path:
        return self.processes.with_name(f"{self.processes.stem}-workers.log")

    def remove(self) -> None:
        for path in (self.processes, self.ledger):
            for end in ("", "-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)


@dataclass
class Opened:
    """The open files, and what was found in them."""

    manager: Manager
    ledger: Ledger
    resumed: bool = False
    replaced: bool = False

    def close(self) -> None:
        self.manager.close()
        self.ledger.close()


def open_files(files: Files, fresh: bool = False) -> Opened:
    """Begin where there is nothing or a finished run, go on with an unfinished one. Raises BadFile for other files."""
    old = _open_old(files)
    if old is not None and not fresh and _is_unfinished(old):
        return Opened(old.manager, old.ledger, resumed=True)
    if old is not None:
        old.close()
        files.remove()
    ledger = Ledger.create(files.ledger, read_stock())
    return Opened(_manager(files), ledger, replaced=old is not None)


def _open_old(files: Files) -> Opened | None:
    there = [path for path in (files.processes, files.ledger) if path.exists()]
    if not there:
        if not files.processes.parent.is_dir() or not os.access(files.processes.parent, os.W_OK):
            raise BadFile(f"cannot write into {files.processes.parent}")
        return None
    if len(there) == 2 and _is_ledger(files.ledger):
        old = Opened(_manager(files), Ledger(files.ledger))
        known = {order for (order,) in old.ledger.rows("SELECT id FROM orders")}
        if all(str(process.id).removesuffix("-invoice") in known for process in old.manager.processes(status="all")):
            return old
        old.close()
    raise BadFile(f"{there[0]} exists and was not made by this demo: name another file with --file")


def _manager(files: Files) -> Manager:
    try:
        return Manager(SQLiteBackend(str(files.processes)), workflows)
    except WorkflowError as error:
        raise BadFile(str(error)) from error


def _is_ledger(path: Path) -> bool:
    try:
        with Ledger(path) as ledger:
            ledger.rows("SELECT key FROM answers LIMIT 1")
            return bool(ledger.rows("SELECT sku FROM stock LIMIT 1"))
    except sqlite3.DatabaseError:
        return False


def _is_unfinished(old: Opened) -> bool:
    waiting = old.ledger.row("SELECT 1 FROM orders WHERE started IS NULL") is not None
    return waiting or old.manager.count(status="open") > 0
