"""What SWF has and we have not, such as Lambda tasks: kept readable in histories, under SWF's own names."""

from __future__ import annotations

from typing import Any

from pyworkflow.decision import Decision
from pyworkflow.events import Event


class ForeignDecision(Decision):
    """A decision of SWF's that has no class here: `kind` is its decisionType, `attributes` are as SWF has them."""

    type = "foreign"
    _compared = ("kind", "attributes")

    def __init__(self, kind: str, attributes: dict[str, Any]) -> None:
        self.kind = kind
        self.attributes = attributes


class ForeignEvent(Event, eq=False):
    """An event of SWF's that has no class here: `kind` is its eventType, `attributes` are as SWF has them."""

    type = "foreign"
    kind: str
    attributes: dict[str, Any] = {}
