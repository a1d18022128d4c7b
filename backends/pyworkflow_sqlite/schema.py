"""The tables, and the steps that bring an older file up to them; how many were taken is in `pyworkflow_schema`.

They share the file with whatever tables its owner has.
"""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE pyworkflow_schema (version INTEGER NOT NULL)",
        "INSERT INTO pyworkflow_schema VALUES (0)",
        """
        CREATE TABLE pyworkflow_run (
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
        "CREATE UNIQUE INDEX pyworkflow_run_current ON pyworkflow_run (id) WHERE current",
        "CREATE INDEX pyworkflow_run_started ON pyworkflow_run (started)",
        "CREATE INDEX pyworkflow_run_status ON pyworkflow_run (status, started)",
        "CREATE INDEX pyworkflow_run_closed ON pyworkflow_run (closed) WHERE closed IS NOT NULL",
        "CREATE INDEX pyworkflow_run_parent ON pyworkflow_run (parent) WHERE parent IS NOT NULL",
        "CREATE TABLE pyworkflow_tag (tag TEXT NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (tag, run)) WITHOUT ROWID",
        "CREATE INDEX pyworkflow_tag_run ON pyworkflow_tag (run)",
        """
        CREATE TABLE pyworkflow_event (
            run INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (run, seq)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE pyworkflow_task (
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
        "CREATE INDEX pyworkflow_task_queue ON pyworkflow_task (queue, priority, due)",
        "CREATE INDEX pyworkflow_task_due ON pyworkflow_task (queue, due)",
    ),
)
VERSION = len(MIGRATIONS)
