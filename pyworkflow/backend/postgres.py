"""The door to the Postgres backend."""

from ..exceptions import UnsupportedBackend

try:
    from pyworkflow_postgres import PostgresBackend, PostgresStore
except ImportError as error:
    raise UnsupportedBackend(
        f"Postgres needs psycopg 3 and its pool: pip install 'pyworkflow[postgres]' ({error})"
    ) from error

__all__ = ["PostgresBackend", "PostgresStore"]
