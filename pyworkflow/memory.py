"""The module path of pyworkflow 0.1 for MemoryBackend."""

from .backend.memory import MemoryBackend

__all__ = ["MemoryBackend"]
