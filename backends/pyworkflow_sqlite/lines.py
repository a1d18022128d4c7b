"""Events are kept in one row a commit: their records, a line each, under the number of the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyworkflow.engine.store import Entry

Row = tuple[int, int, bytes]


def fold(entries: Sequence[Entry], keys: Mapping[str, int]) -> Iterator[Row]:
    """The rows (key of the run, number, records) of a commit's events, one for each run of it."""
    for run, key in keys.items():
        own = [entry for entry in entries if entry.run == run] if len(keys) > 1 else entries
        if own:
            yield key, own[-1].seq, b"\n".join([entry.body for entry in own])


def unfold(rows: Sequence[tuple[int, bytes]], skip: int, limit: int | None) -> list[bytes]:
    """The records of rows (number, records) in order, without those up to number `skip`, at most `limit`."""
    found: list[bytes] = []
    for index, (last, body) in enumerate(rows):
        records = body.split(b"\n")
        first = last - len(records) + 1
        found += records[max(skip + 1 - first, 0) :] if not index else records
    return found[:limit]
