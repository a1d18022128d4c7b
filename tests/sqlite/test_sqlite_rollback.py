"""A transaction that fails at its end: what the caches had seen of it never happened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pyworkflow import BackendUnavailable, Process, RecordMarker
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.engine.store import Commit
from pyworkflow.testing.store_bench import make_commit


def test_a_rolled_back_answer_is_in_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SQLiteBackend(str(tmp_path / "rollback.db"))
    backend.start_process(Process("w", "p"))
    task = backend.poll_decision_task()
    assert task is not None
    commit = backend.store.commit

    def failing(commits: Sequence[Commit]) -> None:
        with backend.store.batch():
            commit(commits)
            raise BackendUnavailable("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(backend.store, "commit", failing)
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


def test_a_key_that_was_rolled_back_is_looked_up_again(tmp_path: Path) -> None:
    first, second = (SQLiteBackend(str(tmp_path / "keys.db")).store for _ in range(2))
    lost = make_commit("p", events=[b"one"])
    with pytest.raises(ZeroDivisionError), first.batch():
        assert first.commit([lost]) == [True]
        raise ZeroDivisionError
    assert second.commit([make_commit("other", events=[b"x"])]) == [True]
    assert second.commit([lost]) == [True]
    assert first.commit([make_commit("p", lost.stamp, "2", events=[b"two"], first=2)]) == [True]
    assert first.history("p", "r1") == [b"one", b"two"]
    assert first.history("other", "r1") == [b"x"]
