"""The memory backend by the backend suite, whatever its cache keeps."""

from collections.abc import Callable
from pathlib import Path

from pyworkflow.backend import Backend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.testing import BackendSuite


class TestMemory(BackendSuite):
    cache_size = 1_000

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return MemoryBackend(clock, cache_size=self.cache_size)


class TestMemoryCacheOfOne(TestMemory):
    cache_size = 1


class TestMemoryWithoutCache(TestMemory):
    cache_size = 0
