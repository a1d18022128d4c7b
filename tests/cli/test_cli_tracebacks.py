"""Tracebacks that are kept with a process: shown whole, or on one line by their end."""

from __future__ import annotations

from cli_driving import fail

from pyworkflow.backend import Backend

TRACEBACK = """Traceback (most recent call last):
  File "/home/me/shop.py", line 7, in charge
    raise OSError("no \x1b[31mroute")
OSError: no \x1b[31mroute
"""


def test_describe_shows_a_traceback(cli, backend: Backend) -> None:
    fail(backend, "o1", "charge failed", TRACEBACK)
    output = cli("describe", "o1").stdout
    shown = TRACEBACK.replace("\x1b", "\\u001b").splitlines()
    assert output.endswith("\n".join(["\ndetails", *shown, "", ""]))
    assert "/home/me/shop.py" in cli("result", "o1", code=4).stderr
    assert cli.json("describe", "o1")["outcome"]["details"] == TRACEBACK


def test_history_shows_the_end_of_a_traceback(cli, backend: Backend) -> None:
    fail(backend, "o1", "charge failed", TRACEBACK)
    assert '"details": "… OSError: no \\u001b[31mroute"}' in cli("history", "o1").stdout
    assert cli.json("history", "o1")[-1]["data"]["details"] == TRACEBACK
