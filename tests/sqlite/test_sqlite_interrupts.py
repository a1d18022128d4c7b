"""Ctrl-C in the middle of anything: nothing stays open, nothing half done, and the next call works."""

from __future__ import annotations

import signal
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.process import Process
from pyworkflow.testing.invariants import check

HERE = "pyworkflow_sqlite"


def interrupted_at(line: int, do: Any) -> bool:
    """Do it, and raise KeyboardInterrupt at the so-manieth line of the store's; were there so many?"""
    seen = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal seen
        if HERE not in frame.f_code.co_filename:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    with suppress(KeyboardInterrupt):
        do()
    sys.settrace(None)
    return seen == line


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # nothing can be raised from __del__
@pytest.mark.parametrize("verb", ["start", "signal", "read"])
def test_an_interrupt_anywhere_leaves_all_as_it_should_be(tmp_path: Path, verb: str) -> None:
    path = str(tmp_path / "w.db")
    backend = SQLiteBackend(path, busy_timeout=0.5)
    backend.start_process(Process("W", "p"))
    line = 0
    while True:
        line += 1
        do = {
            "start": lambda: backend.start_process(Process("W", f"q{line}")),  # noqa: B023
            "signal": lambda: backend.signal_process("p", "s"),
            "read": lambda: backend.process_by_id("p").history,
        }[verb]
        was_there = interrupted_at(line, do)
        backend.start_process(Process("W", f"after{line}"))
        other = sqlite3.connect(path, timeout=0.5)
        other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT 1 FROM pyworkflow_run WHERE id = ?", (f"after{line}",)).fetchone()
        other.rollback()
        other.close()
        if not was_there:
            break
    assert line > 30
    check(backend.store)
    backend.close()


def test_a_real_interrupt_while_another_waits_for_the_file(tmp_path: Path) -> None:
    backend = SQLiteBackend(str(tmp_path / "w.db"))
    other = sqlite3.connect(tmp_path / "w.db")
    other.execute("BEGIN IMMEDIATE")
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(KeyboardInterrupt):
        backend.start_process(Process("W", "p"))
    other.rollback()
    other.close()
    backend.start_process(Process("W", "p"))
    backend.close()
