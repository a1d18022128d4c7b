"""The state machine: what a message does to a process, written once and free of I/O, clock and randomness."""

from .draft import Draft, Pending
from .step import apply, step

__all__ = ["Draft", "Pending", "apply", "step"]
