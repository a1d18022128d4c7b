"""The memory backend by the backend suite, whatever its cache keeps."""

from collections.abc import Callable
from pathlib import Path

from pyworkflow import CompleteProcess, Process, RecordMarker, ScheduleActivity
from pyworkflow.backend import Backend, Refused
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.testing import BackendSuite


class TestMemory(BackendSuite):
    cache_size = 1_000

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return MemoryBackend(clock, cache_size=self.cache_size)


class TestMemoryCacheOfOne(TestMemory):
    cache_size = 1


class TestMemoryWithoutCache(TestMemory):
    cache_size = 0


def test_a_decision_may_be_refused_by_whoever_hands_it_in() -> None:
    backend = MemoryBackend()
    backend.start_process(Process("W", "p"))
    task = backend.poll_decision_task()
    assert task is not None
    wanted = ScheduleActivity("A", "a")
    answer = [Refused(wanted, "ACTIVITY_TYPE_DEPRECATED"), RecordMarker("m"), Refused(CompleteProcess(), "NO")]
    backend.complete_decision_task(task, answer)
    process = backend.process_by_id("p")
    first, marker, last = process.history[-3:]
    assert (first.type, first.decision, first.cause) == ("decision_refused", wanted, "ACTIVITY_TYPE_DEPRECATED")  # type: ignore[attr-defined]
    assert (marker.type, last.type, process.status) == ("decision", "decision_refused", "running")
    assert backend.poll_decision_task() is not None
