"""The counter where workers hand in finished tasks and take the next ones, many in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ..backend.model import Exchanged, Failed, Finished
from ..exceptions import BackendUnavailable, CorruptRecord, PayloadError, UnknownResourceException, WorkflowError
from . import messages as msg
from .desk import Desk, Taken, body_of, given_up, take_message
from .doubts import Doubts
from .head import ActivityWork, DecisionWork, Head
from .machine import Draft, Pending, apply
from .office import Office, Visit
from .order import Order
from .store import Task

LEASE = 5.0
FAIR_EVERY = 1.0
ROUNDS = 10

Said = dict[str, list[tuple[Finished, msg.Message]]]
Claimed = dict[str, list[tuple[Task, ActivityWork | DecisionWork]]]


class Leased(NamedTuple):
    """A decision task that was claimed, the visit in which it is begun, and whether it was."""

    task: Task
    visit: Visit
    begun: bool


logger = logging.getLogger("pyworkflow.engine")


class Counter:
    """Applies what workers say. Work that a commit creates goes to the same worker in that commit where it may."""

    def __init__(self, office: Office, desk: Desk) -> None:
        self.office = office
        self.store = office.store
        self.desk = desk
        self.doubts = Doubts(office)
        self._fair_at = 0.0

    def serve(self, finished: Sequence[Finished], order: Order) -> Exchanged:
        """Commit what is finished and start what is next, in one transaction. No user's code runs inside of it; where
        deciders are asked, it is before.

        Where this fails, nobody knows what was started: the next call finds out.
        """
        result = Exchanged()
        try:
            for _ in range(ROUNDS):
                spoiled = self._serve(finished, order, result)
                if not spoiled:
                    break
                finished = ()
        except Exception:
            self.doubts.add(order.started)
            raise
        return result

    def _serve(self, finished: Sequence[Finished], order: Order, result: Exchanged) -> int:
        """One round; how many tasks could not be read, and something else should be given instead."""
        found = self._found(order)
        said = self._messages(finished, result)
        visits, leased = self._visit(said, order)
        with self.office.batch(grouped=bool(self.office.outlook.due(order.queues))):
            visits = self.office.commit(visits)
            taken = found + [item for visit in visits for item in visit.taken]
            self._let_go(leased, visits)
            taken += self._claim(order)
        result.decided = order.decided
        for visit in visits:
            if visit.failed:
                for (item, _), reply in zip(said[visit.process], visit.replies, strict=True):
                    if isinstance(reply, WorkflowError):
                        result.refused.append((item, reply))
        self.office.histories.fetch(
            [(it.head.id, it.work.run, it.started) for it in taken if isinstance(it.work, DecisionWork)]
        )
        return sum([not self._give(item, order, result) for item in taken])

    def _give(self, item: Taken, order: Order, result: Exchanged) -> bool:
        """Make a worker's task of what was started; what cannot be read is failed."""
        try:
            if isinstance(item.work, ActivityWork):
                result.activities.append(self.desk.activity_task(item))
            else:
                result.decisions.append(self.desk.decision_task(item))
        except (CorruptRecord, PayloadError) as error:
            self.office.send(item.head.id, given_up(item, error))
            order.left[isinstance(item.work, ActivityWork)] += 1
            return False
        return True

    def _found(self, order: Order) -> list[Taken]:
        """What an earlier call started and could not tell."""
        found = []
        for item in self.doubts.settle(order.may_have):
            found.append(item)
            order.started.append(item)
            order.left[isinstance(item.work, ActivityWork)] -= 1
        return found

    # -- handing in ----------

    def _messages(self, finished: Sequence[Finished], result: Exchanged) -> Said:
        said: Said = {}
        for item in finished:
            try:
                process, message = self.desk.message(item)
                said.setdefault(process, []).append((item, message))
            except BackendUnavailable:
                raise
            except Exception as error:
                result.refused.append((item, error))
        return said

    def _visit(self, said: Said, order: Order) -> tuple[list[Visit], list[Leased]]:
        """What is said to which process, and the decisions that are due and were not begun yet.

        Fairness: every FAIR_EVERY seconds nothing is handed over directly, and the queues' order alone counts.
        """
        now = self.store.now()
        fair = now >= self._fair_at or now < self._fair_at - FAIR_EVERY
        if fair:
            self._fair_at = now + FAIR_EVERY
        visits = [self.office.visit(process, [it for _, it in pairs], now) for process, pairs in said.items()]
        if not fair:
            for visit in visits:
                task = visit.draft.tasks.get("d")
                if task is not None and self._is_wanted(task, visit.draft, order) == 0:
                    self._decide(visit, task, order)
        leased = self._lease(visits, order)
        if not fair:
            now = self.store.now()
            for visit in visits:
                visit.draft.pass_time(now)
                visit.taken += self._hand_over(visit.draft, order)
        return visits, leased

    def _is_wanted(self, task: Pending, draft: Draft, order: Order) -> int | None:
        """Which of the two this is, if it is due and may be handed over."""
        return order.kind(task.queue) if task.due <= draft.now else None

    def _hand_over(self, draft: Draft, order: Order) -> list[Taken]:
        taken = []
        for task in [task for task in draft.tasks.values() if task is not None]:
            kind = self._is_wanted(task, draft, order)
            if kind is not None and (item := self._take(draft, task, order)) is not None:
                taken.append(item)
                order.left[kind] -= 1
        return taken

    def _take(self, draft: Draft, task: Pending, order: Order) -> Taken | None:
        """Start a task in this draft; None where what was due before it has ended it."""
        work = task.body
        assert isinstance(work, ActivityWork | DecisionWork)
        try:
            started = apply(draft, take_message(work, order.caller))
        except UnknownResourceException:
            return None
        taken = Taken(task.queue, work, started, draft, order.caller)
        order.started.append(taken)
        return taken

    # -- deciding on the way ----------

    def _lease(self, visits: list[Visit], order: Order) -> list[Leased]:
        """Begin decisions that are due, for a worker whose decider may be asked at once: its answer is one commit with
        their start. Until then nothing is written of them but that nobody else should take them."""
        leased: list[Leased] = []
        wanted = order.left[0]
        if order.seconds_left <= 0 or wanted <= 0:
            return leased
        claimed = self.office.claim(order.by_kind[0], LEASE, wanted)
        self.office.histories.fetch([(head.id, head.run, head.seq) for _, head in claimed if head is not None])
        open = {visit.process: visit for visit in visits}
        now = self.store.now()
        for task, head in claimed:
            try:
                pending = Pending(task.queue, task.due, task.priority, body_of(task))
            except CorruptRecord as error:
                self.office.put_off(task, error)
                continue
            visit = open.get(task.process)
            if visit is None or not visit.draft.changed:  # Nothing will prove that it is up to date.
                visit = self.office.on(task.process, head, [], now)
                visits.append(visit)
            leased.append(Leased(task, visit, self._decide(visit, pending, order)))
            order.left[0] = wanted = wanted - leased[-1].begun  # Also where it was answered at once.
        return leased

    def _let_go(self, leased: list[Leased], visits: Sequence[Visit]) -> None:
        """Of what was leased and not begun: it is gone; or somebody was faster, and it is due again."""
        done = set(visits)
        for task, visit, begun in leased:
            if visit not in done:
                self.store.postpone(task, self.store.now())
            elif not begun:
                self.store.discard(task)

    def _decide(self, visit: Visit, task: Pending, order: Order) -> bool:
        """Start a decision, and ask the worker's own decider at once where it may be; was it still to be had?

        What led to the answer and the answer become one commit. If that is refused the answer is thrown away, and
        asked for again by whoever takes the decision then.
        """
        visit.draft.pass_time(self.store.now())
        taken = self._take(visit.draft, task, order)
        if taken is not None and not self._ask(visit, taken, order):
            order.left[0] -= 1
            visit.taken.append(taken)
        return taken is not None

    def _ask(self, visit: Visit, taken: Taken, order: Order) -> bool:
        """Is there an answer? Without one the decision is handed out, or failed by whoever finds out why it cannot."""
        if order.decide is None or order.seconds_left <= 0:
            return False
        draft = visit.draft
        try:
            history = self.office.histories.ahead(draft)
            if history is None:
                return False
            asked = self.desk.decision_of(taken, history)
        except (CorruptRecord, PayloadError):
            return False
        visit.history = history
        begun = self.store.now()
        outcome = order.decide(asked)
        now = self.store.now()
        order.seconds_left -= now - begun
        if outcome is None:
            return False
        draft.pass_time(now)
        with suppress(UnknownResourceException):  # It may have come too late.
            apply(draft, self._answer(taken, outcome))
        order.decided += 1
        return True

    def _answer(self, taken: Taken, outcome: Any) -> msg.Message:
        run, started = taken.work.run, taken.started
        try:
            return self.desk.answer(run, started, outcome)
        except Exception as error:
            logger.error("process %r: its answer cannot be recorded: %s", taken.head.id, error)
            return self.desk.answer(run, started, Failed(f"{type(error).__name__}: {error}"))

    # -- taking ----------

    def _claim(self, order: Order) -> list[Taken]:
        taken: list[Taken] = []
        for kind in (0, 1):
            while order.left[kind] > 0 and order.by_kind[kind]:
                claimed = self.office.claim(order.by_kind[kind], LEASE, order.left[kind])
                started = self._start(claimed, order) if claimed else []
                order.left[kind] -= len(started)
                taken += started
                if len(claimed) == len(started):
                    break
        return taken

    def _start(self, claimed: list[tuple[Task, Head | None]], order: Order) -> list[Taken]:
        by_process: Claimed = {}
        heads = {}
        for task, head in claimed:
            try:
                by_process.setdefault(task.process, []).append((task, body_of(task)))
                heads[task.process] = head
            except CorruptRecord as error:
                self.office.put_off(task, error)
        now = self.store.now()
        visits = [
            self.office.on(process, heads[process], [take_message(work, order.caller) for _, work in tasks], now)
            for process, tasks in by_process.items()
            if tasks
        ]
        for visit in visits:
            order.started += [taken for _, taken in _started(visit, by_process, order) if taken is not None]
        begun = []
        for visit in self.office.commit(visits):
            for task, taken in _started(visit, by_process, order):
                if taken is None:
                    self.store.discard(task)
                else:
                    begun.append(taken)
        return begun


def _started(visit: Visit, by_process: Claimed, order: Order) -> Iterator[tuple[Task, Taken | None]]:
    """The tasks of this visit, each with its start, None where it is not to be had any more."""
    for (task, work), reply in zip(by_process[visit.process], visit.replies, strict=True):
        failed = isinstance(reply, WorkflowError)
        yield task, None if failed else Taken(task.queue, work, reply, visit.draft, order.caller)
