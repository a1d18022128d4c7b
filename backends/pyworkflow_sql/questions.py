"""The queries that processes are listed and counted by, with `?` for each value."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pyworkflow.engine.store import Query

from .rows import SUMMARY

Asked = tuple[str, list[Any]]
"""A statement and its values."""

_LAST_CHARACTER = "\U0010ffff"
_SURROGATES = range(0xD800, 0xE000)


def find(query: Query, prefix: str = "") -> Asked:
    """The summaries that match, a page of them; `prefix` comes before the names of tables."""
    if query.limit is not None and query.statuses is not None and len(query.statuses) > 1 and _names_many(query):
        return _merged(query, query.statuses, prefix)
    where, values = _where(query, prefix)
    if query.cursor is not None:
        started, id, run = query.cursor
        where.append("started <= ? AND (started < ? OR (id, run) > (?, ?))")
        values += [started, started, id, run]
    limit = ""
    if query.limit is not None:
        limit = "LIMIT ?"
        values.append(query.limit)
    return f"SELECT {SUMMARY} FROM {prefix}run {_all(where)} ORDER BY started DESC, id, run {limit}", values


def _names_many(query: Query) -> bool:
    """Does nothing in it name few processes, which another index has?"""
    return query.id is None and query.parent is None and query.closed_from is None and query.closed_to is None


def _merged(query: Query, statuses: frozenset[str], prefix: str) -> Asked:
    """A page of each status, which an index has in order, and the first of all of those."""
    pages = [find(replace(query, statuses=frozenset([status])), prefix) for status in sorted(statuses)]
    parts = [f"SELECT * FROM ({statement}) AS page" for statement, _ in pages]
    statement = f"SELECT {SUMMARY} FROM ({' UNION ALL '.join(parts)}) AS pages ORDER BY started DESC, id, run LIMIT ?"
    return statement, [*(value for _, values in pages for value in values), query.limit]


def count(query: Query, prefix: str = "") -> Asked:
    """How many match."""
    where, values = _where(query, prefix)
    return f"SELECT count(*) FROM {prefix}run {_all(where)}", values


def _all(where: list[str]) -> str:
    return f"WHERE {' AND '.join(where)}" if where else ""


def _where(query: Query, prefix: str) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    if query.statuses is not None:
        where.append(f"status IN ({', '.join('?' * len(query.statuses)) or 'NULL'})")
        values += sorted(query.statuses)
    if query.tag is not None:
        where.append(f"key IN (SELECT run FROM {prefix}tag WHERE tag = ?)")
        values.append(query.tag)
    for condition, value in (
        ("id >= ?", query.id_prefix),
        ("id < ?", _after(query.id_prefix)),
        ("workflow = ?", query.workflow),
        ("parent = ?", query.parent),
        ("id = ?", query.id),
        ("started >= ?", query.started_from),
        ("started < ?", query.started_to),
        ("closed >= ?", query.closed_from),
        ("closed < ?", query.closed_to),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    return where, values


def _after(start: str | None) -> str | None:
    """The first text, in the order of code points, behind all that begin with this one; None if there is no such."""
    start = (start or "").rstrip(_LAST_CHARACTER)
    if not start:
        return None
    following = ord(start[-1]) + 1
    return start[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)
