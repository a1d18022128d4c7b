"""Every test of code runs with caches of all sizes, with each decision checked, and on two backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.testing import WorkflowEnvironment

WAYS: dict[str, dict[str, Any]] = {
    "kept": {},
    "cache-0": {"cache_size": 0},
    "cache-1": {"cache_size": 1},
    "always-replay": {"always_replay": True},
    "sqlite": {"backend": "sqlite"},
    "sqlite-cache-0": {"backend": "sqlite", "cache_size": 0},
}

Environment = Callable[..., WorkflowEnvironment]


@pytest.fixture(params=WAYS)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Environment]:
    """Makes an environment of workflows, in one of the ways."""
    made: list[WorkflowEnvironment] = []

    def make(*workflows: Any, **options: Any) -> WorkflowEnvironment:
        way = dict(WAYS[request.param])
        if way.get("backend") == "sqlite":
            path = str(tmp_path / f"code-{len(made)}.db")
            way["backend"] = lambda clock: SQLiteBackend(path, durability="normal", clock=clock)
        else:
            way["backend"] = MemoryBackend
        made.append(WorkflowEnvironment(workflows, **(way | options)))
        return made[-1]

    yield make
    for each in made:
        each.close()
