"""A start or a signal as a part of a transaction of the caller's own on the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import Manager, Process
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend
from pyworkflow.testing.invariants import check
from tests.backends.joining import Joining, Ship


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(f"sqlite:///{tmp_path}/shop.db", [Ship])
    yield manager
    check(manager.backend.store)  # type: ignore[attr-defined]
    manager.close()


@pytest.fixture
def connection(manager: Manager, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE IF NOT EXISTS parcel (id TEXT PRIMARY KEY)")
    connection.commit()
    yield connection
    connection.close()


class TestJoined(Joining):
    def transaction(self, connection: sqlite3.Connection) -> Any:
        return connection


@pytest.mark.parametrize("factory", [sqlite3.Row, lambda cursor, row: {"row": row}], ids=["Row", "dictionaries"])
def test_rows_may_look_as_their_owner_likes(manager: Manager, connection: sqlite3.Connection, factory) -> None:
    connection.row_factory = factory
    with connection:
        manager.start_process(Process(Ship, "p1"), connection=connection)
        manager.signal_process("p1", "go", connection=connection)
    assert manager.count() == 1


def test_in_autocommit_mode_the_caller_begins(manager: Manager, connection: sqlite3.Connection) -> None:
    connection.isolation_level = None
    with pytest.raises(ValueError, match="BEGIN IMMEDIATE first"):
        manager.start_process(Process(Ship, "p1"), connection=connection)
    connection.execute("BEGIN IMMEDIATE")
    manager.start_process(Process(Ship, "p1"), connection=connection)
    assert connection.in_transaction
    connection.execute("ROLLBACK")
    assert manager.count() == 0


def test_a_locked_file_is_told(manager: Manager, connection: sqlite3.Connection, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "shop.db", timeout=0.01)
    connection.execute("INSERT INTO parcel VALUES ('p1')")
    with pytest.raises(BackendUnavailable, match="locked"):
        manager.start_process(Process(Ship, "p1"), connection=other)
    connection.rollback()
    other.close()


def test_another_file_is_refused(manager: Manager, tmp_path: Path) -> None:
    for path in (":memory:", tmp_path / "other.db"):
        other = sqlite3.connect(path)
        with pytest.raises(UnsupportedBackend, match="the connection is to"):
            manager.start_process(Process(Ship), connection=other)
        other.close()
    with pytest.raises(UnsupportedBackend, match=r"joined by a sqlite3\.Connection"):
        manager.start_process(Process(Ship), connection="nonsense")


def test_memory_has_no_transactions_to_join(connection: sqlite3.Connection) -> None:
    manager = Manager(MemoryBackend(), [Ship])
    with pytest.raises(UnsupportedBackend, match="cannot join a transaction"):
        manager.start_process(Process(Ship, "p"), connection=connection)
    manager.start_process(Process(Ship, "p"))
    with pytest.raises(UnsupportedBackend, match="cannot join a transaction"):
        manager.signal_process("p", "go", connection=connection)
