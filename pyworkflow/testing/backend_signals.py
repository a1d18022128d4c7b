"""Signals and cancel requests: recorded once, in order, never lost and never silently dropped."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ..activity import ActivityCompleted
from ..decision import CancelProcess, CompleteProcess, ContinueAsNew, ScheduleActivity
from ..events import CancelRequestedEvent, SignalEvent
from ..exceptions import UnknownProcessException
from ..process import ProcessCanceled
from ..signal import Signal
from .backend_bench import BackendBench
from .backend_starting import JSON
from .concurrency import in_threads


class Signals(BackendBench):
    """What users say to running processes."""

    def signals(self, id: str = "p") -> list[Signal]:
        return [event.signal for event in self.events(SignalEvent, id)]

    @pytest.mark.parametrize(
        "value", [value for value in JSON if value is not None], ids=lambda value: repr(value)[:20]
    )
    def test_a_signal_arrives_as_it_was_sent(self, value: Any) -> None:
        self.start()
        self.backend.signal_process("p", Signal("s", value))
        assert self.signals() == [Signal("s", value)]
        assert type(self.signals()[0].data) is type(value)

    def test_a_signal_can_be_given_by_its_name(self) -> None:
        self.start()
        self.backend.signal_process("p", "s")
        self.backend.signal_process("p", "t", {"n": 1})
        assert self.signals() == [Signal("s", {}), Signal("t", {"n": 1})]

    def test_signals_arrive_in_their_order(self) -> None:
        self.start()
        for number in range(20):
            self.backend.signal_process("p", "s", number)
        assert [signal.data for signal in self.signals()] == list(range(20))

    def test_a_process_or_its_run_can_be_signaled(self) -> None:
        self.start()
        process = self.backend.process_by_id("p")
        for ref in ("p", f"p:{process.run}", process):
            self.backend.signal_process(ref, "s")
        assert len(self.signals()) == 3

    def test_signals_sent_at_once_all_arrive(self) -> None:
        self.start()

        def send(who: int) -> None:
            for number in range(10):
                self.backend.signal_process("p", f"s{who}", number)

        in_threads(*(partial(send, who) for who in range(4)))
        for who in range(4):
            assert [signal.data for signal in self.signals() if signal.name == f"s{who}"] == list(range(10))

    def test_a_signal_that_arrives_while_a_decider_finishes_is_not_lost(self) -> None:
        """Whoever is first: either the close is refused, or the sender is told."""
        for number in range(10):
            id = f"p{number}"
            self.start(id)
            task = self.open_decision()
            refused: list[Exception] = []

            def send(id: str = id, refused: list[Exception] = refused) -> None:
                try:
                    self.backend.signal_process(id, "s")
                except UnknownProcessException as error:
                    refused.append(error)

            in_threads(send, partial(self.backend.complete_decision_task, task, CompleteProcess()))
            if refused:
                assert (self.status(id), self.signals(id)) == ("completed", [])
            else:
                assert (self.status(id), self.signals(id)) == ("running", [Signal("s")])
                self.decide(CompleteProcess())

    # -- requests ----------

    def test_a_request_signals_once(self) -> None:
        self.start()
        for _ in range(3):
            self.backend.signal_process("p", "s", request_id="r")
        self.backend.signal_process("p", "s", request_id="q")
        self.backend.signal_process("p", "s")
        assert len(self.signals()) == 3

    def test_a_request_repeated_at_once_signals_once(self) -> None:
        self.start()
        in_threads(*[lambda: self.backend.signal_process("p", "s", request_id="r")] * 4)
        assert len(self.signals()) == 1

    def test_a_request_repeated_later_signals_once(self) -> None:
        self.start()
        self.backend.signal_process("p", "s", request_id="r")
        self.decide(ScheduleActivity("A", "a"))
        self.perform(1)
        self.decide()
        self.backend.signal_process("p", "s", request_id="r")
        assert len(self.signals()) == 1
        assert self.idle()

    def test_a_request_repeated_in_the_next_run_signals_once(self) -> None:
        self.start()
        self.backend.signal_process("p", "s", request_id="r")
        self.decide(ContinueAsNew())
        self.backend.signal_process("p", "s", request_id="r")
        assert self.signals() == []

    def test_requests_of_two_processes_have_nothing_to_do_with_each_other(self) -> None:
        for id in ("p", "q"):
            self.start(id)
            self.backend.signal_process(id, "s", request_id="r")
            assert len(self.signals(id)) == 1

    # -- cancel requests ----------

    def test_a_cancel_request_is_seen_by_the_decider(self) -> None:
        self.start()
        self.decide()
        self.backend.cancel_process("p", {"why": "late"})
        task = self.open_decision()
        assert task.process.unseen_events() == [CancelRequestedEvent(details={"why": "late"})]
        assert task.process.cancel_requested
        assert self.backend.describe_process("p").cancel_requested
        assert self.status() == "running"

    def test_a_decider_may_cancel_the_process(self) -> None:
        self.start()
        self.backend.cancel_process("p")
        self.decide(CancelProcess({"done": 1}))
        assert self.status() == "canceled"
        assert self.backend.wait_for_process("p", 0) == ProcessCanceled({"done": 1})

    def test_a_decider_may_go_on(self) -> None:
        self.start()
        self.backend.cancel_process("p")
        self.decide(ScheduleActivity("A", "cleanup"))
        self.perform()
        self.decide(CompleteProcess("anyway"))
        assert self.status() == "completed"

    def test_asking_twice_is_asking_once(self) -> None:
        self.start()
        self.backend.cancel_process("p", 1)
        self.backend.cancel_process("p", 2)
        assert self.events(CancelRequestedEvent) == [CancelRequestedEvent(details=1)]

    def test_a_cancel_request_does_not_touch_activities(self) -> None:
        task = self.begin()
        self.backend.cancel_process("p")
        assert self.backend.heartbeat_activity_task(task) is False
        self.backend.complete_activity_task(task, ActivityCompleted(1))

    def test_the_next_run_was_not_asked(self) -> None:
        self.start()
        self.backend.cancel_process("p")
        self.decide(ContinueAsNew())
        assert not self.backend.describe_process("p").cancel_requested
        self.backend.cancel_process("p")
        assert len(self.events(CancelRequestedEvent)) == 1
