"""Deciders and workers in the reference model: what becomes of answers, results, failures and tasks handed back."""

from __future__ import annotations

from typing import Any

from .reference_base import ACTIVITIES, ATTEMPTS, CLOSING, DECISION_TIMEOUT, REFUSALS, Base, Refused, Run, Work, backoff


class Tasks(Base):
    """Decisions and activities."""

    # -- what deciders do ----------

    def decidable(self) -> set[str]:
        """The processes that a decider may be given now."""
        runs = {id: process.runs[-1] for id, process in self.processes.items()}
        return {id for id, run in runs.items() if run.open and run.state == "scheduled" and run.ready <= self.now}

    def take(self, id: str) -> int:
        self.expire(id)
        run = self.current(id)
        run.started = self._log(run, "decision started")
        run.state, run.decide_by = "started", self.now + DECISION_TIMEOUT
        return run.started

    def held(self, id: str, number: int, started: int) -> Run:
        if id in self.processes:
            self.expire(id)
        run = self.current(id)
        if not run.open or run.number != number or run.state != "started" or run.started != started:
            raise Refused("stale")
        return run

    def fail(self, id: str, number: int, started: int) -> None:
        run = self.held(id, number, started)
        self._log(run, "decision failed")
        run.attempts += 1
        if run.attempts >= ATTEMPTS:
            self._block(run)
        else:
            self._schedule(run, self.now + backoff(run.attempts))

    def release(self, id: str, number: int, started: int, delay: float) -> None:
        run = self.held(id, number, started)
        self._log(run, "decision released")
        self._schedule(run, self.now + delay)

    def answer(self, id: str, number: int, started: int, decisions: list[tuple[Any, ...]]) -> None:
        run = self.held(id, number, started)
        unseen, causes = run.again, list[str]()
        for decision in decisions:
            closes = decision[0] in CLOSING
            cause = "UNHANDLED_DECISION" if closes and (unseen or causes) else self._decide(id, run, decision)
            if cause:
                causes.append(cause)
                self._log(run, f"refused {' '.join(map(str, decision))} {cause}")
        if not decisions:
            self._log(run, "decision completed")
        if run.open:
            self._follow(run, causes)

    def _follow(self, run: Run, causes: list[str]) -> None:
        again, bad = run.again or bool(causes), any(cause != "UNHANDLED_DECISION" for cause in causes)
        run.state, run.again, run.attempts, run.refusals = "idle", False, 0, run.refusals + 1 if bad else 0
        if run.refusals >= REFUSALS:
            self._block(run)
        elif again:
            self._schedule(run, self.now + backoff(run.refusals - 1))

    def _decide(self, id: str, run: Run, decision: tuple[Any, ...]) -> str:
        return str(getattr(self, f"_decide_{decision[0]}", self._decide_close)(id, run, decision) or "")

    def _decide_activity(self, id: str, run: Run, decision: tuple[Any, ...]) -> str | None:
        _, name, kind = decision
        if kind not in ACTIVITIES:
            return "ACTIVITY_TYPE_DOES_NOT_EXIST"
        if any(work.id == name for work in run.activities.values()):
            return "ACTIVITY_ID_ALREADY_IN_USE"
        work = run.activities[self._decided(run, decision)] = Work(name, kind, self.now)
        self._due(work, "SCHEDULE_TO_START", "SCHEDULE_TO_CLOSE")
        return None

    def _decide_stop(self, id: str, run: Run, decision: tuple[Any, ...]) -> str | None:
        for seq, work in run.activities.items():
            if work.id == decision[1]:
                self._decided(run, decision)
                work.cancel = True
                if not work.started:
                    self._end(run, seq, "canceled")
                return None
        return "ACTIVITY_ID_UNKNOWN"

    def _decide_timer(self, id: str, run: Run, decision: tuple[Any, ...]) -> str | None:
        if decision[1] in run.timers:
            return "TIMER_ID_ALREADY_IN_USE"
        self._decided(run, decision)
        run.timers[decision[1]] = self.now + decision[2]
        return None

    def _decide_untimer(self, id: str, run: Run, decision: tuple[Any, ...]) -> str | None:
        if run.timers.pop(decision[1], None) is None:
            return "TIMER_ID_UNKNOWN"
        self._decided(run, decision)
        return None

    def _decide_marker(self, id: str, run: Run, decision: tuple[Any, ...]) -> None:
        self._decided(run, decision)

    def _decide_child(self, id: str, run: Run, decision: tuple[Any, ...]) -> None:
        seq = self._decided(run, decision)
        run.children[seq] = [decision[1], decision[2], False]
        self._post("start", decision[1], id, run, seq)

    def _decide_send(self, id: str, run: Run, decision: tuple[Any, ...]) -> None:
        seq = self._decided(run, decision)
        run.letters[seq] = "signal"
        self._post("signal", decision[1], id, run, seq)

    def _decide_ask(self, id: str, run: Run, decision: tuple[Any, ...]) -> None:
        seq = self._decided(run, decision)
        run.letters[seq] = "cancel"
        self._post("cancel", decision[1], id, run, seq)

    def _decide_close(self, id: str, run: Run, decision: tuple[Any, ...]) -> None:
        status = CLOSING[decision[0]]
        self._close(id, status, f"decided {decision[0]}")
        if status == "continued":
            self._begin(id, "", run.timeout, run.parent)

    # -- what workers do ----------

    def executable(self, kind: str) -> set[tuple[str, int]]:
        """The activities of a kind that a worker may be given now."""
        runs = {id: process.runs[-1] for id, process in self.processes.items()}
        return {(id, seq) for id, run in runs.items() for seq, work in run.activities.items()
                if work.kind == kind and not work.started and work.ready <= self.now}  # fmt: skip

    def begin(self, id: str, seq: int) -> int:
        self.expire(id)
        run = self.current(id)
        work = run.activities[seq]
        work.started = self._log(run, f"activity {work.id} started")
        work.due.pop("SCHEDULE_TO_START", None)
        self._due(work, "START_TO_CLOSE", "HEARTBEAT")
        return work.started

    def working(self, id: str, number: int, seq: int, started: int) -> tuple[Run, Work]:
        if id in self.processes:
            self.expire(id)
        run = self.current(id)
        work = run.activities.get(seq) if run.open and run.number == number else None
        if work is None or work.started != started:
            raise Refused("stale")
        return run, work

    def finish(self, id: str, number: int, seq: int, started: int, how: str) -> None:
        run, _ = self.working(id, number, seq, started)
        self._end(run, seq, how)

    def heartbeat(self, id: str, number: int, seq: int, started: int) -> bool:
        _, work = self.working(id, number, seq, started)
        self._due(work, "HEARTBEAT")
        return work.cancel

    def hand_back(self, id: str, number: int, seq: int, started: int, delay: float) -> None:
        run, work = self.working(id, number, seq, started)
        self._log(run, f"activity {work.id} released")
        if work.cancel:
            return self._end(run, seq, "canceled")
        work.started, work.ready = 0, self.now + delay
        work.due = {kind: due for kind, due in work.due.items() if kind == "SCHEDULE_TO_CLOSE"}
        self._due(work, "SCHEDULE_TO_START")
        work.due["SCHEDULE_TO_START"] += delay
        return None

    def _due(self, work: Work, *kinds: str) -> None:
        work.due |= {kind: self.now + ACTIVITIES[work.kind][kind] for kind in kinds if kind in ACTIVITIES[work.kind]}
