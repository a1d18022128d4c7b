"""Tracebacks that are kept with a process: shown without the library's frames, and on one line by their end."""

from __future__ import annotations

from cli_driving import fail

from pyworkflow.backend import Backend
from pyworkflow.cli.text import from_users_frames

TRACEBACK = """Traceback (most recent call last):
  File "/lib/site-packages/pyworkflow/worker/execute.py", line 20, in execute
    return outcome_of(activity, activity.execute())
                                ^^^^^^^^^^^^^^^^^^
  File "/lib/site-packages/pyworkflow/code/decorators.py", line 9, in execute
    return function(**input)
  File "/home/me/shop.py", line 7, in charge
    raise OSError("no \x1b[31mroute")
OSError: no \x1b[31mroute
"""


def test_describe_shows_the_users_part_of_a_traceback(cli, backend: Backend) -> None:
    fail(backend, "o1", "charge failed", TRACEBACK)
    output = cli("describe", "o1").stdout
    shown = TRACEBACK.replace("\x1b", "\\u001b").splitlines()
    assert output.endswith("\n".join(["\ndetails", shown[0], *shown[6:], "", ""]))
    assert "site-packages" not in cli("result", "o1", code=4).stderr
    assert cli.json("describe", "o1")["outcome"]["details"] == TRACEBACK


def test_a_traceback_of_the_library_alone_keeps_its_last_frame() -> None:
    kept = [*TRACEBACK.splitlines()[:1], *TRACEBACK.splitlines()[4:6], "RuntimeError"]
    assert from_users_frames("\n".join([*TRACEBACK.splitlines()[:6], "RuntimeError"])) == "\n".join(kept)


def test_history_shows_the_end_of_a_traceback(cli, backend: Backend) -> None:
    fail(backend, "o1", "charge failed", TRACEBACK)
    assert '"details": "… OSError: no \\u001b[31mroute"}' in cli("history", "o1").stdout
    assert cli.json("history", "o1")[-1]["data"]["details"] == TRACEBACK
