"""The module path of pyworkflow 0.1 for the decorators of a RuleSetWorkflow."""

from ...workflow.rules import (
    Rule,
    cancel_requested,
    child_process_completed,
    child_process_started,
    completed_activity,
    interrupted_activity,
    process_started,
    refused_decision,
    rule,
    signal,
    timer,
)

__all__ = [
    "Rule",
    "cancel_requested",
    "child_process_completed",
    "child_process_started",
    "completed_activity",
    "interrupted_activity",
    "process_started",
    "refused_decision",
    "rule",
    "signal",
    "timer",
]
