"""The module path of pyworkflow 0.1 for AmazonSWFBackend."""

from .backend.amazonswf import AmazonSWFBackend

__all__ = ["AmazonSWFBackend"]
