"""Several backends on the same data that answer in turns: every call of a test meets another "machine"."""

from collections.abc import Sequence
from typing import Any

from pyworkflow.backend import Backend
from pyworkflow.backend.model import Tell


class Alternating(Backend):
    """Each call goes to the next of the backends; what concerns this operating-system process goes to all of them."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self.backends = list(backends)
        self.calls = 0

    def _next(self) -> Backend:
        self.calls += 1
        return self.backends[self.calls % len(self.backends)]

    def watch(self, tell: Tell) -> None:
        for backend in self.backends:
            backend.watch(tell)

    def close(self) -> None:
        for backend in self.backends:
            backend.close()


def _in_turns(name: str) -> Any:
    def call(self: Alternating, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._next(), name)(*args, **kwargs)

    return call


def _by_all(name: str) -> Any:
    def call(self: Alternating, *args: Any, **kwargs: Any) -> None:
        for backend in self.backends:
            getattr(backend, name)(*args, **kwargs)

    return call


TO_ALL = {"register_workflow", "register_activity", "interrupt_wait"}

for verb in (Backend.__abstractmethods__ | {"reset_process"}) - {"close"}:
    setattr(Alternating, verb, (_by_all if verb in TO_ALL else _in_turns)(verb))
Alternating.__abstractmethods__ = frozenset()
