"""The tables, and the steps that bring an older file up to them. `PRAGMA user_version` counts the steps taken."""

from __future__ import annotations

APPLICATION_ID = 0x7079776B

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE run (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            run TEXT NOT NULL,
            current INTEGER NOT NULL,
            stamp TEXT NOT NULL,
            head BLOB NOT NULL,
            workflow TEXT NOT NULL,
            version TEXT NOT NULL,
            status TEXT NOT NULL,
            started REAL NOT NULL,
            closed REAL,
            parent TEXT,
            tags TEXT NOT NULL,
            UNIQUE (id, run)
        )
        """,
        "CREATE UNIQUE INDEX run_current ON run (id) WHERE current",
        "CREATE INDEX run_started ON run (started)",
        "CREATE INDEX run_status ON run (status, started)",
        "CREATE INDEX run_closed ON run (closed) WHERE closed IS NOT NULL",
        "CREATE INDEX run_parent ON run (parent) WHERE parent IS NOT NULL",
        "CREATE TABLE tag (tag TEXT NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (tag, run)) WITHOUT ROWID",
        "CREATE INDEX tag_run ON tag (run)",
        """
        CREATE TABLE event (
            run INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (run, seq)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE task (
            number INTEGER PRIMARY KEY,
            process TEXT NOT NULL,
            key TEXT NOT NULL,
            queue TEXT NOT NULL,
            due REAL NOT NULL,
            priority INTEGER NOT NULL,
            body BLOB NOT NULL,
            UNIQUE (process, key)
        )
        """,
        "CREATE INDEX task_queue ON task (queue, priority, due)",
        "CREATE INDEX task_due ON task (queue, due)",
    ),
)
VERSION = len(MIGRATIONS)
