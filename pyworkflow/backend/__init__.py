"""Backends: the contract, and `open_backend(url)`; each backend is imported as `pyworkflow.backend.NAME`."""

from .base import Backend
from .model import (
    STATUSES,
    Description,
    Exchanged,
    Failed,
    Finished,
    Page,
    PendingActivity,
    ProcessFilter,
    QueueCount,
    Refused,
    Released,
    Wanted,
)
from .urls import open_backend

__all__ = [
    "STATUSES",
    "Backend",
    "Description",
    "Exchanged",
    "Failed",
    "Finished",
    "Page",
    "PendingActivity",
    "ProcessFilter",
    "QueueCount",
    "Refused",
    "Released",
    "Wanted",
    "open_backend",
]
