"""Packing: a draft becomes the commit that a store applies, a stored row becomes a head again."""

from __future__ import annotations

import msgspec

from .codec import decode, encode, seal, seed, unseal
from .head import Head
from .machine import Draft, Pending
from .store import ALARMS, Archive, Commit, Entry, Row, Summary, Task

_HEADS = msgspec.json.Decoder(Head)


def pack(draft: Draft) -> Commit:
    """The commit of everything that a draft holds; its head becomes the one that the commit stores."""
    base, head = draft.base, draft.head
    entries = _entries(draft)
    _set_alarm(draft)
    head.version += 1
    return Commit(
        head.id,
        head.run,
        "" if base is None else base.stamp,
        head.stamp,
        _seal_head(head),
        None if base is not None and _same_summary(base, head) else summary(head),
        entries,
        *_tasks(draft),
        None if draft.archived is None else Archive(_seal_head(draft.archived), summary(draft.archived)),
    )


def _seal_head(head: Head) -> bytes:
    return seal(encode(head), seed(head.id))[0]


def unpack(row: Row, process: str) -> Head:
    """The head of a row. Raises CorruptRecord."""
    what = f"the head of process {process!r}"
    return decode(_HEADS, unseal(row.head, what, seed(process))[0], what)


def summary(head: Head) -> Summary:
    parent = None if head.parent is None else head.parent.process
    return Summary(
        head.id,
        head.run,
        head.workflow,
        head.status,
        head.started,
        head.closed,
        parent,
        head.tags,
        head.workflow_version,
    )


def _same_summary(base: Head, head: Head) -> bool:
    return base.run == head.run and base.status == head.status


def _entries(draft: Draft) -> list[Entry]:
    entries = []
    for run, seq, record in draft.written:
        head = draft.head if draft.archived is None or run == draft.head.run else draft.archived
        body, head.crc = seal(encode(record), head.crc)
        entries.append(Entry(run, seq, body))
    return entries


def _set_alarm(draft: Draft) -> None:
    base, head = draft.base, draft.head
    if head.alarm is None:
        if base is not None and base.alarm is not None:
            draft.remove("alarm")
    elif base is None or base.alarm != head.alarm:
        draft.add("alarm", Pending(ALARMS, head.alarm))


def _tasks(draft: Draft) -> tuple[list[Task], list[str]]:
    """What is added, and the keys of what is removed."""
    if not draft.tasks:
        return [], []
    added = [_task(draft.head.id, key, task) for key, task in draft.tasks.items() if task is not None]
    return added, [key for key, task in draft.tasks.items() if task is None]


def _task(process: str, key: str, task: Pending) -> Task:
    body = task.body
    sealed = b"" if body is None else seal(encode(body))[0]
    return Task(process, key, task.queue, task.due, task.priority, sealed)
