"""The counter where workers hand in finished tasks and take the next ones, many in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct

from ..activity import ActivityExecution, ActivityResult
from ..backend.model import Exchanged, Failed, Finished, Released, Wanted
from ..defaults import DECISION_ATTEMPTS
from ..exceptions import (
    BackendUnavailable,
    CorruptRecord,
    NewerRecord,
    PayloadError,
    UnknownActivityException,
    UnknownResourceException,
    WorkflowError,
)
from ..process import Process
from ..task import ActivityTask, DecisionTask
from . import messages as msg
from .codec import Payloads, check_name, decode, unseal, unseal_last
from .head import ActivityWork, DecisionWork, Head
from .machine import Draft, Pending, apply
from .office import Job, Office
from .records import ActivityFailed, ActivityScheduled
from .store import Task, activities_queue, decisions_queue
from .tokens import activity_token, decision_token
from .translate import Translator, reason_text, seconds

LEASE = 5.0
PATIENCE = 1.0

_ACTIVITIES = msgspec.json.Decoder(ActivityWork)
_DECISIONS = msgspec.json.Decoder(DecisionWork)
_SCHEDULED = msgspec.json.Decoder(ActivityScheduled)


class Taken(Struct, gc=False):
    """A task that was started: its work, and the number of its start in the process as it was left."""

    work: ActivityWork | DecisionWork
    started: int
    head: Head


class Order:
    """What one exchange still wants, by queue."""

    def __init__(self, decisions: Wanted | None, activities: Wanted | None, identity: str) -> None:
        self.identity = identity
        self.decisions = decisions or Wanted()
        self.activities = activities or Wanted()
        self.left = [self.decisions.limit, self.activities.limit]
        self.by_kind = [
            [decisions_queue(check_name("a category", category)) for category in self.decisions.categories],
            [activities_queue(check_name("a category", category)) for category in self.activities.categories],
        ]

    def kind(self, queue: str) -> int | None:
        """Which of the two is wanted from this queue, None for neither."""
        for kind in (0, 1):
            if self.left[kind] > 0 and queue in self.by_kind[kind]:
                return kind
        return None

    @property
    def queues(self) -> list[str]:
        """Those that something is still wanted from."""
        return [queue for left, queues in zip(self.left, self.by_kind, strict=True) if left > 0 for queue in queues]


class Counter:
    """Applies what workers say. Work that a commit creates goes to the same worker in that commit where it may."""

    def __init__(self, office: Office, translator: Translator, payloads: Payloads) -> None:
        self.office = office
        self.store = office.store
        self.translator = translator
        self.payloads = payloads
        self._fair_at = 0.0

    def serve(self, finished: Sequence[Finished], order: Order) -> Exchanged:
        """Commit what is finished and start what is next, in one transaction."""
        result = Exchanged()
        said = self._messages(finished, result)
        with self.office.batch():
            taken = self._finish(said, order, result)
            taken += self._claim(order)
        for item in taken:
            self._give(item, order, result)
        return result

    def _give(self, item: Taken, order: Order, result: Exchanged) -> None:
        """Make a worker's task of what was started. What cannot be read is failed, and something else given instead."""
        try:
            if isinstance(item.work, ActivityWork):
                result.activities.append(self._activity_task(item.head, item.work, item.started))
            else:
                result.decisions.append(self._decision_task(item))
        except (CorruptRecord, PayloadError) as error:
            self.office.send(item.head.id, _given_up(item, error))
            order.left[isinstance(item.work, ActivityWork)] += 1
            more = self.serve((), order)
            result.activities += more.activities
            result.decisions += more.decisions

    # -- handing in ----------

    def _messages(
        self, finished: Sequence[Finished], result: Exchanged
    ) -> dict[str, list[tuple[Finished, msg.Message]]]:
        said: dict[str, list[tuple[Finished, msg.Message]]] = {}
        for item in finished:
            try:
                process, message = self.message(item)
                said.setdefault(process, []).append((item, message))
            except BackendUnavailable:
                raise
            except Exception as error:
                result.refused.append((item, error))
        return said

    def message(self, finished: Finished) -> tuple[str, msg.Message]:
        """What a finished task says to which process."""
        task, outcome = finished.task, finished.outcome
        if isinstance(task, DecisionTask):
            process, run, started = decision_token(task.context.get("token"))
            match outcome:
                case Failed():
                    details = self.payloads.dump(outcome.details)
                    return process, msg.FailDecision(
                        run=run, started=started, reason=reason_text(outcome.reason), details=details,
                        attempts=outcome.attempts,
                    )  # fmt: skip
                case Released():
                    delay = seconds(outcome.delay, "a delay")
                    return process, msg.ReleaseDecision(run=run, started=started, delay=delay)
                case ActivityResult():
                    raise ValueError(f"{outcome!r} is no answer to a decision task")
            records, refused = self.translator.answer(outcome)
            return process, msg.AnswerDecision(run=run, started=started, decisions=records, refused=refused)
        process, run, scheduled, started = activity_token(task.context.get("token"))
        if isinstance(outcome, ActivityResult):
            return process, msg.EndActivity(run=run, started=started, end=self.translator.result(scheduled, outcome))
        if isinstance(outcome, Released):
            return process, self._release(process, run, scheduled, started, seconds(outcome.delay, "a delay"))
        raise ValueError(f"{outcome!r} is no result of an activity")

    def _release(self, process: str, run: str, scheduled: int, started: int, delay: float) -> msg.ReleaseActivity:
        first = max(scheduled - 2, 0)
        sealed = self.store.history(process, run, first, scheduled - first)
        try:
            record = _SCHEDULED.decode(unseal_last(sealed, f"event {scheduled} of process {process!r}")[0])
        except (IndexError, msgspec.DecodeError):
            raise UnknownActivityException(f"event {scheduled} of process {process!r} schedules no activity") from None
        work = _work(run, scheduled, record)
        return msg.ReleaseActivity(
            run=run, scheduled=scheduled, started=started, work=work, priority=record.priority,
            scheduled_timeout=record.scheduled_timeout, delay=delay,
        )  # fmt: skip

    def _finish(
        self, said: dict[str, list[tuple[Finished, msg.Message]]], order: Order, result: Exchanged
    ) -> list[Taken]:
        """Fairness: once in PATIENCE seconds nothing is handed over directly, and the queues' order alone counts."""
        now = self.store.now()
        fair = now >= self._fair_at or now < self._fair_at - PATIENCE
        if fair:
            self._fair_at = now + PATIENCE
        after = None if fair else lambda draft: self._hand_over(draft, order)
        jobs = [Job(process, [message for _, message in pairs], after) for process, pairs in said.items()]
        taken = []
        for done, pairs in zip(self.office.work(jobs), said.values(), strict=True):
            taken += done.taken
            for (item, _), reply in zip(pairs, done.replies, strict=True):
                if reply.error is not None:
                    result.refused.append((item, reply.error))
        return taken

    def _hand_over(self, draft: Draft, order: Order) -> list[Taken]:
        taken = []
        for task in [task for task in draft.tasks.values() if task is not None]:
            kind = order.kind(task.queue)
            if kind is not None and task.due <= draft.now:
                with suppress(UnknownResourceException):
                    taken.append(self._take(draft, task, order.identity))
                    order.left[kind] -= 1
        return taken

    def _take(self, draft: Draft, task: Pending, identity: str) -> Taken:
        """Start a task of this draft. Raises UnknownResourceException when what was due before it has ended it."""
        work = task.body
        assert isinstance(work, ActivityWork | DecisionWork)
        return Taken(work, apply(draft, _take_message(work, identity)), draft.head)

    # -- taking ----------

    def _claim(self, order: Order) -> list[Taken]:
        taken: list[Taken] = []
        for kind in (0, 1):
            while order.left[kind] > 0 and order.by_kind[kind]:
                claimed = self.office.claim(order.by_kind[kind], LEASE, order.left[kind])
                started = self._start(claimed, order)
                order.left[kind] -= len(started)
                taken += started
                if len(claimed) == len(started):
                    break
        return taken

    def _start(self, claimed: list[tuple[Task, Head | None]], order: Order) -> list[Taken]:
        by_process: dict[str, list[tuple[Task, ActivityWork | DecisionWork]]] = {}
        heads = {}
        for task, head in claimed:
            try:
                by_process.setdefault(task.process, []).append((task, _body(task)))
                heads[task.process] = head
            except CorruptRecord as error:
                self.office.put_off(task, error)
        jobs = [
            Job(process, [_take_message(work, order.identity) for _, work in tasks], head=heads[process])
            for process, tasks in by_process.items()
            if tasks
        ]
        taken = []
        for done in self.office.work(jobs):
            for (task, work), reply in zip(by_process[done.process], done.replies, strict=True):
                if reply.error is not None:
                    self.store.discard(task)
                else:
                    taken.append(Taken(work, reply.value, done.draft.head))
        return taken

    # -- what workers get ----------

    def _activity_task(self, head: Head, work: ActivityWork, started: int) -> ActivityTask:
        execution = ActivityExecution(work.activity, work.id, self.payloads.load(work.input))
        token = f"{head.id}:{work.run}:{work.scheduled}:{started}"
        context = {"token": token, "version": work.version, "heartbeat_timeout": work.heartbeat_timeout}
        return ActivityTask(execution, head.id, context)

    def _decision_task(self, taken: Taken) -> DecisionTask:
        head, run = taken.head, taken.work.run
        process = self.process(head, taken.started)
        return DecisionTask(process, {"token": f"{head.id}:{run}:{taken.started}"})

    def process(self, head: Head, seq: int) -> Process:
        """A process with its history up to `seq`, of which only what is new is read."""
        history = self.office.histories.get(
            head.id, head.run, seq, lambda skip: self.store.history(head.id, head.run, skip)
        )
        start = history.start
        return Process(
            head.workflow,
            head.id,
            None if start is None else self.payloads.load(start.input),
            head.tags,
            history.until(seq),
            None if head.parent is None else head.parent.process,
            run=head.run,
            status=head.status,
            version=head.workflow_version,
        )


