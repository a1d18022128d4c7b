"""Workflows: the classes that users subclass to decide on processes."""

from . import rules
from .base import Workflow
from .default import DefaultWorkflow
from .ruleset import RuleSetWorkflow

__all__ = ["DefaultWorkflow", "RuleSetWorkflow", "Workflow", "rules"]
