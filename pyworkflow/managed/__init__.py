"""The module path of pyworkflow 0.1 for what users subclass and for Manager."""

from ..activity import Activity, ActivityMonitor
from ..manager import Manager
from ..workflow import DefaultWorkflow, RuleSetWorkflow, Workflow

__all__ = ["Activity", "ActivityMonitor", "DefaultWorkflow", "Manager", "RuleSetWorkflow", "Workflow"]
