"""The audit: do the outside world and the processes' results agree, whatever was killed?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .activities import CARD_DECLINED, OUT_OF_STOCK, PARCEL_REFUSED
from .ledger import Ledger
from .workflows import BANK_UNREACHABLE, SHIPPED, UNPAID

OUTCOMES = (
    *(SHIPPED, str(OUT_OF_STOCK.reason), str(CARD_DECLINED.reason), BANK_UNREACHABLE),
    *(UNPAID, str(PARCEL_REFUSED.reason)),
)
OPEN, LOST = "open", "lost"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and what was wrong with it."""

    about: str
    problems: list[str] = field(default_factory=list)


def audit(ledger: Ledger, outcomes: Mapping[str, str]) -> list[Finding]:
    """Check the ledger against how each order's process ended: one of OUTCOMES, OPEN or LOST."""
    return [Finding(about, list(check(ledger, outcomes))) for about, check in CHECKS.items()]


def is_clean(findings: list[Finding]) -> bool:
    return not any(finding.problems for finding in findings)


def _no_order_lost(ledger: Ledger, outcomes: Mapping[str, str]) -> Iterator[str]:
    for (order,) in ledger.rows("SELECT id FROM orders ORDER BY id"):
        outcome = outcomes.get(order, LOST)
        if outcome not in OUTCOMES:
            yield f"{order} is {outcome}"


def _none_charged_twice(ledger: Ledger, outcomes: Mapping[str, str]) -> Iterator[str]:
    for order, times in ledger.rows("SELECT order_id, count(*) FROM payments GROUP BY 1 HAVING count(*) > 1"):
        yield f"{order} was charged {times} times"


def _all_paid_what_they_owe(ledger: Ledger, outcomes: Mapping[str, str]) -> Iterator[str]:
    owed = _sums(ledger, "SELECT order_id, sum(cents) FROM reservations WHERE state = 'shipped' GROUP BY 1")
    paid = _sums(ledger, "SELECT order_id, sum(cents) FROM payments GROUP BY 1")
    refunded = _sums(ledger, "SELECT order_id, sum(cents) FROM refunds GROUP BY 1")
    for order in sorted({*owed, *paid, *refunded}):
        if paid[order] - refunded[order] != owed[order]:
            yield f"{order} got goods for {owed[order]}, paid {paid[order]} and was refunded {refunded[order]} cents"


def _money_follows_the_outcome(ledger: Ledger, outcomes: Mapping[str, str]) -> Iterator[str]:
    paid = _sums(ledger, "SELECT order_id, sum(cents) FROM payments GROUP BY 1")
    refunded = _sums(ledger, "SELECT order_id, sum(cents) FROM refunds GROUP BY 1")
    for order, outcome in outcomes.items():
        must_have_paid = outcome in (SHIPPED, PARCEL_REFUSED.reason)
        if outcome in OUTCOMES and bool(paid[order]) != must_have_paid:
            yield f"{order} ended with {outcome!r} and paid {paid[order]} cents"
        if refunded[order] != (paid[order] if outcome == PARCEL_REFUSED.reason else 0):
            yield f"{order} ended with {outcome!r}, paid {paid[order]} and was refunded {refunded[order]} cents"


def _stock_adds_up(ledger: Ledger, outcomes: Mapping[str, str]) -> Iterator[str]:
    gone = _sums(ledger, "SELECT sku, sum(quantity) FROM reservations WHERE state != 'returned' GROUP BY 1")
    for sku, initial, on_hand in ledger.rows("SELECT sku, initial, on_hand FROM stock ORDER BY sku"):
        if on_hand < 0 or on_hand + gone[sku] != initial:
            yield f"of {initial} {sku}, {gone[sku]} went out and {on_hand} are there"
    for order, sku in ledger.rows("SELECT order_id, sku FROM reservations WHERE state = 'reserved'"):
        if outcomes.get(order) != OPEN:
            yield f"{sku} is still reserved for {order}"


def _parcels_follow_the_outcome(ledger: Ledger, outcomes: Mapping[str, str]) -> Iterator[str]:
    """A shipped order has one sent parcel for each warehouse that its goods came from, any other order none."""
    sent = Counter(ledger.rows("SELECT order_id, warehouse FROM parcels WHERE state = 'sent'"))
    due = {
        (order, warehouse)
        for order, warehouse in ledger.rows("SELECT DISTINCT order_id, warehouse FROM reservations")
        if outcomes.get(order) == SHIPPED
    }
    for order, warehouse in sorted({*sent, *due}):
        expected, found = int((order, warehouse) in due), sent[order, warehouse]
        if found != expected and outcomes.get(order) != OPEN:
            yield f"{order} has {found} parcels from {warehouse} instead of {expected}"


def _one_final_letter(ledger: Ledger, outcomes: Mapping[str, str]) -> Iterator[str]:
    letters: dict[str, list[str]] = {order: [] for order in outcomes}
    for order, kind in ledger.rows("SELECT order_id, kind FROM letters WHERE final"):
        letters.setdefault(order, []).append(kind)
    for order, kinds in letters.items():
        outcome = outcomes.get(order, LOST)
        if kinds != [outcome] and outcome != OPEN:
            yield f"{order} ended with {outcome!r}, and its customer was told {kinds or 'nothing'}"


def _sums(ledger: Ledger, sql: str) -> Counter[str]:
    return Counter(dict(ledger.rows(sql)))


CHECKS: dict[str, Callable[[Ledger, Mapping[str, str]], Iterator[str]]] = {
    "no order lost": _no_order_lost,
    "none charged twice": _none_charged_twice,
    "all paid for what they got": _all_paid_what_they_owe,
    "refunds match charges": _money_follows_the_outcome,
    "stock adds up": _stock_adds_up,
    "each parcel sent once": _parcels_follow_the_outcome,
    "all told the truth, once": _one_final_letter,
}
