"""Workflows as ordinary code: it is run again against its history, and asks for what that does not have yet."""

from .context import Context
from .decorators import activity, current_activity, query, signal, update, workflow
from .saga import Saga
from .sync import SyncContext
from .workflows import CodeWorkflow

__all__ = [
    "CodeWorkflow",
    "Context",
    "Saga",
    "SyncContext",
    "activity",
    "current_activity",
    "query",
    "signal",
    "update",
    "workflow",
]
