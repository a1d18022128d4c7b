"""Statements with the schema's name put in, each made once. Nothing else is ever put into a statement."""

from __future__ import annotations

import re

from psycopg import sql

from pyworkflow.exceptions import UnsupportedBackend

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Statements(dict[str, bytes]):
    """What to send for a statement in which `{schema}` stands for the name of the schema."""

    def __init__(self, schema: str) -> None:
        super().__init__()
        if not _SCHEMA.fullmatch(schema) or schema.startswith("pg_"):
            raise UnsupportedBackend(
                f"a schema's name has up to 63 small letters, digits and underscores, unlike {schema!r}"
            )
        self.schema = schema
        self._quoted = sql.Identifier(schema).as_string(None)

    def __missing__(self, statement: str) -> bytes:
        made = self[statement] = statement.replace("{schema}", self._quoted).encode()
        return made
