"""What cannot be shown over moto, test by test, with the reason."""

from __future__ import annotations

GAPS: dict[str, str] = {}


def reason_for(name: str) -> str | None:
    return GAPS.get(name.partition("[")[0])
