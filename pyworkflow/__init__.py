"""pyworkflow: durable workflows in plain Python, on the store you already have.

The names below are imported when they are first used, so that `pyworkflow --help` need not wait for all of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .activity import Activity as Activity
    from .activity import ActivityAborted as ActivityAborted
    from .activity import ActivityCanceled as ActivityCanceled
    from .activity import ActivityCompleted as ActivityCompleted
    from .activity import ActivityExecution as ActivityExecution
    from .activity import ActivityFailed as ActivityFailed
    from .activity import ActivityMonitor as ActivityMonitor
    from .activity import ActivityResult as ActivityResult
    from .activity import ActivityTimedOut as ActivityTimedOut
    from .backend import Backend as Backend
    from .backend import open_backend as open_backend
    from .code import CodeWorkflow as CodeWorkflow
    from .code import Context as Context
    from .code import Saga as Saga
    from .code import SyncContext as SyncContext
    from .code import activity as activity
    from .code import current_activity as current_activity
    from .code import query as query
    from .code import signal as signal
    from .code import update as update
    from .code import workflow as workflow
    from .decision import CancelActivity as CancelActivity
    from .decision import CancelProcess as CancelProcess
    from .decision import CancelTimer as CancelTimer
    from .decision import CompleteProcess as CompleteProcess
    from .decision import ContinueAsNew as ContinueAsNew
    from .decision import Decision as Decision
    from .decision import FailProcess as FailProcess
    from .decision import RecordMarker as RecordMarker
    from .decision import RequestCancelProcess as RequestCancelProcess
    from .decision import ScheduleActivity as ScheduleActivity
    from .decision import SignalProcess as SignalProcess
    from .decision import StartChildProcess as StartChildProcess
    from .decision import StartTimer as StartTimer
    from .decision import Timer as Timer
    from .events import ActivityEvent as ActivityEvent
    from .events import ActivityReleasedEvent as ActivityReleasedEvent
    from .events import ActivityStartedEvent as ActivityStartedEvent
    from .events import CancelRequestedEvent as CancelRequestedEvent
    from .events import ChildProcessEvent as ChildProcessEvent
    from .events import ChildProcessStartedEvent as ChildProcessStartedEvent
    from .events import DecisionCompletedEvent as DecisionCompletedEvent
    from .events import DecisionEvent as DecisionEvent
    from .events import DecisionFailedEvent as DecisionFailedEvent
    from .events import DecisionRefusedEvent as DecisionRefusedEvent
    from .events import DecisionReleasedEvent as DecisionReleasedEvent
    from .events import DecisionStartedEvent as DecisionStartedEvent
    from .events import DecisionTimedOutEvent as DecisionTimedOutEvent
    from .events import Event as Event
    from .events import ProcessBlockedEvent as ProcessBlockedEvent
    from .events import ProcessCancelRequestedEvent as ProcessCancelRequestedEvent
    from .events import ProcessResetEvent as ProcessResetEvent
    from .events import ProcessResumedEvent as ProcessResumedEvent
    from .events import ProcessSignaledEvent as ProcessSignaledEvent
    from .events import ProcessStartedEvent as ProcessStartedEvent
    from .events import ProcessTerminatedEvent as ProcessTerminatedEvent
    from .events import ProcessTimedOutEvent as ProcessTimedOutEvent
    from .events import SignalEvent as SignalEvent
    from .events import TimerEvent as TimerEvent
    from .exceptions import BackendUnavailable as BackendUnavailable
    from .exceptions import CannotReset as CannotReset
    from .exceptions import CorruptRecord as CorruptRecord
    from .exceptions import DecisionRefused as DecisionRefused
    from .exceptions import InvalidName as InvalidName
    from .exceptions import NotAllowedInWorkflow as NotAllowedInWorkflow
    from .exceptions import NotDeterministic as NotDeterministic
    from .exceptions import PayloadError as PayloadError
    from .exceptions import ProcessAlreadyRunning as ProcessAlreadyRunning
    from .exceptions import TimedOutException as TimedOutException
    from .exceptions import UnknownActivityException as UnknownActivityException
    from .exceptions import UnknownDecisionException as UnknownDecisionException
    from .exceptions import UnknownProcessException as UnknownProcessException
    from .exceptions import UnknownResourceException as UnknownResourceException
    from .exceptions import UnknownTypeException as UnknownTypeException
    from .exceptions import UnreadableHistory as UnreadableHistory
    from .exceptions import UnsupportedBackend as UnsupportedBackend
    from .exceptions import UpdateFailed as UpdateFailed
    from .exceptions import WorkflowError as WorkflowError
    from .manager import Manager as Manager
    from .process import Process as Process
    from .process import ProcessCanceled as ProcessCanceled
    from .process import ProcessCompleted as ProcessCompleted
    from .process import ProcessContinued as ProcessContinued
    from .process import ProcessFailed as ProcessFailed
    from .process import ProcessResult as ProcessResult
    from .process import ProcessTerminated as ProcessTerminated
    from .process import ProcessTimedOut as ProcessTimedOut
    from .retry import RetryPolicy as RetryPolicy
    from .signal import Signal as Signal
    from .task import ActivityTask as ActivityTask
    from .task import DecisionTask as DecisionTask
    from .worker import ActivityWorker as ActivityWorker
    from .worker import DecisionWorker as DecisionWorker
    from .worker import Worker as Worker
    from .worker import WorkerThread as WorkerThread
    from .workflow import DefaultWorkflow as DefaultWorkflow
    from .workflow import RuleSetWorkflow as RuleSetWorkflow
    from .workflow import Workflow as Workflow
    from .workflow import rules as rules

__version__ = "0.2.0"

_NAMES = {
    "activity": (
        "Activity ActivityAborted ActivityCanceled ActivityCompleted ActivityExecution ActivityFailed "
        "ActivityMonitor ActivityResult ActivityTimedOut"
    ),
    "backend": "Backend open_backend",
    "code": "CodeWorkflow Context Saga SyncContext current_activity query update",
    "decision": (
        "CancelActivity CancelProcess CancelTimer CompleteProcess ContinueAsNew Decision FailProcess "
        "RecordMarker RequestCancelProcess ScheduleActivity SignalProcess StartChildProcess StartTimer Timer"
    ),
    "events": (
        "ActivityEvent ActivityReleasedEvent ActivityStartedEvent CancelRequestedEvent ChildProcessEvent "
        "ChildProcessStartedEvent DecisionCompletedEvent DecisionEvent DecisionFailedEvent "
        "DecisionRefusedEvent DecisionReleasedEvent DecisionStartedEvent DecisionTimedOutEvent "
        "ProcessBlockedEvent ProcessCancelRequestedEvent ProcessResetEvent ProcessResumedEvent "
        "ProcessSignaledEvent ProcessStartedEvent ProcessTerminatedEvent ProcessTimedOutEvent SignalEvent "
        "TimerEvent"
    ),
    "exceptions": (
        "BackendUnavailable CannotReset CorruptRecord DecisionRefused InvalidName NotAllowedInWorkflow "
        "NotDeterministic PayloadError ProcessAlreadyRunning TimedOutException UnknownActivityException "
        "UnknownDecisionException UnknownProcessException UnknownResourceException UnknownTypeException "
        "UnreadableHistory UnsupportedBackend UpdateFailed WorkflowError"
    ),
    "manager": "Manager",
    "process": (
        "Process ProcessCanceled ProcessCompleted ProcessContinued ProcessFailed ProcessResult "
        "ProcessTerminated ProcessTimedOut"
    ),
    "retry": "RetryPolicy",
    "signal": "Signal",
    "task": "ActivityTask DecisionTask",
    "worker": "ActivityWorker DecisionWorker Worker WorkerThread",
    "workflow": "DefaultWorkflow RuleSetWorkflow Workflow rules",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
_DECORATORS = ("activity", "signal", "workflow")
"""These are modules too, the first API's: a module that is called is the decorator of its name."""
_HOMES["Event"] = "events"
# `import *` leaves out what would hide something of the standard library: its module signal, the Event of threading.
__all__ = sorted([*(_HOMES.keys() - {"Event"}), "activity", "workflow"])  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _DECORATORS:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "Event", "__version__", "signal"]
