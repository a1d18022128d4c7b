"""What came of a run, counted from the processes' histories and from the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from pyworkflow import (
    ActivityCompleted,
    ActivityFailed,
    ActivityTimedOut,
    Manager,
    ProcessCanceled,
    ProcessCompleted,
    ProcessFailed,
    UnknownProcessException,
)
from pyworkflow.events import ActivityEvent, DecisionTimedOutEvent, Event, SignalEvent, TimerEvent

from .activities import BANK_IS_BUSY
from .audit import LOST, OPEN, OUTCOMES, Finding, audit
from .ledger import Ledger


@dataclass
class Line:
    """The orders that ended in one way; money in cents."""

    orders: int = 0
    charged: int = 0
    refunded: int = 0
    parcels: int = 0


@dataclass
class Tally:
    """All that is told of a run. `lost` are activities and decisions whose worker died or was too slow."""

    by_order: dict[str, str]
    lines: dict[str, Line]
    steps: int
    busy: int
    lost: int
    timers: int
    additions: int
    transfers: int
    handed_over: int
    findings: list[Finding]
    kills: int = 0
    seconds: float = 0.0
    resumed: bool = False
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Line:
        values = [asdict(line) for line in self.lines.values()]
        return Line(**{name: sum(value[name] for value in values) for name in asdict(Line())})

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "outcomes": {outcome: line.orders for outcome, line in self.lines.items()},
            "audit": {finding.about: finding.problems for finding in self.findings},
        }


def take(manager: Manager, ledger: Ledger) -> Tally:
    """Count, and audit."""
    orders = [order for (order,) in ledger.rows("SELECT id FROM orders ORDER BY id")]
    outcomes = {order: outcome_of(manager, order) for order in orders}
    events = Counter(
        what for process in manager.processes(status="all") for what in map(_what, manager.history(process))
    )
    return Tally(
        by_order=outcomes,
        lines=_lines(ledger, outcomes),
        steps=events["step"] + events["busy"],
        busy=events["busy"],
        lost=events["lost"],
        timers=events["timer"],
        additions=events["add_item"],
        transfers=events["paid"],
        handed_over=ledger.row("SELECT count(*) FROM handovers")[0],
        findings=audit(ledger, outcomes),
        examples=_examples(ledger, outcomes),
    )


def outcome_of(manager: Manager, order: str) -> str:
    try:
        result = manager.describe(order).result
    except UnknownProcessException:
        return LOST
    match result:
        case None:
            return OPEN
        case ProcessCompleted(result={"outcome": str(outcome)}):
            return outcome
        case ProcessFailed(reason=outcome) | ProcessCanceled(details=outcome):
            return str(outcome)
    return result.type


def _what(event: Event) -> str:
    """What an event counts as."""
    match event:
        case ActivityEvent(result=result) if result == BANK_IS_BUSY:
            return "busy"
        case ActivityEvent(result=ActivityCompleted() | ActivityFailed()):
            return "step"
        case ActivityEvent(result=ActivityTimedOut()) | DecisionTimedOutEvent():
            return "lost"
        case TimerEvent():
            return "timer"
        case SignalEvent(signal=signal):
            return signal.name
    return ""


def _lines(ledger: Ledger, outcomes: dict[str, str]) -> dict[str, Line]:
    lines = {outcome: Line() for outcome in OUTCOMES}
    for order, outcome in outcomes.items():
        line = lines.setdefault(outcome, Line())
        line.orders += 1
        line.charged += ledger.row("SELECT coalesce(sum(cents), 0) FROM payments WHERE order_id = ?", order)[0]
        line.refunded += ledger.row("SELECT coalesce(sum(cents), 0) FROM refunds WHERE order_id = ?", order)[0]
        line.parcels += ledger.row("SELECT count(*) FROM parcels WHERE order_id = ? AND state = 'sent'", order)[0]
    return lines


def _examples(ledger: Ledger, outcomes: dict[str, str]) -> dict[str, str]:
    """An order of each outcome to look at: the one with the most parcels or letters, as there is more to see."""
    seen = "SELECT order_id FROM parcels UNION ALL SELECT order_id FROM letters"
    events = Counter(dict(ledger.rows(f"SELECT order_id, count(*) FROM ({seen}) GROUP BY 1")))
    return {outcome: order for order, outcome in sorted(outcomes.items(), key=lambda item: events[item[0]])}
