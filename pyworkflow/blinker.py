"""The module path of pyworkflow 0.1 for BlinkerBackend."""

from .backend.blinker import BlinkerBackend

__all__ = ["BlinkerBackend"]