def _take_message(work: ActivityWork | DecisionWork, identity: str) -> msg.Message:
    if isinstance(work, DecisionWork):
        return msg.TakeDecision(run=work.run, identity=identity)
    return msg.TakeActivity(run=work.run, scheduled=work.scheduled, identity=identity)


def _body(task: Task) -> ActivityWork | DecisionWork:
    what = f"task {task.key} of process {task.process!r}"
    body, _ = unseal(task.body, what)
    return decode(_DECISIONS, body, what) if task.key == "d" else decode(_ACTIVITIES, body, what)


def _given_up(taken: Taken, error: WorkflowError) -> msg.Message:
    """A task that cannot be made: the activity fails; the process is blocked, or tried again by newer workers."""
    work, reason = taken.work, reason_text(error)
    if isinstance(work, ActivityWork):
        return msg.EndActivity(
            run=work.run, started=taken.started, end=ActivityFailed(scheduled=work.scheduled, reason=reason)
        )
    attempts = DECISION_ATTEMPTS if isinstance(error, NewerRecord) else 1
    return msg.FailDecision(run=work.run, started=taken.started, reason=reason, attempts=attempts)


def _work(run: str, scheduled: int, record: ActivityScheduled) -> ActivityWork:
    return ActivityWork(
        run, scheduled, record.id, record.activity, record.version, record.input, record.heartbeat_timeout
    )
