"""What the reference model is made of: processes, runs, letters, and what every change to them comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PATIENCE, RETRY = 3.0, 0.1
DECISION_TIMEOUT = 9.0
WORKFLOW_TIMEOUT = 50.0
ATTEMPTS, REFUSALS, TIMEOUTS = 3, 10, 20
ACTIVITIES = {
    "A": {"SCHEDULE_TO_START": 5.0, "START_TO_CLOSE": 8.0},
    "B": {"SCHEDULE_TO_START": 6.0, "START_TO_CLOSE": 12.0, "SCHEDULE_TO_CLOSE": 10.0, "HEARTBEAT": 3.0},
}
CLOSING = {"complete": "completed", "fail": "failed", "cancel": "canceled", "continue": "continued"}


def backoff(failures: int) -> float:
    """None, then 1, 2, 4 … seconds, up to a minute."""
    return min(2.0 ** (failures - 1), 60.0) if failures > 0 else 0.0


class Refused(Exception):
    """What a backend must refuse: running, closed (or unknown), stale."""


@dataclass
class Work:
    """An open activity; `due` are its deadlines by kind, `ready` is when it can be taken."""

    id: str
    kind: str
    ready: float
    due: dict[str, float] = field(default_factory=dict)
    started: int = 0
    cancel: bool = False


@dataclass
class Run:
    """One run of a process; `number` counts the process's runs."""

    number: int
    by: float
    timeout: float
    parent: tuple[str, int, int] | None = None
    status: str = "running"
    log: list[tuple[float, str]] = field(default_factory=list)
    state: str = "idle"
    started: int = 0
    ready: float = 0.0
    decide_by: float = 0.0
    again: bool = False
    attempts: int = 0
    refusals: int = 0
    cancel_requested: bool = False
    activities: dict[int, Work] = field(default_factory=dict)
    timers: dict[str, float] = field(default_factory=dict)
    children: dict[int, list[Any]] = field(default_factory=dict)
    letters: dict[int, str] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.status in ("running", "blocked")


@dataclass
class Process:
    """All runs of an id; what was asked before is remembered over its runs."""

    runs: list[Run] = field(default_factory=list)
    starts: set[str] = field(default_factory=set)
    signals: set[str] = field(default_factory=set)
    orphans: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)


@dataclass
class Letter:
    kind: str
    to: str
    sender: str
    run: int
    seq: int
    sent: float
    due: float
    policy: str = ""
    status: str = ""


