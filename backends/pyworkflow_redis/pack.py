"""Commits and runs as the scripts take them: one list of words, in which all that can vary has its length in front."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import TypeAlias

import msgspec

from pyworkflow.engine.store import Commit, Row, Summary

from .layout import Shard, group, members, run_key, sized, task_field, task_value

Word: TypeAlias = "bytes | int"

_SIZES, _PLACE = Struct(">6I"), Struct(">2I")
_SUMMARIES = msgspec.msgpack.Decoder(Summary)


def pack_commits(shard: Shard, commits: Sequence[Commit]) -> tuple[list[bytes], list[Word]]:
    """The lists of records that the commits append to, and the words that say what they do."""
    lists: dict[bytes, int] = {}
    stamps: list[Word] = [len(commits)]
    words: list[Word] = []
    for commit in commits:
        name = commit.process.encode()
        stamps += (b"s" + name, sized(commit.base) if commit.base else b"")
        rows = _rows(commit, name)
        runs, records = _records(shard, commit, lists)
        gone = [task_field(commit.process, key) for key in commit.remove]
        new = [word for task in commit.add for word in (task_field(task.process, task.key), task_value(task, task.due))]
        filed, summaries = _summaries(commit)
        size = len(rows) + len(records) + len(gone) + len(new) + len(summaries)
        words.append(_SIZES.pack(size, len(rows), runs, len(gone), len(new), filed))
        words += (*rows, *records, *gone, *new, *summaries)
    return list(lists), stamps + words


def _rows(commit: Commit, name: bytes) -> list[bytes]:
    """The row of the process, and that of the run which it leaves behind."""
    rows = [b"s" + name, sized(commit.stamp) + commit.run.encode(), b"h" + name, commit.head]
    if (old := commit.archive) is not None:
        earlier = task_field(commit.process, old.summary.run)
        rows += (b"S" + earlier, sized(commit.base) + old.summary.run.encode(), b"H" + earlier, old.head)
    return rows


def _records(shard: Shard, commit: Commit, lists: dict[bytes, int]) -> tuple[int, list[bytes]]:
    """How many runs get records, and these by run, with the place of its list and their number in front."""
    runs: dict[str, list[bytes]] = {}
    for entry in commit.entries:
        runs.setdefault(entry.run, []).append(entry.body)
    words: list[bytes] = []
    for run, bodies in runs.items():
        place = lists.setdefault(shard.records(commit.process, run), len(lists) + 1)
        words += (_PLACE.pack(place, len(bodies)), *bodies)
    return len(runs), words


def _summaries(commit: Commit) -> tuple[int, list[Word]]:
    """How many summaries change, and their words."""
    words: list[Word] = []
    changed = [] if commit.archive is None else [commit.archive.summary]
    changed += [] if commit.summary is None else [commit.summary]
    for summary in changed:
        key = run_key(summary.started, summary.id, summary.run)
        words += (key, summary_value(summary), *_list(members(summary)))
    return len(changed), words


def _list(words: Sequence[Word]) -> list[Word]:
    return [len(words), *words]


def summary_value(summary: Summary) -> bytes:
    named = group(summary.status, summary.workflow)
    return len(named).to_bytes(2, "big") + named + msgspec.msgpack.encode(summary)


def stored_summary(value: bytes) -> Summary:
    return _SUMMARIES.decode(value[2 + int.from_bytes(value[:2], "big") :])


def row(stamp: bytes | None, head: bytes | None, run: str | None = None) -> Row | None:
    """A stored row, if it is there, and is that of this run where one is given."""
    if stamp is None or head is None:
        return None
    size = 2 + int.from_bytes(stamp[:2], "big")
    return None if run is not None and stamp[size:] != run.encode() else Row(stamp[2:size].decode(), head)


def pack_runs(summaries: Sequence[tuple[bytes, Summary]]) -> list[Word]:
    """Runs to be purged, each with the value that its summary must still have."""
    words: list[Word] = []
    for value, summary in summaries:
        name, earlier = summary.id.encode(), task_field(summary.id, summary.run)
        words += (run_key(summary.started, summary.id, summary.run), value, summary.run.encode())
        words += (2, b"s" + name, b"h" + name, 2, b"S" + earlier, b"H" + earlier, *_list(members(summary)))
    return words
