"""The workloads on a Postgres server of their own that syncs its commits, beside the least that it must write."""

from __future__ import annotations

import time
from functools import partial

import psycopg

from tests.servers.postgres import DURABLE, Server, binaries

from .report import Row
from .server import Goals, measure_server

SCHEMA = "pyworkflow_bench"
PROCESSES = 500
TABLES = """
DROP SCHEMA IF EXISTS pyworkflow_bench CASCADE;
CREATE SCHEMA pyworkflow_bench;
SET search_path = pyworkflow_bench;
CREATE TABLE head (id integer PRIMARY KEY, version integer, body bytea) WITH (fillfactor = 50);
CREATE TABLE event (process integer, seq integer, body bytea, PRIMARY KEY (process, seq));
CREATE TABLE task (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, process integer, queue text,
    due double precision, body bytea);
CREATE INDEX task_queue ON task (queue, due);
CREATE FUNCTION transitions(ids integer[], versions integer[], at double precision, head bytea, event bytea, task bytea)
RETURNS void LANGUAGE sql AS $$
    UPDATE head SET version = version + 1, body = $4 FROM unnest($1, $2) AS new (id, was)
    WHERE head.id = new.id AND head.version = new.was;
    INSERT INTO event SELECT id, 2 * was + n, $5 FROM unnest($1, $2) AS new (id, was), generate_series(0, 1) AS n;
    DELETE FROM task WHERE number IN (
        SELECT number FROM task WHERE queue = 'q' ORDER BY due LIMIT cardinality($1) FOR UPDATE SKIP LOCKED
    );
    INSERT INTO task (process, queue, due, body) SELECT id, 'q', $3, $6 FROM unnest($1) AS id;
$$;
"""


def transitions(url: str, batch: int, total: int) -> float:
    """Transitions per second by one SQL function over arrays, `batch` in a transaction: two events, a compare-and-set
    of the head, one task out and one in."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(TABLES.encode())
        everybody = list(range(PROCESSES))
        db.execute("INSERT INTO head SELECT id, 0, %s FROM unnest(%s::int[]) AS id", (b"h" * 200, everybody))
        db.execute(
            "INSERT INTO task (process, queue, due, body) SELECT id, 'q', 0, %s FROM unnest(%s::int[]) AS id",
            (b"t" * 80, everybody),
        )
        call = b"SELECT transitions(%b::int[], %b::int[], %b, %b, %b, %b)"
        begun = time.perf_counter()
        for first in range(0, total, batch):
            numbers = range(first, first + batch)
            ids, versions = [n % PROCESSES for n in numbers], [n // PROCESSES for n in numbers]
            values = (ids, versions, float(first), b"h" * 200, b"e" * 120, b"t" * 80)
            db.execute(call, values, prepare=True)
        return total / (time.perf_counter() - begun)


def _emptied(url: str) -> str:
    """The URL of a backend without processes."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
    return f"{url}?schema={SCHEMA}"


def measure_postgres(runs: int, row: Row, peers: bool) -> None:
    """On a server of our own that syncs its commits."""
    server = Server(binaries(), DURABLE)
    try:
        server.start()
        url = server.url
        goals = Goals(share=0.25, wide=150, long=2, alone=8, peers={"dbos": 18}, one=2_800, fifty=32_000)
        measure_server("Postgres", partial(transitions, url), partial(_emptied, url), goals, runs, row, peers)
    finally:
        server.remove()