class Base:
    """All processes, their letters, and the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.processes: dict[str, Process] = {}
        self.mail: list[Letter] = []

    def run(self, id: str) -> Run | None:
        return self.processes[id].runs[-1] if id in self.processes else None

    def current(self, id: str) -> Run:
        run = self.run(id)
        if run is None:
            raise Refused("closed")
        return run

    def _deadlines(self, id: str) -> list[tuple[float, str, Any]]:
        run = self.run(id)
        if run is None or not run.open:
            return []
        found: list[tuple[float, str, Any]] = [(run.by, "process", 0)]
        if run.state == "started":
            found.append((run.decide_by, "decision", 0))
        found += [(due, "timer", timer) for timer, due in run.timers.items()]
        return found + [(due, kind, seq) for seq, work in run.activities.items() for kind, due in work.due.items()]

    def expire(self, id: str) -> None:
        """The deadlines of one process that have passed, in order."""
        for due, kind, key in sorted(self._deadlines(id), key=lambda it: it[0]):
            run = self.current(id)
            if due > self.now or not run.open:
                return
            if kind == "process":
                self._close(id, "timedout", "process timed out")
            elif kind == "decision":
                self._log(run, "decision timed out")
                run.attempts += 1
                if run.attempts >= TIMEOUTS:
                    self._block(run)
                else:
                    self._schedule(run, self.now + backoff(run.attempts - 1))
            elif kind == "timer":
                del run.timers[key]
                self._news(run, f"timer {key} fired")
            elif key in run.activities:
                self._end(run, key, f"timedout {kind}")

    # -- what users do ----------

    def opened(self, id: str) -> Run:
        self.expire(id) if id in self.processes else None
        run = self.current(id)
        if not run.open:
            raise Refused("closed")
        return run

    def start(self, id: str, request: str, policy: str, timeout: float, signal: str = "") -> None:
        if id in self.processes:
            self.expire(id)
        if not self._is_started(id, request, policy):
            run = self.run(id)
            if run is not None and run.open:
                self._close(id, "terminated", "process terminated")
            self._begin(id, request, timeout, None)
        if signal:
            self.signal(id, signal)

    def _is_started(self, id: str, request: str, policy: str) -> bool:
        run = self.run(id)
        if run is None:
            return False
        if request in self.processes[id].starts:
            return True
        if run.open and policy == "fail":
            raise Refused("running")
        if run.open and policy == "use_existing":
            self.processes[id].starts.add(request)
            return True
        return False

    def _begin(self, id: str, request: str, timeout: float, parent: tuple[str, int, int] | None) -> None:
        process = self.processes.setdefault(id, Process())
        process.starts |= {request} - {""}
        run = Run(len(process.runs), self.now + timeout, timeout, parent)
        process.runs.append(run)
        self._news(run, "process started")

    def signal(self, id: str, request: str) -> None:
        if id in self.processes and request in self.processes[id].signals:
            self.expire(id)
            return
        run = self.opened(id)
        self.processes[id].signals.add(request)
        self._news(run, "signal")

    def cancel(self, id: str) -> None:
        run = self.opened(id)
        if not run.cancel_requested:
            run.cancel_requested = True
            self._news(run, "cancel requested")

    def terminate(self, id: str, policy: str = "") -> None:
        self.opened(id)
        self._close(id, "terminated", "process terminated", policy)

    def resume(self, id: str) -> None:
        run = self.opened(id)
        if run.status == "blocked":
            run.status = "running"
            self._log(run, "process resumed")
            self._schedule(run, self.now)

    # -- what all of it comes to ----------

    def _post(self, kind: str, to: str, sender: str, run: Run, seq: int, policy: str = "", status: str = "") -> None:
        self.mail.append(Letter(kind, to, sender, run.number, seq, self.now, self.now, policy, status))

    def _log(self, run: Run, line: str) -> int:
        run.log.append((self.now, line))
        return len(run.log)

    def _decided(self, run: Run, decision: tuple[Any, ...]) -> int:
        return self._log(run, f"decided {' '.join(map(str, decision))}")

    def _news(self, run: Run, line: str) -> None:
        """An event that a decider must see."""
        self._log(run, line)
        if run.state == "started" or run.status == "blocked":
            run.again = True
        elif run.state == "idle":
            self._schedule(run, self.now)

    def _schedule(self, run: Run, ready: float) -> None:
        run.state, run.ready, run.again = "scheduled", ready, False

    def _block(self, run: Run) -> None:
        self._log(run, "process blocked")
        run.status, run.state, run.again, run.attempts, run.refusals = "blocked", "idle", True, 0, 0

    def _end(self, run: Run, seq: int, how: str) -> None:
        work = run.activities.pop(seq)
        self._news(run, f"activity {work.id} {how}")

    def _close(self, id: str, status: str, line: str, override: str = "") -> None:
        process = self.processes[id]
        run = process.runs[-1]
        for seq, (child, policy, running) in run.children.items():
            policy = override or policy
            if policy != "ABANDON":
                self._post("policy", child, id, run, seq, policy)
                if not running:
                    process.orphans[run.number, seq] = (child, policy)
        if run.parent is not None and status != "continued":
            parent, number, seq = run.parent
            self._post("closed", parent, id, self.processes[parent].runs[number], seq, status=status)
        self._log(run, line)
        run.status, run.state = status, "idle"
        run.activities, run.timers, run.children, run.letters = {}, {}, {}, {}
