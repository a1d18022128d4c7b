"""What a decider's outcome is for SWF: its decisions with defaults filled in, in parts where they are too many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pyworkflow import decision as dec
from pyworkflow.backend.model import Failed, Released
from pyworkflow.engine import records as rec
from pyworkflow.engine.translate import Translator, reason_text, seconds
from pyworkflow.signal import Signal
from pyworkflow_swf import DECISIONS_SIDE, FOREVER, write_decision
from pyworkflow_swf.decisions import BY_KIND, BY_TYPE, attributes_name
from pyworkflow_swf.values import short

from . import words
from .asking import backoff
from .payloads import SwfTexts
from .run import Run
from .types import SwfTypes, execution_timeout

MOST_DECISIONS = 100
"""As the AWS Flow Framework sends at most (MAXIMUM_DECISIONS_PER_COMPLETION)."""
MOST_BYTES = 900_000
"""SWF takes 1 MB a request; the rest of it is around the decisions."""
LONGEST_REASON, LONGEST_DETAILS = 1_000, 12_000
"""What is kept of why a decider failed: it must fit into SWF's 32,768 characters, however much of it is escaped."""

Json = dict[str, Any]

_RESOLVED = ("version", "category", "priority", "tags", "timeout", "decision_timeout", "scheduled_timeout",
             "execution_timeout", "heartbeat_timeout", "close_timeout")  # fmt: skip
_INHERITED = ("executionStartToCloseTimeout", "taskStartToCloseTimeout", "taskList", "taskPriority", "childPolicy",
              "tagList", "lambdaRole")  # fmt: skip


class Answers:
    """Makes SWF's decisions. Raises PayloadError, InvalidName or ValueError for what SWF cannot take."""

    def __init__(self, translator: Translator, types: SwfTypes, texts: SwfTexts, most: int = MOST_DECISIONS) -> None:
        self.translator = translator
        self.types = types
        self.texts = texts
        self.most = most

    def decided(self, run: Run, decisions: Sequence[dec.Decision]) -> list[Json]:
        """A decider's answer, or the next part of it.

        The decider is asked once more for each further part, with the history of the first, and what is there already
        of its answer is passed over: so nothing has to be kept meanwhile, and nothing is lost with the worker.
        """
        records, _ = self.translator.answer(decisions)
        done = run.part[1] if run.part is not None else 0
        groups = [self._written(run, it, record) for it, record in zip(decisions, records, strict=True)][done:]
        count = self._fitting(groups)
        part = [each for group in groups[:count] for each in group]
        more = words.timer(words.MORE, 0)
        if count < len(groups):
            return [words.marker(words.PART, self.texts.dump({"done": done + count})), *part, more]
        if run.part is None:
            return part
        closes = bool(groups) and decisions[-1].closes
        if closes and run.news(since=run.part[0]):
            part, closes = part[:-1], False  # It has not seen the news, and is asked again.
        return [words.marker(words.WHOLE), *part, *([] if closes else [more])]

    def _fitting(self, groups: list[list[Json]]) -> int:
        """How many decisions fit into one answer, room for ours left."""
        number, size = 2, 0
        for count, group in enumerate(groups):
            number += len(group)
            size += sum(len(json.dumps(each)) for each in group)
            if count and (number > self.most or size > MOST_BYTES):
                return count
        return len(groups)

    def failed(self, run: Run, outcome: Failed) -> list[Json]:
        """The decider raised: it is asked again after a while, and not any more after `attempts`."""
        details = outcome.details
        if isinstance(details, str):
            details = details[-LONGEST_DETAILS:]
        reason = reason_text(outcome.reason)[:LONGEST_REASON]
        told = self.texts.dump({"reason": reason or None, "details": details})
        failures = run.failures + 1
        if failures >= outcome.attempts:
            return [words.marker(words.FAILED, told), words.marker(words.BLOCKED, told)]
        return [words.marker(words.FAILED, told), words.timer(words.WAIT, backoff(failures))]

    def released(self, outcome: Released) -> list[Json]:
        """The decision is handed back."""
        delay = seconds(outcome.delay, "a delay")
        return [words.marker(words.RELEASED), words.timer(words.WAIT, delay)]

    # -- one decision ----------

    def _written(self, run: Run, decision: dec.Decision, record: rec.Initiating) -> list[Json]:
        match decision:
            case dec.ScheduleActivity():
                return [self._resolved(decision, record)]
            case dec.StartChildProcess():
                return [self._child(decision, record)]
            case dec.ContinueAsNew():
                return [self._continued(run, decision)]
            case dec.RequestCancelProcess(details=details) if details is not None:
                signal = dec.SignalProcess(decision.process_id, words.CANCEL)
                signal.signal.data = details
                return [write_decision(signal, self.texts), write_decision(decision, self.texts)]
            case dec.RecordMarker(name=name) | dec.Timer(id=name) | dec.SignalProcess(signal=Signal(name=name)):
                words.check(name)
        return [write_decision(decision, self.texts)]

    def _resolved(self, decision: dec.Decision, record: Any, **more: Any) -> Json:
        """A decision with what its type says where it says nothing; no limit is a wish of its own in SWF."""
        row = BY_TYPE[decision.type]
        values = {**row.take(decision), **more}
        for name in _RESOLVED:
            if name in values:
                value = getattr(record, name)
                values[name] = FOREVER if value is None and name.endswith("timeout") else value
        return {
            "decisionType": row.kind,
            attributes_name(row.kind): row.fields.write(values, self.texts, DECISIONS_SIDE),
        }

    def _child(self, decision: dec.StartChildProcess, record: Any) -> Json:
        execution_timeout(record.timeout)
        self.types.ensure_workflow(record.workflow, record.version)
        written = self._resolved(decision, record, id=record.process, child_policy="ABANDON")
        if decision.child_policy != "ABANDON":
            written[attributes_name(written["decisionType"])]["control"] = words.policy(decision.child_policy)
        return written

    def _continued(self, run: Run, decision: dec.ContinueAsNew) -> Json:
        """What is left out stays as it was; SWF would take the type's."""
        if decision.timeout is not None:
            execution_timeout(decision.timeout)
        written = write_decision(decision, self.texts)
        attributes = written[attributes_name(written["decisionType"])]
        started = run.started
        for name in _INHERITED:
            if started.get(name) is not None:
                attributes.setdefault(name, started[name])
        kind = started.get("workflowType") or {}
        attributes.setdefault("workflowTypeVersion", kind.get("version"))
        if run.request:
            attributes["input"] = self.texts.wrap(decision.input, run.request)
        self.types.ensure_workflow(kind["name"], attributes["workflowTypeVersion"])
        return written


def closes(decisions: Sequence[Json]) -> bool:
    """Does an answer in SWF's words ask for the end of its run?"""
    return bool(decisions) and BY_KIND[decisions[-1]["decisionType"]].cls.closes


def cut(reason: Any) -> str | None:
    """A reason as SWF keeps it, None where there is none."""
    return short(reason_text(reason)) or None
