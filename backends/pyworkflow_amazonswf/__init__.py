"""Amazon SWF as a backend; imported through `pyworkflow.backend.amazonswf`."""

from .backend import AmazonSWFBackend
from .payloads import CallablePayloads, PayloadStore, S3Payloads
from .service import SwfFault

__all__ = ["AmazonSWFBackend", "CallablePayloads", "PayloadStore", "S3Payloads", "SwfFault"]
