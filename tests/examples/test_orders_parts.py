"""What the order business trusts: the reader and its bad rows, the ledger, the audit, the decider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.orders.activities import HandOver, ReserveStock, Ship
from examples.orders.audit import audit, is_clean
from examples.orders.generate import rows
from examples.orders.ledger import BUSY, DECLINED, PAID, Ledger
from examples.orders.orderbook import COLUMNS, ORDERS, BadFile, Order, read_orders, read_stock
from examples.orders.workflows import OrderWorkflow
from pyworkflow import ActivityCompleted, ActivityExecution, ActivityTimedOut, Process, ScheduleActivity
from pyworkflow.events import ActivityEvent, DecisionEvent, DecisionStartedEvent, ProcessStartedEvent

SKUS = [article.sku for article in read_stock()]

# -- the reader ----------

GOOD = {
    "order": "T-1",
    "placed": "2026-11-02T08:00",
    "customer": "Ada",
    "country": "DE",
    "items": "MUG:1",
    "payment": "card",
    "card": "4242424242424242",
    "customer_adds": "",
    "customer_pays": "",
}


def read(tmp_path: Path, *rows: dict[str, str]) -> tuple[list[Order], list[str]]:
    path = tmp_path / "orders.csv"
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    orders, rejected = read_orders(path, SKUS)
    return orders, [row.reason for row in rejected]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"order": ""}, "no order id"),
        ({"order": "a:b"}, "'a:b' is no order id"),
        ({"placed": ""}, "no date"),
        ({"placed": "tomorrow"}, "'tomorrow' is no date"),
        ({"customer": " "}, "no customer"),
        ({"country": "Germany"}, "'Germany' is no country"),
        ({"items": ""}, "no items"),
        ({"items": "UNICORN:1"}, "no such article: 'UNICORN'"),
        ({"items": "MUG:0"}, "'0' is no quantity of MUG"),
        ({"items": "MUG:-1"}, "'-1' is no quantity of MUG"),
        ({"items": "MUG:²"}, "'²' is no quantity of MUG"),
        ({"items": "MUG"}, "no quantity of MUG"),
        ({"payment": ""}, "no way to pay"),
        ({"payment": "barter"}, "'barter' is no way to pay"),
        ({"card": ""}, "no card number"),
        ({"card": "4242"}, "'4242' is no card number"),
        ({"card": "4242424242424241"}, "the card number has a typing error"),
        ({"customer_adds": "MUG:many"}, "'many' is no quantity of MUG"),
        ({"payment": "invoice", "customer_pays": "soon"}, "'soon' is no number of letters"),
        ({"customer_pays": ",surplus"}, "too many fields: is a quote missing?"),
    ],
)
def test_a_bad_row_is_set_apart_with_its_reason(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    orders, reasons = read(tmp_path, GOOD | {"order": "T-0"}, GOOD | change)
    assert [order.id for order in orders] == ["T-0"]
    assert reasons == [reason]


def test_of_two_rows_with_one_id_the_first_counts(tmp_path: Path) -> None:
    orders, reasons = read(tmp_path, GOOD, GOOD | {"customer": "Eve"})
    assert [order.customer for order in orders] == ["Ada"]
    assert reasons == ["the order id is already taken"]


def test_a_row_that_stops_early_is_set_apart(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(",".join(COLUMNS) + "\nT-1,2026-11-02T08:00\n")
    orders, rejected = read_orders(tmp_path / "orders.csv", SKUS)
    assert not orders and [row.reason for row in rejected] == ["no customer"]


@pytest.mark.parametrize(
    "content", [b"", b"name,age\nAda,36\n", b"\xff\xfe\x00order"], ids=["empty", "other", "binary"]
)
def test_a_file_without_orders_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "orders.csv").write_bytes(content)
    with pytest.raises(BadFile):
        read_orders(tmp_path / "orders.csv", SKUS)


def test_the_orders_are_as_the_generator_makes_them() -> None:
    made = [{name: row[name] for name in COLUMNS} for row in rows(seed=2026)]
    written = ORDERS.read_text(encoding="utf-8").splitlines()
    assert len(made) == len(written) - 1
    assert [row["order"] for row in made] == [line.split(",")[0] for line in written[1:]]
    orders, rejected = read_orders(ORDERS, SKUS)
    assert (len(orders), len(rejected)) == (275, 18)


# -- the ledger ----------


def order(id: str, card: str = "4242424242424242", country: str = "DE", pays: int | None = None) -> Order:
    payment = "card" if card else "invoice"
    return Order(id, "2026-11-02T08:00", "Ada", country, {"MUG": 1}, payment, card, {}, pays)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.create(tmp_path / "ledger.db", read_stock()) as ledger:
        yield ledger


def test_what_is_done_twice_under_one_key_is_done_once(ledger: Ledger) -> None:
    ledger.accept([order("A")])
    for _ in range(2):
        assert ledger.reserve("A/reserve", "A", {"MUG": 2}) == {"cents": 2900, "parcels": {"Lyon": {"MUG": 2}}}
        assert ledger.charge("A/charge", "A", 2900) == PAID
        assert ledger.send_parcel("A/parcel", "A", "Lyon", "van")
        assert ledger.refund("A/refund", "A") == 2900
        assert ledger.give_back("A/back", "A") == 2
    assert ledger.row("SELECT count(*) FROM payments") == ledger.row("SELECT count(*) FROM refunds") == (1,)
    assert ledger.row("SELECT on_hand - initial FROM stock WHERE sku = 'MUG'") == (0,)
    assert ledger.rows("SELECT state FROM parcels") == [("recalled",)]


def test_all_items_are_reserved_or_none(ledger: Ledger) -> None:
    assert ledger.reserve("k", "A", {"MUG": 1, "SAMOVAR": 1}) == {"missing": ["SAMOVAR"]}
    assert ledger.row("SELECT sum(initial - on_hand) FROM stock") == (0,)


def test_a_bank_answers_for_good_unless_it_is_busy(ledger: Ledger) -> None:
    ledger.accept([order("A", "4000000000000119"), order("B", "4000000000000002"), order("C", "4000000000000341")])
    assert [ledger.charge("A/charge", "A", 5) for _ in range(4)] == [BUSY, BUSY, PAID, PAID]
    assert [ledger.charge("B/charge", "B", 5) for _ in range(2)] == [DECLINED, DECLINED]
    assert [ledger.charge("C/charge", "C", 5) for _ in range(5)] == [BUSY] * 5
    assert ledger.rows("SELECT order_id, cents FROM payments") == [("A", 5)]


def test_an_invoice_that_is_closed_takes_no_money(ledger: Ledger) -> None:
    ledger.accept([order("A", "", pays=2)])
    ledger.send_invoice("A/1", "A", 1, 500)
    assert ledger.close_invoice("A/close", "A") is False
    ledger.send_invoice("A/2", "A", 2, 500)
    assert ledger.row("SELECT count(*) FROM payments") == (0,)


def test_an_invoice_that_was_paid_is_found_paid_when_it_is_closed(ledger: Ledger) -> None:
    ledger.accept([order("A", "", pays=1)])
    ledger.send_invoice("A/1", "A", 1, 500)
    assert ledger.close_invoice("A/close", "A") is True


# -- the audit ----------

SHIPPED_AND_REFUSED = {"A": "shipped", "B": "parcel refused", "C": "out of stock"}


@pytest.fixture
def audited(ledger: Ledger) -> Ledger:
    """A ledger with an order that was shipped, one that was undone and one that came to nothing."""
    ledger.accept([order("A"), order("B", country="US"), order("C")])
    ledger.reserve("A/reserve", "A", {"MUG": 1, "FILTER": 1})
    ledger.charge("A/charge", "A", 1840)
    for warehouse in ("Lyon", "Rotterdam"):
        assert ledger.send_parcel(f"A/{warehouse}", "A", warehouse, "van")
    ledger.reserve("B/reserve", "B", {"SCALE": 1, "FILTER": 1})
    ledger.charge("B/charge", "B", 6290)
    assert not ledger.send_parcel("B/Lyon", "B", "Lyon", "van")
    assert ledger.send_parcel("B/Rotterdam", "B", "Rotterdam", "van")
    ledger.refund("B/refund", "B")
    ledger.give_back("B/back", "B")
    ledger.reserve("C/reserve", "C", {"SAMOVAR": 1})
    for id, outcome in SHIPPED_AND_REFUSED.items():
        ledger.write_final_letter(f"{id}/letter", id, outcome)
    return ledger


def test_the_audit_finds_nothing_where_all_is_well(audited: Ledger) -> None:
    assert is_clean(audit(audited, SHIPPED_AND_REFUSED))


@pytest.mark.parametrize(
    ("tampering", "about"),
    [
        ("INSERT INTO payments (order_id, cents) VALUES ('A', 1840)", "none charged twice"),
        ("UPDATE payments SET cents = 1839 WHERE order_id = 'A'", "all paid for what they got"),
        ("DELETE FROM payments WHERE order_id = 'A'", "all paid for what they got"),
        ("DELETE FROM refunds", "refunds match charges"),
        ("UPDATE refunds SET cents = cents - 1", "refunds match charges"),
        ("INSERT INTO refunds VALUES ('A', 1840)", "refunds match charges"),
        ("INSERT INTO payments (order_id, cents) VALUES ('C', 100)", "refunds match charges"),
        ("UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'MUG'", "stock adds up"),
        ("UPDATE stock SET on_hand = -1, initial = -1 WHERE sku = 'SAMOVAR'", "stock adds up"),
        ("UPDATE reservations SET state = 'reserved' WHERE sku = 'MUG'", "stock adds up"),
        ("DELETE FROM reservations WHERE order_id = 'A'", "stock adds up"),
        ("DELETE FROM parcels WHERE order_id = 'A' AND warehouse = 'Lyon'", "each parcel sent once"),
        ("INSERT INTO parcels VALUES ('A', 'Lyon', 'van', 'sent')", "each parcel sent once"),
        ("UPDATE parcels SET state = 'sent' WHERE order_id = 'B'", "each parcel sent once"),
        ("DELETE FROM letters WHERE order_id = 'C'", "all told the truth, once"),
        ("INSERT INTO letters VALUES ('A', 'shipped', 1)", "all told the truth, once"),
        ("UPDATE letters SET kind = 'unpaid' WHERE order_id = 'A'", "all told the truth, once"),
        ("INSERT INTO orders (id) VALUES ('D')", "no order lost"),
    ],
)
def test_the_audit_finds_what_was_tampered_with(audited: Ledger, tampering: str, about: str) -> None:
    audited.db.execute(tampering)
    found = {finding.about for finding in audit(audited, SHIPPED_AND_REFUSED) if finding.problems}
    assert about in found


@pytest.mark.parametrize("outcome", ["open", "lost", "terminated", "unpaid", "shipped"])
def test_the_audit_finds_a_process_that_ended_otherwise(audited: Ledger, outcome: str) -> None:
    assert not is_clean(audit(audited, SHIPPED_AND_REFUSED | {"B": outcome}))


# -- the decider ----------


def half_shipped(*ended: ActivityEvent) -> Process:
    """An order with two parcels under way, of which `ended` is not yet decided on."""
    reserved = {"cents": 5, "parcels": {"Lyon": {"MUG": 1}, "Rotterdam": {"FILTER": 1}}}
    history = [
        ProcessStartedEvent(),
        ActivityEvent(
            activity_execution=ActivityExecution(ReserveStock.name, "reserve", {}), result=ActivityCompleted(reserved)
        ),
        DecisionStartedEvent(),
        *(DecisionEvent(decision=ScheduleActivity(Ship, f"parcel-{place}")) for place in ("Lyon", "Rotterdam")),
        *ended,
        DecisionStartedEvent(),
    ]
    return Process(OrderWorkflow, "A", {"hold": False, "country": "DE", "payment": "card"}, history=history)


def parcel(place: str, result: Any, activity: Any = Ship) -> ActivityEvent:
    return ActivityEvent(activity_execution=ActivityExecution(activity.name, f"parcel-{place}", {}), result=result)


def ids(process: Process) -> list[str]:
    return [decision.id for decision in OrderWorkflow().decide(process) if isinstance(decision, ScheduleActivity)]


def test_a_parcel_whose_worker_died_is_not_taken_for_sent() -> None:
    died = parcel("Lyon", ActivityTimedOut("HEARTBEAT"))
    sent = parcel("Rotterdam", ActivityCompleted({}))
    assert ids(half_shipped(died, sent)) == ids(half_shipped(sent, died)) == ["parcel-Lyon"]


def test_both_parcels_at_once_make_one_letter() -> None:
    sent = [parcel(place, ActivityCompleted({}), HandOver) for place in ("Lyon", "Rotterdam")]
    assert ids(half_shipped(*sent)) == ["letter"]


def test_the_ledger_is_found_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ORDERS_LEDGER", str(tmp_path / "none.db"))
    with pytest.raises(FileNotFoundError, match="ORDERS_LEDGER"):
        Ledger.open()
