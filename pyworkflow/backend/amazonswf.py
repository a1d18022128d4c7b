"""The door to the Amazon SWF backend, which needs the driver of the extra `amazonswf`."""

from importlib.util import find_spec

from ..exceptions import UnsupportedBackend, to_install

if find_spec("boto3") is None:
    raise UnsupportedBackend(f"the Amazon SWF backend needs a driver: {to_install('amazonswf')}")

from pyworkflow_amazonswf import AmazonSWFBackend, CallablePayloads, PayloadStore, S3Payloads, SwfFault

__all__ = ["AmazonSWFBackend", "CallablePayloads", "PayloadStore", "S3Payloads", "SwfFault"]
