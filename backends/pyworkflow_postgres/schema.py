"""The tables, and the steps that bring an older schema up to them. The table `version` counts the steps taken.

Heads change without touching an index and with room left on their page, so that Postgres need not write index entries
for them. Names compare by their bytes, whatever the database's language.
"""

from __future__ import annotations

from importlib.resources import files

import psycopg

from pyworkflow.exceptions import UnsupportedBackend

from .statements import Statements

OLDEST_SERVER = 12
LOCK = 0x7079776B


def _function(name: str) -> str:
    """What creates a function of the server's. Its name ends in the version of the schema that brought it: one that is
    changed gets another, for workers of the version before still call the old one."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_text()


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE {schema}.run (
            key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text COLLATE "C" NOT NULL,
            run text COLLATE "C" NOT NULL,
            current boolean NOT NULL,
            stamp text COLLATE "C" NOT NULL,
            head bytea NOT NULL,
            workflow text COLLATE "C" NOT NULL,
            version text COLLATE "C" NOT NULL,
            status text COLLATE "C" NOT NULL,
            started double precision NOT NULL,
            closed double precision,
            parent text COLLATE "C",
            tags text NOT NULL,
            UNIQUE (id, run)
        ) WITH (fillfactor = 50)
        """,
        "CREATE UNIQUE INDEX run_current ON {schema}.run (id) WHERE current",
        "CREATE INDEX run_started ON {schema}.run (started DESC, id, run)",
        "CREATE INDEX run_status ON {schema}.run (status, started DESC, id, run)",
        "CREATE INDEX run_workflow ON {schema}.run (workflow, started DESC, id, run)",
        "CREATE INDEX run_closed ON {schema}.run (closed) WHERE closed IS NOT NULL",
        "CREATE INDEX run_parent ON {schema}.run (parent, started DESC, id, run) WHERE parent IS NOT NULL",
        """
        CREATE TABLE {schema}.tag (
            tag text COLLATE "C" NOT NULL,
            run bigint NOT NULL,
            PRIMARY KEY (tag, run)
        )
        """,
        "CREATE INDEX tag_run ON {schema}.tag (run)",
        """
        CREATE TABLE {schema}.event (
            run bigint NOT NULL,
            seq integer NOT NULL,
            body bytea NOT NULL,
            PRIMARY KEY (run, seq)
        )
        """,
        """
        CREATE TABLE {schema}.task (
            process text COLLATE "C" NOT NULL,
            key text COLLATE "C" NOT NULL,
            queue text COLLATE "C" NOT NULL,
            due double precision NOT NULL,
            priority integer NOT NULL,
            body bytea NOT NULL,
            number bigint GENERATED ALWAYS AS IDENTITY,
            PRIMARY KEY (process, key)
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
        """,
        "CREATE INDEX task_queue ON {schema}.task (queue, priority, due, number)",
        "CREATE INDEX task_due ON {schema}.task (queue, due)",
    ),
    (_function("commit"), _function("claim")),
)
VERSION = len(MIGRATIONS)


def prepare(connection: psycopg.Connection, statements: Statements, create: bool) -> None:
    """See to it that the schema is there and of this version. Raises UnsupportedBackend, psycopg's errors."""
    _check_server(connection)
    if _version(connection, statements) == VERSION:
        return
    if not create and not _exists(connection, statements):
        raise UnsupportedBackend(f"there is no schema {statements.schema!r} in database {connection.info.dbname!r}")
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, statements.schema))
        _migrate(connection, statements)


def _migrate(connection: psycopg.Connection, statements: Statements) -> None:
    """Take the steps that are left to take, now that nobody else can."""
    done = _version(connection, statements)
    if not done:
        if not _exists(connection, statements):
            connection.execute(statements["CREATE SCHEMA {schema}"])
        connection.execute(statements["CREATE TABLE {schema}.version (number integer NOT NULL)"])
        connection.execute(statements["INSERT INTO {schema}.version VALUES (0)"])
    for steps in MIGRATIONS[done:]:
        for step in steps:
            connection.execute(statements[step])
    connection.execute(statements["UPDATE {schema}.version SET number = %s"], (VERSION,))


def _version(connection: psycopg.Connection, statements: Statements) -> int:
    """The schema's version, 0 for one that is not there or empty. Raises UnsupportedBackend."""
    query = """
        SELECT count(*), count(*) FILTER (WHERE tablename IN ('run', 'event', 'task', 'version'))
        FROM pg_tables WHERE schemaname = %s
    """
    tables, ours = connection.execute(query, (statements.schema,)).fetchone() or (0, 0)
    if not tables:
        return 0
    if ours < 4:
        raise UnsupportedBackend(f"the schema {statements.schema!r} holds tables of another application: name another")
    ((version,),) = connection.execute(statements["SELECT number FROM {schema}.version"]).fetchall()
    if version > VERSION:
        raise UnsupportedBackend(
            f"the schema {statements.schema!r} was written by a newer pyworkflow (version {version}, this one knows "
            f"{VERSION}): upgrade"
        )
    return int(version)


def _exists(connection: psycopg.Connection, statements: Statements) -> bool:
    return bool(connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (statements.schema,)).rowcount)


def _check_server(connection: psycopg.Connection) -> None:
    if connection.info.server_version < OLDEST_SERVER * 10_000:
        raise UnsupportedBackend(
            f"PostgreSQL {OLDEST_SERVER} or newer is needed, this server is {connection.info.server_version // 10_000}"
        )
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        raise UnsupportedBackend(f"the database's encoding must be UTF8, not {encoding}")
