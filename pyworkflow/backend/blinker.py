"""The door to the Blinker backend, which needs the library of the extra `blinker`."""

from ..exceptions import UnsupportedBackend, to_install

try:
    from pyworkflow_blinker import BlinkerBackend
except ModuleNotFoundError as error:
    if error.name != "blinker":
        raise
    raise UnsupportedBackend(f"the Blinker backend needs a library: {to_install('blinker')}") from error

__all__ = ["BlinkerBackend"]
