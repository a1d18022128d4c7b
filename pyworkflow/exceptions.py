"""One tree of errors: each names the thing, what is wrong with it and what to do."""

from __future__ import annotations


class WorkflowError(Exception):
    """The base of every error that pyworkflow raises itself."""


class UnknownResourceException(WorkflowError):
    """Something was named that does not exist, or does not exist any more (SWF: UnknownResourceFault)."""


class UnknownProcessException(UnknownResourceException):
    """No process has this id, or the process is closed and cannot take what was sent to it."""


class TimedOutException(WorkflowError):
    """A wait ended without its result, or a task is no longer held by the one who answers it."""


class UnknownActivityException(UnknownResourceException, TimedOutException):
    """The activity task is not open under this token: it has ended, or its process closed."""


class UnknownDecisionException(UnknownResourceException, TimedOutException):
    """The decision task is not open under this token: it was completed or timed out, or its process closed."""


class UnknownTypeException(UnknownResourceException):
    """A task is of a workflow or activity type that this manager was not given."""


class ProcessAlreadyRunning(WorkflowError):
    """A process with this id is open and was started by a different request (SWF: WorkflowExecutionAlreadyStarted)."""

    def __init__(self, process_id: str, run: str) -> None:
        super().__init__(
            f"process {process_id!r} is already running (run {run}): use another id, or say what to do "
            "with if_running='use_existing' or 'terminate_existing'"
        )
        self.process_id = process_id
        self.run = run


class CannotReset(WorkflowError, ValueError):
    """A process cannot go on from this event: there is no such event, or what happened then cannot be repeated."""


class InvalidName(WorkflowError, ValueError):
    """An id, a name or a tag is not allowed: 1 to 256 characters, none of `:` `/` `|`, no control characters."""


class PayloadError(WorkflowError, ValueError):
    """A value cannot be stored: not JSON, not a number, too large or nested too deeply."""


class CorruptRecord(WorkflowError):
    """A stored record does not match its checksum or cannot be read by this version of pyworkflow."""


class NewerRecord(CorruptRecord):
    """A stored record is sound, but of a kind that this version of pyworkflow does not know."""


class BackendUnavailable(WorkflowError):
    """The backend could not be reached or could not write; the call may or may not have happened.

    Repeating it with the same `request_id` is always safe.
    """


class UnsupportedBackend(WorkflowError):
    """The backend cannot be used as asked: an unknown URL, a missing driver, a file of a newer version."""


def to_install(extra: str) -> str:
    """What to do where a library of an extra is missing. On PyPI the project's name is somebody else's."""
    return f"install this project's extra {extra!r}: pip install '.[{extra}]' in its checkout"


def refusal(cause: str) -> str:
    """SWF's cause of a refusal, and what to do where that is plain."""
    unknown = cause == "ACTIVITY_TYPE_DOES_NOT_EXIST"
    return f"{cause}, the manager was not given it: put it into the workflow's `activities`" if unknown else cause


class DecisionRefused(WorkflowError):
    """What workflow code asked for was refused, for SWF's `cause`; it is raised where the code asked."""

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(f"{what} was refused: {refusal(cause)}")
        self.cause = cause


class NotDeterministic(WorkflowError):
    """Workflow code does not ask for what it asked for when its history was written; the message has the difference."""


class NotAllowedInWorkflow(WorkflowError, RuntimeError):
    """Workflow code used what gives another answer when it is run again: clocks, chance, sockets, threads."""


class UnreadableHistory(WorkflowError, ValueError):
    """A document is no exported history, or one of a newer version of pyworkflow."""


class UpdateFailed(WorkflowError):
    """A process refused an update, or its handler raised; the message says why."""
