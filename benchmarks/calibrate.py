"""What the machine's storage can do: the least that a durable transition must write, without a workflow library."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import tempfile
import time
import timeit

SCHEMA = """
CREATE TABLE head (id INTEGER PRIMARY KEY, version INTEGER, body BLOB);
CREATE TABLE event (process INTEGER, seq INTEGER, body BLOB, PRIMARY KEY (process, seq)) WITHOUT ROWID;
CREATE TABLE task (number INTEGER PRIMARY KEY, process INTEGER, queue TEXT, due REAL, body BLOB);
CREATE INDEX task_queue ON task (queue, due);
"""
PROCESSES = 500


def sqlite_transitions(batch: int, total: int) -> float:
    """Transitions per second on SQLite, WAL and synchronous=FULL, `batch` in a transaction.

    A transition is two events, a compare-and-set of the head, one task out and one task in.
    """
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(os.path.join(folder, "calibrate.db"), isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(SCHEMA)
        db.execute("BEGIN")
        for process in range(PROCESSES):
            db.execute("INSERT INTO head VALUES (?, 0, ?)", (process, b"h" * 200))
            db.execute("INSERT INTO task (process, queue, due, body) VALUES (?, 'q', 0, ?)", (process, b"t" * 80))
        db.execute("COMMIT")
        begun = time.perf_counter()
        for first in range(0, total, batch):
            db.execute("BEGIN IMMEDIATE")
            for number in range(first, first + batch):
                _transition(db, number % PROCESSES, number // PROCESSES, float(number))
            db.execute("COMMIT")
        seconds = time.perf_counter() - begun
        db.close()
    return total / seconds


def _transition(db: sqlite3.Connection, process: int, version: int, due: float) -> None:
    db.execute(
        "UPDATE head SET version = version + 1, body = ? WHERE id = ? AND version = ?", (b"h" * 200, process, version)
    )
    for seq in (2 * version, 2 * version + 1):
        db.execute("INSERT INTO event VALUES (?, ?, ?)", (process, seq, b"e" * 120))
    db.execute("DELETE FROM task WHERE number = (SELECT number FROM task WHERE queue = 'q' ORDER BY due LIMIT 1)")
    db.execute("INSERT INTO task (process, queue, due, body) VALUES (?, 'q', ?, ?)", (process, due, b"t" * 80))


def json_microseconds() -> float:
    """To write 140 bytes of JSON and read them, by the standard library: the median of a few runs."""
    event = {"type": "activity_scheduled", "id": "step-1", "activity": "charge", "time": 1764140000.25}
    event["input"] = {"order": 12345, "amount": 99.5, "paid": True}
    runs = timeit.repeat(lambda: json.loads(json.dumps(event)), number=20_000, repeat=7)
    return statistics.median(runs) / 20_000 * 1e6


def python_calls() -> float:
    """Millions of calls of a small Python method per second: how fast this machine's Python is today."""

    class Thing:
        def method(self) -> int:
            return 1

    thing = Thing()
    begun = time.perf_counter()
    for _ in range(500_000):
        thing.method()
    return 0.5 / (time.perf_counter() - begun)
