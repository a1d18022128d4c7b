"""The short form of `python3 run chaos`: some seconds of it on each kind of server."""

from __future__ import annotations

import pytest

from .audit import CHECKS
from .run import Plan, run
from .servers import KINDS

SHORT = {"workflows": 200, "signals": 60, "seconds": 3.0, "pause": (0.8, 1.6), "away": 0.3}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_and_nothing_done_twice(kind: str) -> None:
    outcome = run(Plan(kind, **SHORT))
    assert outcome.kills >= 2
    assert outcome.findings == {about: [] for about in CHECKS}
