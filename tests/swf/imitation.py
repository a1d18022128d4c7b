"""An imitation of Amazon SWF: a client such as boto3's, behind which is the engine in memory instead of a network.

It checks each request against SWF's model, speaks in SWF's histories, and keeps what SWF keeps beside them. What moto
cannot do is shown with it; what SWF itself does is SWF's documentation's word, in facts that tests/swf name.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from pyworkflow.backend import Backend, ProcessFilter
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.engine.head import Limits
from pyworkflow.engine.machine import decisions as engine_decisions
from pyworkflow.exceptions import ProcessAlreadyRunning, UnknownResourceException
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow.task import ActivityTask, DecisionTask
from pyworkflow_swf import DECISIONS_SIDE, Start, Writer, read_decision
from pyworkflow_swf.kinds import ACTIVITY_ENDS, event_attributes
from pyworkflow_swf.values import TIMEOUT

from .model import check, service

Json = dict[str, Any]
POLL = 0.02
CLOSES = {ours: theirs for theirs, ours in {
    "COMPLETED": "completed", "FAILED": "failed", "CANCELED": "canceled", "TERMINATED": "terminated",
    "CONTINUED_AS_NEW": "continued", "TIMED_OUT": "timedout",
}.items()}  # fmt: skip


class Texts:
    """SWF does not look into texts, and neither does this."""

    def dump(self, value: Any) -> str | None:
        return value if isinstance(value, str) else None

    def load(self, text: str | None) -> Any:
        return text


TEXTS = Texts()


class Imitation:
    """A client whose methods are SWF's operations, in one domain. `calls` are those that were made."""

    def __init__(self, clock: Callable[[], float]) -> None:
        limits = Limits(refusals=10**9, timeouts=10**9)  # SWF asks for ever
        self.inner: Backend = MemoryBackend(clock, limits=limits)
        self.calls: list[tuple[str, Json]] = []
        self.types: dict[tuple[str, str, str], str] = {}
        self.writers: dict[tuple[str, str], Writer] = {}
        self.controls: dict[tuple[str, str], str] = {}
        self.lock = threading.RLock()
        self.meta = mock.Mock(region_name="nowhere", endpoint_url="http://localhost")
        self.meta.config.read_timeout = 70

    def __getattr__(self, name: str) -> Callable[..., Json]:
        operation = "".join(word.capitalize() for word in name.split("_"))
        if operation not in service().operation_names:
            raise AttributeError(name)

        def call(**parameters: Any) -> Json:
            shape = service().operation_model(operation).input_shape
            check(shape.name, parameters)
            self.calls.append((name, parameters))
            try:
                with mock.patch.object(engine_decisions, "MAX_BACKOFF", 0.0):  # nor does SWF wait
                    return getattr(self, f"do_{name}")(**parameters) or {}
            except ProcessAlreadyRunning as error:
                raise fault("WorkflowExecutionAlreadyStartedFault", error, operation) from error
            except UnknownResourceException as error:
                raise fault("UnknownResourceFault", error, operation) from error
            except ValueError as error:
                raise fault("ValidationException", error, operation) from error

        return call

    # -- domains and types ----------

    def do_register_domain(self, **about: Any) -> None: ...

    def do_describe_domain(self, name: str) -> Json:
        return {"configuration": {"workflowExecutionRetentionPeriodInDays": "30"}}

    def _register(self, kind: str, name: str, version: str) -> None:
        if (kind, name, version) in self.types:
            raise fault("TypeAlreadyExistsFault", ValueError(name), "Register")
        self.types[kind, name, version] = "REGISTERED"

    def do_register_workflow_type(self, domain: str, name: str, version: str, **about: Any) -> None:
        self._register("workflow", name, version)

    def do_register_activity_type(self, domain: str, name: str, version: str, **about: Any) -> None:
        self._register("activity", name, version)
        self.inner.register_activity(name, version=version)

    def do_describe_workflow_type(self, domain: str, workflowType: Json) -> Json:
        return {"typeInfo": {"status": self.types["workflow", workflowType["name"], workflowType["version"]]}}

    def do_describe_activity_type(self, domain: str, activityType: Json) -> Json:
        return {"typeInfo": {"status": self.types["activity", activityType["name"], activityType["version"]]}}

    def do_undeprecate_workflow_type(self, domain: str, workflowType: Json) -> None:
        self.types["workflow", workflowType["name"], workflowType["version"]] = "REGISTERED"

    def do_undeprecate_activity_type(self, domain: str, activityType: Json) -> None:
        self.types["activity", activityType["name"], activityType["version"]] = "REGISTERED"

    # -- executions ----------

    def do_start_workflow_execution(self, domain: str, workflowId: str, workflowType: Json, **about: Any) -> Json:
        if self.types.get(("workflow", workflowType["name"], workflowType["version"])) != "REGISTERED":
            raise fault("UnknownResourceFault", ValueError("Unknown type"), "StartWorkflowExecution")
        process = Process(
            workflowType["name"], workflowId, about.get("input"), about.get("tagList"), version=workflowType["version"]
        )
        self.inner.start_process(
            process,
            timeout=TIMEOUT.read(about["executionStartToCloseTimeout"], TEXTS, DECISIONS_SIDE),
            decision_timeout=TIMEOUT.read(about["taskStartToCloseTimeout"], TEXTS, DECISIONS_SIDE),
            category=about["taskList"]["name"],
            priority=int(about.get("taskPriority", 0)),
        )
        return {"runId": self.inner.process_by_id(workflowId).run}

    def do_signal_workflow_execution(
        self, domain: str, workflowId: str, signalName: str, runId: str = "", input: str | None = None
    ) -> None:
        self.inner.signal_process(_ref(workflowId, runId), Signal(signalName, input))

    def do_request_cancel_workflow_execution(self, domain: str, workflowId: str, runId: str = "") -> None:
        self.inner.cancel_process(_ref(workflowId, runId))

    def do_terminate_workflow_execution(self, domain: str, workflowId: str, runId: str = "", **about: Any) -> None:
        self.inner.terminate_process(
            _ref(workflowId, runId), about.get("reason"), about.get("details"), child_policy=about.get("childPolicy")
        )

    # -- histories and lists ----------

    def do_get_workflow_execution_history(self, domain: str, execution: Json, **about: Any) -> Json:
        events = self.events(execution["workflowId"], execution["runId"])
        if about.get("reverseOrder"):
            events = events[::-1]
        size, first = about.get("maximumPageSize", 100), int(about.get("nextPageToken", 0))
        page = {"events": events[first : first + size]}
        return page | ({"nextPageToken": str(first + size)} if len(events) > first + size else {})

    def events(self, id: str, run: str) -> list[Json]:
        """The history of a run in SWF's words."""
        self.inner.exchange()
        with self.lock:
            writer = self.writers.get((id, run))
            if writer is None:
                writer = self.writers[id, run] = Writer(self._start(id, run), TEXTS, self._run, lambda: self._run(id))
            known = getattr(writer, "known", 0)
            new = self.inner.history(f"{id}:{run}", known)
            writer.known = known + len(new)  # type: ignore[attr-defined]
            for event in writer.extend(new):
                attributes = event[event_attributes(event["eventType"])]
                if event["eventType"] == "ActivityTaskScheduled" and (id, attributes["activityId"]) in self.controls:
                    attributes["control"] = self.controls.pop((id, attributes["activityId"]))
                check("HistoryEvent", event)
            return list(writer.events)

    def _run(self, id: str) -> str:
        return self.inner.process_by_id(id).run or ""

    def _start(self, id: str, run: str) -> Start:
        store: Any = self.inner.store  # type: ignore[attr-defined]
        records = store.history(id, run, 0, 1)
        if not records:
            raise UnknownResourceException(f"Unknown execution: {id}, {run}")
        record = json.loads(records[0][9:])
        parent = record.get("parent") or {}
        return Start(
            record["workflow"], record["version"], record.get("input"), tuple(record.get("tags", ())),
            record["category"], record.get("timeout"), record.get("decision_timeout"), record.get("priority", 0),
            parent=parent.get("process"), parent_run=parent.get("run"),
            continued_run=record.get("continued_from"),
        )  # fmt: skip

    def do_list_open_workflow_executions(self, **about: Any) -> Json:
        return self._list("open", **about)

    def do_list_closed_workflow_executions(self, **about: Any) -> Json:
        return self._list("closed", **about)

    def _list(self, status: str, domain: str, startTimeFilter: Json, maximumPageSize: int, **about: Any) -> Json:
        self.inner.exchange()
        filters = [name for name in about if name.endswith("Filter")]
        assert len(filters) <= 1, "SWF filters by one thing at a time"
        which = ProcessFilter(
            id=about.get("executionFilter", {}).get("workflowId"),
            tag=about.get("tagFilter", {}).get("tag"),
            workflow=about.get("typeFilter", {}).get("name"),
            status={v: k for k, v in CLOSES.items()}.get(about.get("closeStatusFilter", {}).get("status"), status),
            started_from=startTimeFilter["oldestDate"],
            started_to=startTimeFilter["latestDate"].timestamp() + 1e-3 if "latestDate" in startTimeFilter else None,
        )
        page = self.inner.list_processes(which, min(maximumPageSize, 3), about.get("nextPageToken"))
        infos = [self._info(process) for process in page.processes]
        return {"executionInfos": infos} | ({"nextPageToken": page.cursor} if page.cursor else {})

    def _info(self, process: Any) -> Json:
        import datetime as dt

        status: Json = {"executionStatus": "OPEN"}
        if process.closed is not None:
            closed = dt.datetime.fromtimestamp(process.closed, dt.UTC)
            status = {"executionStatus": "CLOSED", "closeStatus": CLOSES[process.status], "closeTimestamp": closed}
        parent = {"parent": {"workflowId": process.parent, "runId": "r"}} if process.parent else {}
        return {
            "execution": {"workflowId": process.id, "runId": process.run},
            "workflowType": {"name": process.workflow, "version": process.version},
            "startTimestamp": dt.datetime.fromtimestamp(process.started, dt.UTC),
            "tagList": process.tags,
            **status,
            **parent,
        }

    # -- tasks ----------

    def do_count_pending_decision_tasks(self, domain: str, taskList: Json) -> Json:
        return self._count("decision", taskList["name"])

    def do_count_pending_activity_tasks(self, domain: str, taskList: Json) -> Json:
        return self._count("activity", taskList["name"])

    def _count(self, kind: str, category: str) -> Json:
        self.inner.exchange()
        found = [it.ready for it in self.inner.queues() if (it.kind, it.category) == (kind, category)]
        return {"count": sum(found), "truncated": False}

    def do_poll_for_activity_task(self, domain: str, taskList: Json, identity: str = "") -> Json:
        task = self.inner.poll_activity_task(taskList["name"], identity, POLL)
        if task is None:
            return {"taskToken": "", "startedEventId": 0, "previousStartedEventId": 0}
        id, run, _, started = task.token.split(":")
        return {
            "taskToken": task.token,
            "activityId": task.activity_execution.id,
            "startedEventId": int(started),
            "workflowExecution": {"workflowId": id, "runId": run},
            "activityType": {"name": task.activity, "version": task.context["version"]},
            **({} if task.input is None else {"input": task.input}),
        }

    def do_poll_for_decision_task(self, domain: str, taskList: Json, identity: str = "", **about: Any) -> Json:
        task = self.inner.poll_decision_task(taskList["name"], identity, POLL)
        if task is None:
            return {"taskToken": "", "startedEventId": 0, "previousStartedEventId": 0}
        id, run, _ = task.token.split(":")
        events = self.events(id, run)
        starts = [event["eventId"] for event in events if event["eventType"] == "DecisionTaskStarted"]
        previous = starts[-2] if len(starts) > 1 else 0
        shown = events[: starts[-1]][max(previous - 1, 0) if about.get("startAtPreviousStartedEvent") else 0 :]
        return {
            "taskToken": task.token,
            "startedEventId": starts[-1],
            "previousStartedEventId": previous,
            "workflowExecution": {"workflowId": id, "runId": run},
            "workflowType": {"name": task.process.workflow, "version": task.process.version},
            "events": shown[: about["maximumPageSize"]],
        }

    def do_respond_decision_task_completed(self, taskToken: str, decisions: list[Json] = ()) -> None:  # type: ignore[assignment]
        id = taskToken.partition(":")[0]
        for decision in decisions:
            about = decision.get("scheduleActivityTaskDecisionAttributes", {})
            if "control" in about:
                self.controls[id, about["activityId"]] = about["control"]
        task = DecisionTask(Process(), {"token": taskToken})
        self.inner.complete_decision_task(task, [read_decision(each, TEXTS) for each in decisions])

    def do_respond_activity_task_completed(self, taskToken: str, **about: Any) -> None:
        self._end("ActivityTaskCompleted", taskToken, about)

    def do_respond_activity_task_failed(self, taskToken: str, **about: Any) -> None:
        self._end("ActivityTaskFailed", taskToken, about)

    def do_respond_activity_task_canceled(self, taskToken: str, **about: Any) -> None:
        self._end("ActivityTaskCanceled", taskToken, about)

    def _end(self, kind: str, token: str, about: Json) -> None:
        end = next(end for end in ACTIVITY_ENDS if end.kind == kind)
        result = end.make(**end.fields.read(about, TEXTS, DECISIONS_SIDE))
        self.inner.complete_activity_task(ActivityTask.from_token(token), result)

    def do_record_activity_task_heartbeat(self, taskToken: str, details: str | None = None) -> Json:
        asked = self.inner.heartbeat_activity_task(ActivityTask.from_token(taskToken), details)
        return {"cancelRequested": asked}


def _ref(id: str, run: str) -> str:
    return f"{id}:{run}" if run else id


def fault(code: str, error: Exception, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": str(error)}}, operation)
