"""The Amazon SWF backend by the backend suite, through the endpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyworkflow.backend import Backend
from pyworkflow.backend.memory import MemoryBackend

from .benches import NEVER, ThroughTheEndpoint


class TestThroughTheEndpoint(ThroughTheEndpoint):
    def make_inner(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return MemoryBackend(clock, limits=NEVER)
