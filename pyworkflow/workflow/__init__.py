"""Workflows: the classes that users subclass to decide on processes."""

import sys
from types import ModuleType
from typing import Any

from . import rules
from .base import Workflow
from .default import DefaultWorkflow
from .ruleset import RuleSetWorkflow


class _Decorating(ModuleType):
    """This package, which `from pyworkflow import workflow` finds too, is the decorator of that name when called."""

    def __call__(self, function: Any = None, /, **attributes: Any) -> Any:
        from ..code.decorators import workflow

        return workflow(function, **attributes)


sys.modules[__name__].__class__ = _Decorating

__all__ = ["DefaultWorkflow", "RuleSetWorkflow", "Workflow", "rules"]
