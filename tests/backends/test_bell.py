"""The bell that wakes threads: an interrupt at any moment leaves it for the others to ring."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pyworkflow.engine.bell import Bell


def test_an_interrupt_on_the_way_in_leaves_no_lock_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Condition's own `__enter__` is Python code, in which a Ctrl-C can come when it has the lock."""
    bell, real = Bell(), threading.Condition.__enter__

    def interrupted(condition: Any) -> bool:
        real(condition)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Condition, "__enter__", interrupted)
        ticket = bell.ticket()
        bell.ring(["x"])
    rung: list[bool] = []
    other = threading.Thread(target=lambda: rung.append(bell.wait(ticket, ["x"], 0.0)), daemon=True)
    other.start()
    other.join(60)
    assert rung == [True]
