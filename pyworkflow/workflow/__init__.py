"""Workflows: the classes that users subclass to decide on processes."""

import sys

from ..values import Decorating
from . import rules
from .base import Workflow
from .default import DefaultWorkflow
from .ruleset import RuleSetWorkflow

sys.modules[__name__].__class__ = Decorating

__all__ = ["DefaultWorkflow", "RuleSetWorkflow", "Workflow", "rules"]
