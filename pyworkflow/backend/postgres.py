"""The door to the Postgres backend."""

from ..exceptions import UnsupportedBackend, to_install

try:
    from pyworkflow_postgres import PostgresBackend, PostgresStore
except ImportError as error:
    raise UnsupportedBackend(f"Postgres needs psycopg 3 and its pool: {to_install('postgres')} ({error})") from error

__all__ = ["PostgresBackend", "PostgresStore"]
