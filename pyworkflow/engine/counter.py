"""The counter where workers hand in finished tasks and take the next ones, many in one commit."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ..backend.model import Exchanged, Failed, Finished
from ..exceptions import BackendUnavailable, CorruptRecord, PayloadError, UnknownResourceException, WorkflowError
from . import messages as msg
from .bundle import Bundle, Drawn
from .desk import Desk, Taken, body_of, given_up, take_message
from .doubts import Doubts
from .head import ActivityWork, DecisionWork, Head, Work
from .machine import Draft, Pending, apply
from .office import Office, Visit
from .order import Order, type_of
from .store import Task

LEASE = 5.0
FAIR_EVERY = 1.0
LEFT_ALONE = (1.0, 60.0)
"""For so many seconds, at least and at most."""
ROUNDS = 10

Said = dict[str, list[tuple[Finished, msg.Message]]]

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
        """Commit what is finished together with the start of what is next. What waits is claimed before, and deciders
        are asked before: no user's code runs inside of a transaction.

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
        taken = self._found(order)
        said = self._messages(finished, result)
        bundle = self._bundle(said, order)
        try:
            with self.office.batch(grouped=False):
                visits = self.office.commit(bundle.visits)
                taken += [item for visit in visits for item in visit.taken]
                taken += self._begun(bundle)
        finally:
            order.started += [item.taken for item in bundle.drawn if item.visit.again and item.taken]
        result.decided = order.decided
        for pairs, visit in zip(said.values(), visits, strict=False):  # Those of what is drawn come after.
            if visit.failed:
                for (item, _), reply in zip(pairs, visit.replies, strict=False):
                    if isinstance(reply, WorkflowError):
                        result.refused.append((item, reply))
        self.office.histories.fetch(
            [(it.head.id, it.work.run, it.started) for it in taken if isinstance(it.work, DecisionWork)]
        )
        return sum([not self._give(item, order, result) for item in taken]) + _make_room(bundle, order)

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

    def _bundle(self, said: Said, order: Order) -> Bundle:
        """What is said to which process, and what is begun on the way.

        Fairness: what comes of it is handed over directly, before anything that waits; once every FAIR_EVERY seconds
        what waits comes first.
        """
        now = self.store.now()
        bundle = Bundle([self.office.visit(process, [it for _, it in pairs], now) for process, pairs in said.items()])
        steps = [self._decide_own, self._draw_decisions, self._hand_over, self._draw_activities]
        if now >= self._fair_at or now < self._fair_at - FAIR_EVERY:
            self._fair_at = now + FAIR_EVERY
            steps = [self._draw_decisions, self._decide_own, self._draw_activities, self._hand_over]
        for step in steps:
            step(bundle, order)
        return bundle

    def _is_wanted(self, task: Pending, draft: Draft, order: Order) -> int | None:
        """Which of the two this is, if it is due and may be handed over."""
        kind = order.kind(task.queue) if task.due <= draft.now else None
        if kind is None or not order.wants(task.body, draft.head):  # type: ignore[arg-type]  # What else has these queues?
            return None
        return kind

    # -- what comes of what is said ----------

    def _decide_own(self, bundle: Bundle, order: Order) -> None:
        for visit in bundle.visits:
            task = visit.draft.tasks.get("d")
            if task is not None and self._is_wanted(task, visit.draft, order) == 0:
                visit.draft.pass_time(self.store.now())
                taken = self._take(visit, task, order)
                if taken is not None and not self._ask(visit, taken, order):
                    order.left[0] -= 1
                    visit.taken.append(taken)

    def _hand_over(self, bundle: Bundle, order: Order) -> None:
        now = self.store.now()
        for visit in bundle.visits:
            visit.draft.pass_time(now)
            for task in [task for task in visit.draft.tasks.values() if task is not None]:
                kind = self._is_wanted(task, visit.draft, order)
                if kind is not None and (taken := self._take(visit, task, order)) is not None:
                    visit.taken.append(taken)
                    order.left[kind] -= 1

    def _take(self, visit: Visit, task: Pending, order: Order) -> Taken | None:
        """Start a task that this visit made; None where what was due before it has ended it."""
        work = task.body
        assert isinstance(work, Work)
        try:
            started = apply(visit.draft, take_message(work, order.caller))
        except UnknownResourceException:
            return None
        taken = Taken(task.queue, work, started, visit.draft, order.caller)
        order.started.append(taken)
        return taken

    # -- what waits ----------

    def _draw_decisions(self, bundle: Bundle, order: Order) -> None:
        self._draw(0, bundle, order)

    def _draw_activities(self, bundle: Bundle, order: Order) -> None:
        self._draw(1, bundle, order)

    def _draw(self, kind: int, bundle: Bundle, order: Order) -> None:
        """Claim tasks that are due, and begin them. Until that is committed nothing is written of them but that nobody
        else should take them."""
        for _ in range(ROUNDS if order.by_kind[kind] else 0):
            if order.left[kind] <= 0:
                break
            claimed = self.office.claim(order.by_kind[kind], LEASE, order.left[kind])
            if order.seconds_left > 0 and not kind:
                self.office.histories.fetch([(head.id, head.run, head.seq) for _, head in claimed if head is not None])
            begun = sum([self._begin(task, head, bundle, order) for task, head in claimed])
            order.left[kind] -= begun
            if begun == len(claimed):
                break

    def _begin(self, task: Task, head: Head | None, bundle: Bundle, order: Order) -> bool:
        """Start a claimed task, and answer it if it is a decision that may be asked for; was it still to be had?"""
        try:
            work = body_of(task)
        except CorruptRecord as error:
            self.office.put_off(task, error)
            return False
        now = self.store.now()
        if head is not None and not order.wants(work, head):
            return self._leave(task, work, head, now)
        visit = bundle.visit(task.process) or bundle.add(self.office.on(task.process, head, [], now))
        visit.draft.pass_time(now)
        drawn = Drawn(task, work, visit, visit.take(take_message(work, order.caller)), order.caller)
        taken = drawn.taken
        if taken is not None:
            order.started.append(taken)
            if isinstance(work, DecisionWork) and self._ask(visit, taken, order):
                drawn = drawn._replace(answered=True)
        bundle.drawn.append(drawn)
        return taken is not None

    def _leave(self, task: Task, work: Work, head: Head, now: float) -> bool:
        """Leave what is of an unknown type to others, the longer its process stands still; nothing becomes of it."""
        pause = min(max((now - head.time) / 10, LEFT_ALONE[0]), LEFT_ALONE[1])
        kind = "activity" if isinstance(work, ActivityWork) else "workflow"
        name, version = type_of(work, head)
        text = "process %r: %s %r, version %s, is unknown to this worker; left to others for %.0f s"
        logger.warning(text, task.process, kind, name, version, pause)
        self.store.postpone(task, now + pause)
        return False

    def _begun(self, bundle: Bundle) -> list[Taken]:
        """What was begun of what was claimed, now that it counts. Where somebody was faster, and it was all said again,
        an answer was not. What is not to be had any more is forgotten, or due again where it was not asked for again.
        """
        begun = []
        for item in bundle.drawn:
            taken = item.taken
            if taken is None:
                self._put_away(item)
            elif item.visit.again or not item.answered:
                begun.append(taken)
        return begun

    def _put_away(self, item: Drawn) -> None:
        with suppress(BackendUnavailable):  # Then its lease ends by itself; what is committed is.
            if item.reply is None and item.visit.again:
                self.office.give_back(item.task)
            else:
                self.store.discard(item.task)

    # -- deciding on the way ----------

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


def _make_room(bundle: Bundle, order: Order) -> int:
    """In how many visits somebody was faster; there is room again for what these had begun, and now did not."""
    lost = [item.work for visit in bundle.visits if visit.again for item in visit.taken]
    lost += [item.work for item in bundle.drawn if item.reply is not None and item.taken is None]
    for work in lost:
        order.left[isinstance(work, ActivityWork)] += 1
    return sum([visit.again is not None for visit in bundle.visits])
