"""Copying processes from one store to another: whole, verified, and as often as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from ..exceptions import CorruptRecord, WorkflowError
from .codec import seed, unseal
from .head import OPEN, STARTED, Head
from .pack import unpack
from .store import Archive, Commit, Entry, Query, Row, Store, Summary

CHUNK = 100
"""So many events are in memory at a time, and in one commit."""
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

        self.names = summary.id, summary.run

    def part(self, store: Store, skip: int) -> list[bytes]:
        """What a store has of its history, a part of it at a time."""
        return store.history(*self.names, skip, CHUNK)

    def check(self, source: Store) -> None:
        """Raises CorruptRecord unless its history is whole."""
        number, crc = 0, seed(*self.names)
        while part := self.part(source, number):
            for number, sealed in enumerate(part, number + 1):  # noqa: B020 - it goes on counting.
                _, crc = unseal(sealed, f"event {number} of process {self.names[0]!r}, run {self.names[1]}", crc)
        if number != self.head.seq or crc != self.head.crc:
            raise self.broken()

    def broken(self) -> CorruptRecord:
        process, run = self.names
        return CorruptRecord(f"the history of process {process!r}, run {run} is not whole, or changes: stop workers")


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
        """What workers hold: whoever has it would hand it in to the source. What is damaged is left to `copy`."""
        for summary in _all(self.source, Query(statuses=OPEN, limit=PAGE)):
            row = self.source.read(summary.id, summary.run)
            try:
                head = None if row is None else unpack(row, summary.id)
            except CorruptRecord:
                continue
            if head is None:
                continue
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
        process, name = run.names
        run.check(self.source)
        there = self.target.read(process, name)
        done = have = 0 if there is None else self._have(run, there)
        if there is not None and not last and have == run.head.seq:
            return 0
        stamp = run.row.stamp if last else f"{name}.{run.head.version}.copied"
        commit = Commit(process, name, "", stamp, run.row.head, run.summary, [], [], [])
        base = self._base(process, before, there)
        archive = None if there is not None or before is None else Archive(before.row.head, before.summary)
        whole = False
        while not whole:
            part = run.part(self.source, done)[: run.head.seq - done]
            entries = [Entry(name, number, body) for number, body in enumerate(part, done + 1)]
            done += len(part)
            whole = done == run.head.seq
            if not (part or whole):
                raise run.broken()
            step = replace(commit, base=base, entries=entries, archive=archive)
            if whole:
                self._set_tasks(step, last)
            else:
                step.head, step.stamp = UNFINISHED, f"{name}.0.{done}"
            if not self.target.commit([step])[0]:
                raise Diverged(f"process {process!r}: somebody works on it in the target")
            base, archive = step.stamp, None
        return done - have

    def _have(self, run: Run, there: Row) -> int:
        """How many events of a run the target has. Raises Diverged where they are others."""
        have, same = 0, _version(there.stamp) <= run.head.version
        while same and (part := run.part(self.target, have)):
            same = part == run.part(self.source, have)[: len(part)]
            have += len(part)
        if not same:
            process, name = run.names
            raise Diverged(f"process {process!r}, run {name}: what the target has is not a copy of it")
        return have

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
