"""Blinker signals about what happens to processes, over any backend."""

from .backend import BlinkerBackend

__all__ = ["BlinkerBackend"]
