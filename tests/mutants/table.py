"""The bugs that are planted: each is a text of a source file, and what stands there instead."""

from __future__ import annotations

from typing import NamedTuple

MACHINE = ("tests/machine",)
MEMORY = ("tests/machine", "tests/backends/test_memory.py")
SQLITE = (
    *("tests/sqlite/test_sqlite_rollback.py", "tests/sqlite/test_sqlite_files.py"),
    *("tests/backends/test_stores.py", "tests/backends/test_sqlite.py"),
)
STORES = ("tests/backends/test_stores.py", "tests/backends/test_memory.py")

M = "pyworkflow/engine/machine"
E = "pyworkflow/engine"
S = "backends/pyworkflow_sqlite"


class Mutant(NamedTuple):
    """One bug, and the tests that are run against it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = [
    Mutant("stale-activity-token", f"{M}/activities.py", "or state.started != started:", "or False:", MEMORY),
    Mutant(
        "stale-decision-token", f"{M}/decisions.py", "or head.decision.started != message.started:", "or False:", MEMORY
    ),
    Mutant("lost-signal-at-close", f"{M}/decisions.py", "and (unseen or refused):", "and refused:", MEMORY),
    Mutant("close-after-refusal", f"{M}/decisions.py", "and (unseen or refused):", "and unseen:", MEMORY),
    Mutant("no-decision-after-news", f"{M}/decisions.py", "    elif again:\n", "    elif False:\n", MEMORY),
    Mutant("never-blocks", f"{M}/decisions.py", "if head.decision.attempts >= message.attempts:", "if False:", MEMORY),
    Mutant("hot-loop-of-refusals", f"{M}/decisions.py", "decision.refusals >= draft.limits.refusals", "False", MEMORY),
    Mutant(
        "attempts-never-reset",
        f"{M}/decisions.py",
        "decision.attempts, decision.refusals = 0,",
        "decision.attempts, decision.refusals = decision.attempts,",
        MEMORY,
    ),
    Mutant(
        "finish-wakes-nobody",
        f"{M}/activities.py",
        "    draft.record(record)\n    draft.wake()\n\n\ndef _held",
        "    draft.record(record)\n\n\ndef _held",
        MEMORY,
    ),
    Mutant(
        "heartbeat-forgets-details",
        f"{M}/activities.py",
        "        state.details = message.details\n",
        "        pass\n",
        MEMORY,
    ),
    Mutant(
        "heartbeat-extends-nothing",
        f"{M}/activities.py",
        "    state.beat_by = _in(draft, state.heartbeat_timeout)\n    if message.details:",
        "    if message.details:",
        MEMORY,
    ),
    Mutant("taken-task-stays-queued", f"{M}/activities.py", "    draft.remove(_key(message.scheduled))\n", "", MEMORY),
    Mutant(
        "same-activity-id-twice", f"{M}/activities.py", "if draft.activity(record.id) is not None:", "if False:", MEMORY
    ),
    Mutant("deadline-early", f"{M}/clock.py", "if due > draft.now or not head.open:", "if not head.open:", MEMORY),
    Mutant("deadline-unordered", f"{M}/clock.py", "(deadline[0], str(deadline[1:]))", "str(deadline[1:])", MEMORY),
    Mutant(
        "alarm-not-set-again",
        f"{M}/clock.py",
        "head.alarm = min((due for due, _, _ in deadlines(head)), default=None)",
        "head.alarm = None",
        MEMORY,
    ),
    Mutant("alarm-moved-later", f"{M}/draft.py", "alarm is None or due < alarm:", "True:", MEMORY),
    Mutant(
        "clock-goes-back",
        f"{M}/draft.py",
        "self.now = now if base is None else max(now, base.time)",
        "self.now = now",
        MEMORY,
    ),
    Mutant("two-decision-tasks", f"{M}/draft.py", "        elif decision.state == IDLE:\n", "        else:\n", MEMORY),
    Mutant(
        "timer-fires-twice",
        f"{M}/timers.py",
        "timer = draft.head.timers.pop(id)",
        "timer = draft.head.timers[id]",
        MEMORY,
    ),
    Mutant(
        "signal-recorded-twice",
        f"{M}/life.py",
        "in head.requests:\n        return\n    draft.opened(message.run)\n",
        "in ():\n        return\n    draft.opened(message.run)\n",
        MEMORY,
    ),
    Mutant("cancel-recorded-twice", f"{M}/life.py", "if not head.cancel_requested:", "if True:", MEMORY),
    Mutant("closed-leaves-tasks", f"{M}/life.py", '    draft.remove("d")\n', "", MEMORY),
    Mutant(
        "parent-not-told",
        f"{M}/life.py",
        "        family.tell_parent(draft, status, reason, payload, cause)\n",
        "        pass\n",
        MEMORY,
    ),
    Mutant("policy-ignored", f"{M}/life.py", "    family.apply_policies(draft, child_policy)\n", "", MEMORY),
    Mutant("child-starts-twice", f"{M}/family.py", "if child is None or child.running:", "if child is None:", MEMORY),
    Mutant("checksum-not-chained", f"{E}/pack.py", "seal(encode(record), head.crc)", "seal(encode(record), 0)", MEMORY),
    Mutant("checksum-not-checked", f"{E}/codec.py", 'if sealed[1:SEAL] != b"%08x" % checksum:', "if False:", SQLITE),
    Mutant(
        "nan-passes",
        f"{E}/codec.py",
        "if isinstance(item, float) and not math.isfinite(item):",
        "if False:",
        ("tests/hostile",),
    ),
    Mutant("version-not-counted", f"{E}/pack.py", "head.version += 1", "head.version += 0", MEMORY),
    Mutant(
        "rolled-back-cache",
        f"{E}/office.py",
        "            self._heads.clear()\n            self.histories.clear()\n",
        "",
        SQLITE,
    ),
    Mutant("stale-head-believed", f"{E}/office.py", "if visit.draft.changed and not visit.failed:", "if True:", SQLITE),
    Mutant(
        "letter-dropped",
        f"{E}/mail.py",
        "self.store.postpone(task, now + 0.1)",
        "self.store.discard(task)",
        MEMORY,
    ),
    Mutant(
        "sender-not-told",
        f"{E}/mail.py",
        "heard = iter(self._say([(letter.sender, _answer(letter, reply)) for letter, reply in told]))\n",
        "heard = iter([None] * len(told))\n",
        MEMORY,
    ),
    Mutant(
        "alarm-dropped",
        f"{E}/mail.py",
        "self.store.postpone(task, head.alarm)",
        "self.store.discard(task)",
        ("tests/machine", "tests/backends/test_memory.py", "tests/simulation/test_clock_jumps.py"),
    ),
    Mutant(
        "memory-no-fence",
        "pyworkflow/backend/memory.py",
        'if commit.base != ("" if row is None else row.stamp):',
        "if False:",
        STORES,
    ),
    Mutant(
        "memory-no-priority",
        "pyworkflow/backend/memory.py",
        "(-task.priority, due, number, task)",
        "(0, due, number, task)",
        STORES,
    ),
    Mutant("memory-no-lease", "pyworkflow/backend/memory.py", "                self._put(held)\n", "", STORES),
    Mutant(
        "sqlite-no-fence",
        f"{S}/store.py",
        '_UPDATE = f"UPDATE pyworkflow_run SET stamp = ?, head = ? {_IF_SAME}"',
        "_UPDATE = \"UPDATE pyworkflow_run SET stamp = ?, head = ? WHERE key = ? AND id = ? AND current AND ? != ''\"",
        SQLITE,
    ),
    Mutant(
        "sqlite-no-rollback",
        f"{S}/connection.py",
        '            if self.db.in_transaction:\n                self.db.execute("ROLLBACK")\n\n    def close',
        '            if self.db.in_transaction:\n                self.db.execute("COMMIT")\n\n    def close',
        SQLITE,
    ),
    Mutant("sqlite-newer-file-accepted", f"{S}/connection.py", "if version > VERSION:", "if False:", SQLITE),
    Mutant(
        "worker-loses-unsent",
        "pyworkflow/worker/worker.py",
        "            self._unsent += [Finished(task, Released()) for task in tasks]\n",
        "            pass\n",
        ("tests/simulation/test_workers_stop.py",),
    ),
]
