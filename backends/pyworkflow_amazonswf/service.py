"""The way to SWF: clients of boto3, one for calls and one for long polls, and SWF's faults as our errors."""

from __future__ import annotations

import os
import threading
from typing import Any

from pyworkflow.exceptions import (
    BackendUnavailable,
    UnknownProcessException,
    UnknownResourceException,
    UnsupportedBackend,
    WorkflowError,
)

from .tokens import described

POLL_TIMEOUT = 70
LONGEST_POLL = 65
"""Seconds; SWF answers a poll after 60 when there is no task, and what it answers to nobody is lost for a while."""
CALL_TIMEOUT = 15
FALLBACK_REGION = "us-east-1"
"""Where neither the caller nor boto3 knows one; as in pyworkflow 0.1."""
ATTEMPTS = 5
LONGEST_MESSAGE = 300
CONNECTIONS = 100

_PASSING = (
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
    "LimitExceededFault",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "InternalFailure",
    "InternalServerError",
    "InternalError",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "RequestTimeout",
)
"""Trouble that passes: the worker tries again, ever less often."""

_FORBIDDEN = (
    "OperationNotPermittedFault",
    "AccessDenied",
    "AccessDeniedException",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "OptInRequired",
)
"""Trouble with keys and policies; docs/amazonswf.md has the policy that is needed."""


class SwfFault(UnsupportedBackend):
    """A fault of SWF's, `code` as in its service model; where it can be said in our words another error is raised."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Service:
    """Calls SWF's operations in one domain. Safe in threads, and after a fork, which gets connections of its own."""

    def __init__(self, domain: str, session: Any = None, client: Any = None, **settings: Any) -> None:
        if client is not None and client.meta.config.read_timeout < LONGEST_POLL:
            raise UnsupportedBackend(
                f"the client of boto3 stops listening after {client.meta.config.read_timeout} seconds, but SWF answers "
                f"polls after 60: make it with botocore.config.Config(read_timeout={POLL_TIMEOUT})"
            )
        self.domain = domain
        self._session = session
        self._given = client
        self._settings = {name: value for name, value in settings.items() if value is not None}
        self._lock = threading.Lock()
        self._clients: dict[tuple[int, str], Any] = {}

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """An operation of this domain. Raises SwfFault, BackendUnavailable, UnsupportedBackend."""
        return self._call("calls", operation, {"domain": self.domain, **parameters})

    def poll(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """A long poll of this domain."""
        return self._call("polls", operation, {"domain": self.domain, **parameters})

    def answer(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """An operation of a task, which its token tells the domain of."""
        return self._call("calls", operation, parameters)

    def tell(self, operation: str, id: str, run: str | None, **about: Any) -> None:
        """An operation on an open process, or one run of it. Raises UnknownProcessException, too."""
        try:
            self.call(operation, workflowId=id, runId=run, **about)
        except SwfFault as error:
            raise gone(error, UnknownProcessException, f"there is no open {described(id, run)}") from error

    def _call(self, use: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            method = getattr(self.client(use), operation)
            answer: dict[str, Any] = method(**{name: it for name, it in parameters.items() if it is not None})
        except ClientError as error:
            raise _error(operation, error.response.get("Error", {})) from error
        except BotoCoreError as error:
            raise _trouble(operation, error) from error
        return answer

    def client(self, use: str) -> Any:
        """A client of this operating-system process."""
        if self._given is not None:
            return self._given
        key = (os.getpid(), use)
        if key not in self._clients:
            with self._lock:
                if key not in self._clients:
                    self._clients[key] = self._open(POLL_TIMEOUT if use == "polls" else CALL_TIMEOUT)
        return self._clients[key]

    def _open(self, read_timeout: int) -> Any:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            connect_timeout=10,
            read_timeout=read_timeout,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            tcp_keepalive=True,
        )
        session = self._session = self._session or boto3.session.Session()
        settings = {**self._settings}
        if session.region_name is None:
            settings.setdefault("region_name", FALLBACK_REGION)
        try:
            return session.client("swf", config=config, **settings)
        except (BotoCoreError, ValueError) as error:
            raise UnsupportedBackend(f"cannot speak to Amazon SWF: {error}") from error


def _error(operation: str, error: dict[str, Any]) -> WorkflowError:
    code = str(error.get("Code", "")).rpartition("#")[2]
    message = " ".join(str(error.get("Message") or error.get("message") or "").split())[:LONGEST_MESSAGE]
    if code in _PASSING:
        return BackendUnavailable(f"Amazon SWF did not do {operation}: {code}, {message}")
    if code in _FORBIDDEN:
        return UnsupportedBackend(f"Amazon SWF refuses {operation}: {message or code}; see its keys and IAM policy")
    if code == "UnknownResourceFault" and "unknown domain" in message.lower():
        return UnsupportedBackend(f"{message}: register it, or open the backend with ensure_domain=True")
    return SwfFault(code, message or code) if code.isalpha() else BackendUnavailable(f"{operation}: {code}, {message}")


def _trouble(operation: str, error: Exception) -> WorkflowError:
    from botocore.exceptions import NoCredentialsError, NoRegionError, ParamValidationError, PartialCredentialsError

    if isinstance(error, ParamValidationError):
        return UnsupportedBackend(f"Amazon SWF cannot be asked for {operation}: {error}")
    if isinstance(error, NoCredentialsError | NoRegionError | PartialCredentialsError):
        return UnsupportedBackend(f"cannot speak to Amazon SWF: {error}")
    return BackendUnavailable(f"Amazon SWF could not be reached for {operation}: {error}")


def gone(error: SwfFault, instead: type[UnknownResourceException], what: str) -> WorkflowError:
    """What an unknown resource, or a name that cannot be one, is for this call; other faults as they are."""
    known = error.code not in ("UnknownResourceFault", "ValidationException")
    return error if known else instead(f"{what}: {error}")


def stale(error: SwfFault, instead: type[UnknownResourceException], what: str) -> WorkflowError:
    """What a token that is none, or none any more, is for this call; other faults, of what was said, as they are."""
    about_it = error.code == "UnknownResourceFault" or "token" in str(error).lower()
    return gone(error, instead, what) if about_it else error
