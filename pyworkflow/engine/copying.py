"""Copying processes from one store to another: whole, verified, and as often as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..exceptions import CorruptRecord, WorkflowError
from .codec import seed, unseal
from .head import OPEN, STARTED, Head
from .pack import unpack
from .store import Archive, Commit, Entry, Query, Row, Store, Summary

CHUNK = 500
PAGE = 500
UNFINISHED = b"being copied"
"""The head of a process of which only a part is there. No engine reads it, so nobody works on it."""


class Diverged(WorkflowError):
    """The target's process is not a copy of the source's: it was started there, or has gone on there."""


class Run:
    """One run of a process as the source has it."""

    def __init__(self, summary: Summary, row: Row) -> None:
        self.summary = summary
        self.row = row
        self.head: Head = unpack(row, summary.id)

    def events(self, source: Store) -> list[bytes]:
        """Its history, when that is whole. Raises CorruptRecord."""
        process, run = self.summary.id, self.summary.run
        events, crc = source.history(process, run), seed(process, run)
        for number, sealed in enumerate(events, 1):
            _, crc = unseal(sealed, f"event {number} of process {process!r}, run {run}", crc)
        if len(events) != self.head.seq or crc != self.head.crc:
            raise CorruptRecord(f"the history of process {process!r}, run {run} is not whole, or changes: stop workers")
        return events


class Copier:
    """Copies processes of `source` into `target`, which may have a part of them from an earlier attempt."""

    def __init__(self, source: Store, target: Store) -> None:
        self.source = source
        self.target = target

    def processes(self) -> Iterator[Summary]:
        """The current run of each process of the source."""
        for summary in _all(self.source, Query(limit=PAGE)):
            row = self.source.read(summary.id)
            if row is not None and _run_of(row.stamp) == summary.run:
                yield summary

    def held(self) -> Iterator[str]:
        """What workers hold: whoever has it would hand it in to the source. Raises CorruptRecord."""
        for summary in _all(self.source, Query(statuses=OPEN, limit=PAGE)):
            row = self.source.read(summary.id, summary.run)
            if row is None:
                continue
            head = unpack(row, summary.id)
            if head.decision.state == STARTED:
                yield f"the decision on process {summary.id!r}"
            for activity in head.activities.values():
                if activity.started:
                    yield f"activity {activity.id!r} of process {summary.id!r}"

    def changed(self, process: str) -> bool:
        """Is the source's process another than the target's?"""
        source, target = self.source.read(process), self.target.read(process)
        return source is not None and (target is None or source.stamp != target.stamp)

    def copy(self, process: str) -> int:
        """Bring the target's process up to the source's; how many events that took.

        Raises CorruptRecord where the source is damaged, Diverged where the target has another process of this id.
        """
        if not self.changed(process):
            return 0
        runs = self._runs(process)
        copied = 0
        for before, run in pairwise([None, *runs]):
            assert run is not None
            copied += self._copy(before, run, last=run is runs[-1])
        return copied

    def _runs(self, process: str) -> list[Run]:
        """The oldest first: `version` counts commits over all runs."""
        runs = []
        for summary in _all(self.source, Query(id=process, limit=PAGE)):
            row = self.source.read(process, summary.run)
            if row is not None:
                runs.append(Run(summary, row))
        return sorted(runs, key=lambda run: run.head.version)

    def _copy(self, before: Run | None, run: Run, last: bool) -> int:
        """Append what the target lacks of a run; `before` is the one before it."""
        process, name = run.summary.id, run.summary.run
        there = self.target.read(process, name)
        have = [] if there is None else self.target.history(process, name)
        events = run.events(self.source)
        if have != events[: len(have)] or (there is not None and _version(there.stamp) > run.head.version):
            raise Diverged(f"process {process!r}, run {name}: what the target has is not a copy of it")
        if there is not None and not last and len(have) == len(events):
            return 0
        whole = run.row.stamp if last else f"{name}.{run.head.version}.copied"
        base = self._base(process, before, there)
        for first in range(len(have), max(len(events), len(have) + 1), CHUNK):
            commit = Commit(process, name, base, whole, run.row.head, run.summary, [], [], [])
            part = events[first : first + CHUNK]
            commit.entries = [Entry(name, number, body) for number, body in enumerate(part, first + 1)]
            if there is None and before is not None and not first:
                commit.archive = Archive(before.row.head, before.summary)
            if first + CHUNK < len(events):
                commit.head, commit.stamp = UNFINISHED, f"{name}.0.{first + CHUNK}"
            else:
                self._set_tasks(commit, last)
            if not self.target.commit([commit])[0]:
                raise Diverged(f"process {process!r}: somebody works on it in the target")
            base = commit.stamp
        return len(events) - len(have)

    def _set_tasks(self, commit: Commit, last: bool) -> None:
        commit.add = self.source.tasks(commit.process) if last else []
        kept = {task.key for task in commit.add}
        commit.remove = [task.key for task in self.target.tasks(commit.process) if task.key not in kept]

    def _base(self, process: str, before: Run | None, there: Row | None) -> str:
        """The stamp that the target's process has before the next commit."""
        if there is not None:
            return there.stamp
        row = self.target.read(process)
        if row is None:
            return ""
        if before is None or _run_of(row.stamp) != before.summary.run:
            raise Diverged(f"process {process!r}: the target has run {_run_of(row.stamp)} of it, the source has not")
        return row.stamp


def _all(store: Store, query: Query) -> Iterator[Summary]:
    while True:
        page = store.find(query)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]
        query = Query(statuses=query.statuses, id=query.id, cursor=(last.started, last.id, last.run), limit=PAGE)


def _run_of(stamp: str) -> str:
    return stamp.partition(".")[0]


def _version(stamp: str) -> int:
    return int(stamp.split(".")[1])
