"""What every operation works with: the backend, and what this server knows of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pyworkflow.backend import Backend
from pyworkflow.backend.memory import MemoryStore

from .answers import Answers
from .faults import unknown
from .histories import Histories
from .names import Domain
from .registry import Registry

THREADS = 8

Result = TypeVar("Result")


class Endpoint:
    """SWF over one backend. `bare` is the domain whose names are the backend's own, None for none."""

    def __init__(self, backend: Backend, bare: str | None = "default", region: str = "us-east-1") -> None:
        self.backend = backend
        self.region = region
        self.registry = Registry(backend, bare)
        self.histories = Histories(backend, self.registry)
        self.answers = Answers(backend, self.registry)
        # What is in memory answers at once: a thread would cost more than the call.
        in_memory = isinstance(getattr(backend, "store", None), MemoryStore)
        self._threads = None if in_memory else ThreadPoolExecutor(THREADS, "swf")

    def call(self, function: Callable[[], Result]) -> Awaitable[Result]:
        """Call what may wait for the backend, without keeping the event loop. It is not canceled with its caller."""
        loop = asyncio.get_running_loop()
        if self._threads is not None:
            return loop.run_in_executor(self._threads, function)
        done: asyncio.Future[Result] = loop.create_future()
        try:
            done.set_result(function())
        except Exception as error:
            done.set_exception(error)
        return done

    def close(self) -> None:
        """Its threads end when they have done what they are at; the backend stays open."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    def domain(self, name: str) -> Domain:
        """A domain that is registered. Raises Fault."""
        self.registry.register(name)
        return self.registry.domain(name)

    def open_domain(self, name: str) -> Domain:
        """A domain in which something may begin. Raises Fault."""
        if self.registry.register(name).status != "REGISTERED":
            raise unknown(f"domain: {name} is deprecated")
        return self.registry.domain(name)
