"""The door to the Blinker backend, which needs the library of the extra `blinker`."""

from ..exceptions import UnsupportedBackend

try:
    from pyworkflow_blinker import BlinkerBackend
except ModuleNotFoundError as error:
    if error.name != "blinker":
        raise
    raise UnsupportedBackend("the Blinker backend needs a library: pip install 'pyworkflow[blinker]'") from error

__all__ = ["BlinkerBackend"]
