"""Opening a backend by its URL; the entry-point group `pyworkflow.backends` maps schemes, third parties' included."""

from __future__ import annotations

from typing import Any

from ..exceptions import UnsupportedBackend
from .base import Backend

GROUP = "pyworkflow.backends"


def open_backend(url: str, *, create: bool = True, **options: Any) -> Backend:
    """The backend of a URL: `memory://`, `sqlite:///relative.db`, `sqlite:////absolute.db`, `redis://host:port/db`.

    With `create=False` what is not there is not made. `options` are the backend's own; its class has a
    `from_url(url, *, create, **options)`. Raises UnsupportedBackend for a scheme that is not installed or a URL that
    cannot be used.
    """
    from importlib.metadata import entry_points

    scheme, separator, _ = url.partition("://")
    if not separator:
        raise UnsupportedBackend(f"{url!r} is not a backend's URL: write something like sqlite:///orders.db")
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if scheme not in found:
        raise UnsupportedBackend(f"no backend for {scheme}:// is installed, there are: {', '.join(sorted(found))}")
    backend: Backend = found[scheme].load().from_url(url, create=create, **options)
    return backend
