"""For tests: WorkflowEnvironment runs workflows in virtual time, ActivityEnvironment activities alone.

The suites are what stores and backends must pass.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .clock import VirtualClock
from .environment import WorkflowEnvironment

if TYPE_CHECKING:
    from .activities import ActivityEnvironment
    from .backend_suite import BackendSuite
    from .store_suite import StoreSuite

__all__ = ["ActivityEnvironment", "BackendSuite", "StoreSuite", "VirtualClock", "WorkflowEnvironment"]

_SUITES = {"BackendSuite": "backend", "StoreSuite": "store"}
_THEMES = {
    "backend": (
        *("activities", "asking", "bench", "deciders", "decisions", "endings", "exchange", "families", "layouts"),
        *("letters", "questions", "resetting", "signals", "starting", "timeouts", "unknowns", "watching"),
    ),
    "store": ("bench", "commits", "questions", "tasks", "waiting"),
}


def __getattr__(name: str) -> Any:
    """The suites are imported when they are asked for: they need pytest, which shows what their asserts compared."""
    if name == "ActivityEnvironment":
        return import_module(".activities", __name__).ActivityEnvironment  # It needs asyncio, which takes long.
    if name not in _SUITES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    kind = _SUITES[name]
    pytest.register_assert_rewrite(*(f"{__name__}.{kind}_{theme}" for theme in _THEMES[kind]))
    return getattr(import_module(f".{kind}_suite", __name__), name)
