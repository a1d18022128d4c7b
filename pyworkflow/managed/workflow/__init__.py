"""The module path of pyworkflow 0.1 for workflows."""

from ...workflow import DefaultWorkflow, RuleSetWorkflow, Workflow
from . import rules

__all__ = ["DefaultWorkflow", "RuleSetWorkflow", "Workflow", "rules"]
