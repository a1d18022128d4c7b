"""A transaction that fails at its end: what the caches had seen of it never happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyworkflow import BackendUnavailable, Process, RecordMarker
from pyworkflow.backend.sqlite import SQLiteBackend


def test_a_rolled_back_answer_is_in_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SQLiteBackend(str(tmp_path / "rollback.db"))
    backend.start_process(Process("w", "p"))
    task = backend.poll_decision_task()
    assert task is not None
    batch = backend.store.batch

    @contextmanager
    def failing() -> Iterator[None]:
        with batch():
            yield
            raise BackendUnavailable("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(backend.store, "batch", failing)
        with pytest.raises(BackendUnavailable):
            backend.complete_decision_task(task, [RecordMarker("lost"), RecordMarker("lost too")])
    backend.complete_decision_task(task, RecordMarker("kept"))
    backend.signal_process("p", "s")
    again = backend.poll_decision_task()
    assert again is not None
    assert [event.type for event in again.process.history] == [
        *("process_started", "decision_started", "decision", "signal", "decision_started"),
    ]
    assert again.process.history == backend.process_by_id("p").history
