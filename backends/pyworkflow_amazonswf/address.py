"""URLs of the backend: `swf://domain?region=eu-central-1&endpoint_url=http://localhost:8042`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pyworkflow.exceptions import UnsupportedBackend


def read_url(url: str) -> dict[str, Any]:
    """The domain and the options of a URL. Raises UnsupportedBackend for one that cannot be used."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    wrong = sorted(set(given) - set(OPTIONS))
    if wrong or parts.path.strip("/") or not parts.netloc:
        what = f"there is no option {wrong[0]!r}" if wrong else "it names no domain"
        raise UnsupportedBackend(
            f"{url!r} is no URL of Amazon SWF, {what}: write swf://domain?region=…; options are {', '.join(OPTIONS)}"
        )
    try:
        return {"domain": unquote(parts.netloc), **{name: OPTIONS[name](value) for name, value in given.items()}}
    except ValueError as error:
        raise UnsupportedBackend(f"{url!r} cannot be used: {error}") from error


def _truth(value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise ValueError(f"ensure_domain is true or false, not {value!r}")
    return value.lower() in ("true", "1", "yes")


OPTIONS: dict[str, Callable[[str], Any]] = {
    "region": str,
    "endpoint_url": str,
    "ensure_domain": _truth,
    "polls": int,
    "patience": float,
    "cache_size": int,
}
"""What a URL may say, and how it is read. Keys of AWS stay out of URLs, which show up in logs."""
