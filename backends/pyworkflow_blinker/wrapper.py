"""A backend that hands everything to another one: what a wrapper begins with."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from pyworkflow.backend import Backend

Verb = TypeVar("Verb", bound=Callable[..., Any])


def handed_on(verb: Verb) -> Verb:
    """The verb of the backend inside."""
    name = verb.__name__

    @wraps(verb)
    def call(self: Wrapper, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.backend, name)(*args, **kwargs)

    vars(call).pop("__isabstractmethod__", None)
    return cast(Verb, call)


class Wrapper(Backend):
    """Hands on every verb, and whatever else the backend inside has. The short forms of `exchange` call this one's."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        if name == "backend":  # It is not there yet.
            raise AttributeError(name)
        return getattr(self.backend, name)

    register_workflow = handed_on(Backend.register_workflow)
    register_activity = handed_on(Backend.register_activity)
    start_process = handed_on(Backend.start_process)
    signal_process = handed_on(Backend.signal_process)
    cancel_process = handed_on(Backend.cancel_process)
    terminate_process = handed_on(Backend.terminate_process)
    resume_process = handed_on(Backend.resume_process)
    reset_process = handed_on(Backend.reset_process)
    process_by_id = handed_on(Backend.process_by_id)
    list_processes = handed_on(Backend.list_processes)
    count_processes = handed_on(Backend.count_processes)
    describe_process = handed_on(Backend.describe_process)
    history = handed_on(Backend.history)
    wait_for_process = handed_on(Backend.wait_for_process)
    processes = handed_on(Backend.processes)
    exchange = handed_on(Backend.exchange)
    interrupt_wait = handed_on(Backend.interrupt_wait)
    heartbeat_activity_task = handed_on(Backend.heartbeat_activity_task)
    queues = handed_on(Backend.queues)
    purge = handed_on(Backend.purge)
    info = handed_on(Backend.info)
    watch = handed_on(Backend.watch)
    close = handed_on(Backend.close)
