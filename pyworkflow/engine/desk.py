"""The desk: what was started becomes a worker's task, and what a worker is done with becomes a message."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from ..activity import ActivityExecution, ActivityResult
from ..backend.model import Failed, Finished, Released
from ..defaults import DECISION_ATTEMPTS
from ..exceptions import NewerRecord, UnknownActivityException, WorkflowError
from ..process import Process
from ..task import ActivityTask, DecisionTask
from . import messages as msg
from .codec import Payloads, decode, seed, unseal, unseal_last
from .head import ActivityWork, DecisionWork, Head
from .history import History, HistoryCache
from .machine import Draft
from .records import ActivityFailed, ActivityScheduled
from .store import Store, Task
from .tokens import activity_token, decision_token
from .translate import Translator, reason_text, seconds

_ACTIVITIES = msgspec.json.Decoder(ActivityWork)
_DECISIONS = msgspec.json.Decoder(DecisionWork)
_SCHEDULED = msgspec.json.Decoder(ActivityScheduled)


class Caller(NamedTuple):
    """Who takes tasks: what a worker calls itself, and the number of its call, which no other call has."""

    identity: str = ""
    call: int = 0


class Taken(Struct, eq=False, gc=False):
    """A task that was started: the queue it came from, its work, the number of its start, the draft of it, for whom."""

    queue: str
    work: ActivityWork | DecisionWork
    started: int
    draft: Draft
    caller: Caller = Caller()

    @property
    def head(self) -> Head:
        """The process as it was left."""
        return self.draft.head


class Desk:
    """Reads histories, writes nothing."""

    def __init__(self, store: Store, translator: Translator, payloads: Payloads, histories: HistoryCache) -> None:
        self.store = store
        self.translator = translator
        self.payloads = payloads
        self.histories = histories

    # -- what workers get ----------

    def activity_task(self, taken: Taken) -> ActivityTask:
        work, id = taken.work, taken.head.id
        assert isinstance(work, ActivityWork)
        execution = ActivityExecution(work.activity, work.id, self.payloads.load(work.input))
        token = f"{id}:{work.run}:{work.scheduled}:{taken.started}"
        state = taken.head.activities.get(work.scheduled)
        context = {"token": token, "version": work.version, "heartbeat_timeout": work.heartbeat_timeout}
        context["category"] = "" if state is None else state.category
        return ActivityTask(execution, id, context)

    def decision_task(self, taken: Taken) -> DecisionTask:
        """The process with its history up to the decision's start, of which only what is new is read."""
        history = self.histories.get(taken.head.id, taken.work.run, taken.started)
        return self.decision_of(taken, history)

    def decision_of(self, taken: Taken, history: History) -> DecisionTask:
        head, start = taken.head, history.start
        process = Process(
            head.workflow,
            head.id,
            None if start is None else self.payloads.load(start.input),
            head.tags,
            (),
            None if head.parent is None else head.parent.process,
            run=head.run,
            status=head.status,
            version=head.workflow_version,
        )
        process.history = history.until(taken.started)  # Its own already: it is not copied again.
        process.ongoing = history.ongoing
        return DecisionTask(process, {"token": f"{head.id}:{head.run}:{taken.started}", "category": head.category})

    # -- what workers say ----------

    def message(self, finished: Finished) -> tuple[str, msg.Message]:
        """What a finished task says to which process."""
        task, outcome = finished.task, finished.outcome
        if isinstance(task, DecisionTask):
            process, run, started = decision_token(task.context.get("token"))
            return process, self.answer(run, started, outcome)
        process, run, scheduled, started = activity_token(task.context.get("token"))
        if isinstance(outcome, ActivityResult):
            return process, msg.EndActivity(run=run, started=started, end=self.translator.result(scheduled, outcome))
        if isinstance(outcome, Released):
            return process, self._release(process, run, scheduled, started, seconds(outcome.delay, "a delay"))
        raise ValueError(f"{outcome!r} is no result of an activity")

    def answer(self, run: str, started: int, outcome: Any) -> msg.Message:
        """What came of the decision that was started under this number."""
        match outcome:
            case Failed():
                return msg.FailDecision(
                    run=run, started=started, reason=reason_text(outcome.reason),
                    details=self.payloads.dump(outcome.details), attempts=outcome.attempts,
                )  # fmt: skip
            case Released():
                return msg.ReleaseDecision(run=run, started=started, delay=seconds(outcome.delay, "a delay"))
            case ActivityResult():
                raise ValueError(f"{outcome!r} is no answer to a decision task")
        records, refused = self.translator.answer(outcome)
        return msg.AnswerDecision(run=run, started=started, decisions=records, refused=refused)

    def _release(self, process: str, run: str, scheduled: int, started: int, delay: float) -> msg.ReleaseActivity:
        first = max(scheduled - 2, 0)
        sealed = self.store.history(process, run, first, scheduled - first)
        what = f"event {scheduled} of process {process!r}"
        try:
            record = _SCHEDULED.decode(unseal_last(sealed, what, seed(process, run))[0])
        except (IndexError, msgspec.DecodeError):
            raise UnknownActivityException(f"{what} schedules no activity") from None
        work = _work(run, scheduled, record)
        return msg.ReleaseActivity(
            run=run, scheduled=scheduled, started=started, work=work, priority=record.priority,
            scheduled_timeout=record.scheduled_timeout, delay=delay,
        )  # fmt: skip


def take_message(work: ActivityWork | DecisionWork, caller: Caller) -> msg.Message:
    identity, call = caller
    if isinstance(work, DecisionWork):
        return msg.TakeDecision(run=work.run, identity=identity, call=call)
    return msg.TakeActivity(run=work.run, scheduled=work.scheduled, identity=identity, call=call)


def body_of(task: Task) -> ActivityWork | DecisionWork:
    what = f"task {task.key} of process {task.process!r}"
    body, _ = unseal(task.body, what)
    return decode(_DECISIONS, body, what) if task.key == "d" else decode(_ACTIVITIES, body, what)


def given_up(taken: Taken, error: WorkflowError) -> msg.Message:
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
