"""What is told to clients when a call cannot be done: SWF's faults, with the types and messages that SDKs know."""

from __future__ import annotations

from typing import Any

from pyworkflow.exceptions import (
    BackendUnavailable,
    InvalidName,
    PayloadError,
    ProcessAlreadyRunning,
    UnknownResourceException,
    UnsupportedBackend,
)

_SWF = "com.amazonaws.swf.base.model#"
_CORAL = "com.amazon.coral.service#"


class Fault(Exception):
    """An error reply: `kind` is its `__type`, `status` that of HTTP."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status

    @property
    def body(self) -> dict[str, Any]:
        return {"__type": self.kind, "message": self.message}


def swf(name: str, message: str) -> Fault:
    """One of the faults in SWF's service model, by its name there."""
    return Fault(_SWF + name, message)


def unknown(message: str) -> Fault:
    return swf("UnknownResourceFault", f"Unknown {message}")


def invalid(*problems: str) -> Fault:
    """A request that breaks the service model's rules."""
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    return Fault("com.amazon.coral.validate#ValidationException", count + "; ".join(problems))


def unreadable(message: str) -> Fault:
    return Fault(_CORAL + "SerializationException", message)


def unknown_operation(name: str) -> Fault:
    return Fault(_CORAL + "UnknownOperationException", f"{name!r} is no operation of this service")


def unsigned(name: str, message: str) -> Fault:
    """A request whose signature is missing or does not match."""
    return Fault(_CORAL + name, message, 403 if name == "AccessDeniedException" else 400)


def not_permitted(message: str) -> Fault:
    return swf("OperationNotPermittedFault", message)


def of(error: Exception, resource: str) -> Fault | None:
    """The fault for an error of the backend; `resource` is what the call was about. None for a defect of our own."""
    match error:
        case Fault():
            return error
        case UnknownResourceException():
            return unknown(resource)
        case ProcessAlreadyRunning():
            return swf("WorkflowExecutionAlreadyStartedFault", "Already Started")
        case InvalidName() | PayloadError() | ValueError():
            return invalid(str(error))
        case UnsupportedBackend():
            return not_permitted(str(error))
        case BackendUnavailable():
            return Fault(_CORAL + "ServiceUnavailableException", f"the backend cannot be reached: {error}", 503)
    return None


INTERNAL = Fault(_CORAL + "InternalFailure", "the request could not be processed; the server's log says why", 500)
TOO_LARGE = Fault(_CORAL + "RequestEntityTooLargeException", "a request has at most 1 MB, and 100 headers", 413)
NOT_POSTED = Fault(_CORAL + "UnknownOperationException", "requests are sent by POST", 405)
NO_UPGRADE = unreadable("this server speaks HTTP/1.1 and nothing else: leave the Upgrade header out")
