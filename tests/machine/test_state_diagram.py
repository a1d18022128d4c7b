"""docs/state-machine.md shows what the machine does."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make_diagrams():
    spec = importlib.util.spec_from_file_location("make_diagrams", ROOT / "docs" / "make_diagrams.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_does():
    drawn = make_diagrams().page()
    assert (ROOT / "docs" / "state-machine.md").read_text() == drawn, "run `python docs/make_diagrams.py`"


def test_no_closed_process_opens_again_but_by_a_new_run():
    edges = make_diagrams().edges()["process"]
    closed = {"completed", "failed", "canceled", "timedout", "terminated"}
    assert closed <= {after for _, after in edges}
    opened = {(before, after): labels for (before, after), labels in edges.items() if before in closed | {"continued"}}
    assert opened == {(before, "running"): {"the next run"} for before in ("terminated", "continued")}
