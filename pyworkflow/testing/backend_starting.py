"""Starting processes: ids and runs, what a type leaves to a call, requests that are repeated."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ..decision import CompleteProcess
from ..events import ProcessStartedEvent, ProcessTerminatedEvent, SignalEvent
from ..exceptions import ProcessAlreadyRunning, UnknownProcessException
from ..process import Process, ProcessCompleted
from ..signal import Signal
from .backend_bench import TICK, BackendBench
from .concurrency import in_threads

JSON: list[Any] = [
    None,
    True,
    0,
    -1,
    9007199254740993,
    2**63 - 1,
    1.5,
    1e300,
    "",
    "null",
    "a\0b",
    "Ünïcödé \u2028 😀",
    [],
    {},
    [[], [None, {}]],
    {"": {"a b": [1, 2.5, "x"]}},
    "x" * 100_000,
]


class Starting(BackendBench):
    """Processes begin once, under their id, with what was asked for."""

    def test_a_started_process_is_there(self) -> None:
        assert self.start("p", input={"n": 1}, tags=["t", "u"]) == "p"
        process = self.backend.process_by_id("p")
        assert process == Process("W", "p", {"n": 1}, ["t", "u"], [ProcessStartedEvent()], None)
        assert (process.status, process.version) == ("running", "1.0")
        assert process.run
        assert process.history[0].datetime.timestamp() == self.clock.now

    def test_an_id_is_made_where_none_is_given(self) -> None:
        one, two = self.start(None), self.start(None)
        assert one != two
        assert self.backend.process_by_id(one).id == one

    @pytest.mark.parametrize("value", JSON, ids=lambda value: repr(value)[:20])
    def test_an_input_comes_back_as_it_was(self, value: Any) -> None:
        self.start(input=value)
        for process in (self.backend.process_by_id("p"), self.open_decision().process):
            assert process.input == value
            assert type(process.input) is type(value)

    def test_a_process_waits_for_a_decision(self) -> None:
        self.start(input=[1], tags=["t"])
        task = self.open_decision()
        assert (task.process.id, task.process.workflow, task.process.input) == ("p", "W", [1])
        assert (task.process.tags, task.process.version, task.process.parent) == (["t"], "1.0", None)
        assert task.process.run == self.backend.process_by_id("p").run
        assert self.idle()

    # -- ids in use ----------

    def test_an_id_in_use_is_refused(self) -> None:
        self.start("p", input=1)
        run = self.backend.process_by_id("p").run
        with pytest.raises(ProcessAlreadyRunning) as caught:
            self.start("p", input=2)
        assert (caught.value.process_id, caught.value.run) == ("p", run)
        assert self.types() == ["process_started"]
        assert self.backend.process_by_id("p").input == 1

    def test_an_existing_process_can_be_used(self) -> None:
        self.start("p", input=1)
        assert self.start("p", input=2, if_running="use_existing") == "p"
        assert self.types() == ["process_started"]
        assert self.backend.process_by_id("p").input == 1

    def test_an_existing_process_can_be_replaced(self) -> None:
        self.start("p", input=1)
        old = self.backend.process_by_id("p")
        assert self.start("p", input=2, if_running="terminate_existing") == "p"
        new = self.backend.process_by_id("p")
        assert (new.input, new.status) == (2, "running")
        assert new.run != old.run
        ended = self.backend.process_by_id(f"p:{old.run}")
        assert (ended.input, ended.status) == (1, "terminated")
        assert isinstance(ended.history[-1], ProcessTerminatedEvent)
        assert self.open_decision().process.input == 2
        assert self.idle()

    @pytest.mark.parametrize("policy", ["fail", "use_existing", "terminate_existing"])
    def test_an_unused_id_is_started_whatever_the_policy(self, policy: str) -> None:
        self.start("p", if_running=policy)
        assert self.types() == ["process_started"]

    def test_an_unknown_policy_is_an_error_and_nothing_else(self) -> None:
        self.start("p", input=1)
        with pytest.raises(ValueError, match="use-existing"):
            self.start("p", input=2, if_running="use-existing")
        assert (self.status(), self.backend.process_by_id("p").input) == ("running", 1)

    @pytest.mark.parametrize("policy", ["fail", "use_existing", "terminate_existing"])
    def test_an_id_can_be_used_again_after_its_process_closed(self, policy: str) -> None:
        self.start("p", input=1)
        first = self.backend.process_by_id("p").run
        self.decide(CompleteProcess("one"))
        self.start("p", input=2, if_running=policy)
        second = self.backend.process_by_id("p")
        assert (second.status, second.input) == ("running", 2)
        assert second.run != first
        assert self.backend.process_by_id(f"p:{first}").input == 1
        assert self.backend.wait_for_process(f"p:{first}", 0) == ProcessCompleted("one")
        assert self.backend.wait_for_process("p", 0) is None

    def test_a_run_is_named_by_process_and_run(self) -> None:
        self.start("p")
        process = self.backend.process_by_id("p")
        assert self.backend.process_by_id(f"p:{process.run}") == process
        assert self.backend.process_by_id(process) == process
        with pytest.raises(UnknownProcessException):
            self.backend.process_by_id("p:other")

    # -- requests ----------

    def test_a_request_starts_a_process_once(self) -> None:
        assert self.start("p", input=1, request_id="r") == self.start("p", input=1, request_id="r") == "p"
        assert self.types() == ["process_started"]

    @pytest.mark.parametrize("policy", ["fail", "use_existing", "terminate_existing"])
    def test_a_repeated_request_finds_its_process_whatever_the_policy(self, policy: str) -> None:
        self.start("p", request_id="r", if_running=policy)
        run = self.backend.process_by_id("p").run
        self.start("p", request_id="r", if_running=policy)
        assert self.backend.process_by_id("p").run == run

    def test_a_repeated_request_does_not_start_again_what_closed(self) -> None:
        self.start("p", request_id="r")
        self.decide(CompleteProcess())
        assert self.start("p", request_id="r") == "p"
        assert self.status() == "completed"
        assert self.idle()

    def test_another_request_is_refused_while_the_process_is_open(self) -> None:
        self.start("p", request_id="r")
        with pytest.raises(ProcessAlreadyRunning):
            self.start("p", request_id="s")

    def test_of_starts_at_once_exactly_one_wins(self) -> None:
        outcomes: list[str] = []

        def start(who: int) -> None:
            try:
                outcomes.append(self.start("p", input=who))
            except ProcessAlreadyRunning:
                outcomes.append("refused")

        in_threads(*(partial(start, who) for who in range(4)))
        assert sorted(outcomes) == ["p", "refused", "refused", "refused"]
        assert self.types() == ["process_started"]

    def test_one_request_repeated_at_once_starts_once(self) -> None:
        in_threads(*[lambda: self.start("p", request_id="r")] * 4)
        assert self.types() == ["process_started"]

    # -- start and signal ----------

    def test_a_start_can_bring_a_signal(self) -> None:
        self.start("p", signal=Signal("s", [1]))
        assert self.types() == ["process_started", "signal"]
        assert self.last(SignalEvent).signal == Signal("s", [1])
        assert [event.type for event in self.open_decision().process.unseen_events()] == ["process_started", "signal"]

    def test_a_signal_goes_to_the_process_that_is_there(self) -> None:
        self.start("p", input=1)
        assert self.start("p", input=2, signal=Signal("s"), if_running="use_existing") == "p"
        assert self.types() == ["process_started", "signal"]
        assert self.backend.process_by_id("p").input == 1

    def test_a_signal_goes_to_the_process_that_takes_its_place(self) -> None:
        self.start("p")
        old = self.backend.process_by_id("p").run
        self.start("p", signal=Signal("s"), if_running="terminate_existing")
        assert self.types() == ["process_started", "signal"]
        assert self.types(f"p:{old}") == ["process_started", "process_terminated"]

    def test_a_refused_start_brings_no_signal(self) -> None:
        self.start("p")
        with pytest.raises(ProcessAlreadyRunning):
            self.start("p", signal=Signal("s"))
        assert self.types() == ["process_started"]

    def test_a_repeated_start_with_a_signal_signals_once(self) -> None:
        for _ in range(2):
            self.start("p", signal=Signal("s"), request_id="r", if_running="use_existing")
        assert self.types() == ["process_started", "signal"]

    # -- what types and calls say ----------

    def test_a_type_says_what_a_call_leaves_out(self) -> None:
        self.backend.register_workflow("T", "far", 100, 10, version="2.0")
        self.start("p", "T")
        assert self.backend.describe_process("p").deadline == self.clock.now + 100
        assert self.idle()
        assert self.open_decision("far").process.version == "2.0"
        self.clock.advance(10)
        assert self.open_decision("far").process.history[-2].type == "decision_timed_out"

    def test_a_call_says_what_it_wants_otherwise(self) -> None:
        self.backend.register_workflow("T", "far", 100, 10)
        self.start("p", "T", timeout=50, decision_timeout=5, category="near")
        assert self.backend.describe_process("p").deadline == self.clock.now + 50
        assert self.idle("far")
        self.open_decision("near")
        self.clock.advance(5 - TICK)
        assert self.idle("near")
        self.clock.advance(TICK)
        assert not self.idle("near")

    def test_a_type_without_a_timeout_has_none(self) -> None:
        self.backend.register_workflow("T", timeout=None, decision_timeout=None)
        self.start("p", "T")
        assert self.backend.describe_process("p").deadline is None
        task = self.open_decision()
        self.clock.advance(1e9)
        self.settle()
        self.backend.complete_decision_task(task)
        assert self.status() == "running"

    def test_versions_of_a_type_have_their_own_defaults(self) -> None:
        self.backend.register_workflow("T", "old", version="1")
        self.backend.register_workflow("T", "new", version="2")
        self.start("a", "T", version="1")
        self.start("b", "T")
        assert self.open_decision("old").process.version == "1"
        assert self.open_decision("new").process.version == "2"

    def test_a_process_of_higher_priority_is_decided_first(self) -> None:
        for id, priority in (("a", 0), ("b", 5), ("c", -5), ("d", 5)):
            self.start(id, priority=priority)
        assert [self.open_decision().process.id for _ in range(4)] == ["b", "d", "a", "c"]

    def test_processes_of_one_priority_are_decided_in_their_order(self) -> None:
        for number in range(5):
            self.start(f"p{number}")
            self.clock.advance(1)
        assert [self.open_decision().process.id for _ in range(5)] == [f"p{number}" for number in range(5)]
