"""A reset that comes twice at once is done once, whichever of the two is faster."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow import Process, ScheduleActivity
from pyworkflow.backend import Finished, Wanted
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.engine.engine import Engine
from pyworkflow.exceptions import CannotReset


@pytest.mark.parametrize("request_id", ["r", None])
def test_a_copy_that_was_faster(request_id: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it nothing is decided in the new run, so that it cannot be reset again."""
    store = MemoryStore()
    engine, other, read = Engine(store), Engine(store), store.read
    engine.start_process(Process("W", "p"))
    (task,) = engine.exchange(decisions=Wanted(("default",), 1)).decisions
    engine.exchange([Finished(task, [ScheduleActivity("A", "a")])])
    looked: list[Any] = []

    def late(*asked: Any) -> Any:
        row = read(*asked)
        if not looked:
            looked.append(asked)
            other.reset_process("p", request_id=request_id)
        return row

    monkeypatch.setattr(store, "read", late)
    if request_id is None:
        with pytest.raises(CannotReset):
            engine.reset_process("p")
    else:
        engine.reset_process("p", request_id=request_id)
    assert len([event for event in other.history("p") if event.type == "process_reset"]) == 1
