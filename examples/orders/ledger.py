"""The outside world in a SQLite file of its own: stock, bank, parcels, letters. Each change has a key and is made once.

A worker may be killed after it changed something here and before pyworkflow heard of it. The workflow then has it done
again under the same key, and `Ledger.once` gives the first answer.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .orderbook import INVOICE, Article, Items, Order

SCHEMA = """
CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL);
CREATE TABLE orders (
    id TEXT PRIMARY KEY, customer TEXT, country TEXT, items TEXT, payment TEXT, card TEXT, adds TEXT, pays INTEGER,
    started REAL, added INTEGER NOT NULL DEFAULT 0, invoice_closed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE stock (sku TEXT PRIMARY KEY, name TEXT, cents INTEGER, warehouse TEXT, initial INTEGER, on_hand INTEGER);
CREATE TABLE reservations (order_id TEXT, sku TEXT, warehouse TEXT, quantity INTEGER, cents INTEGER, state TEXT);
CREATE TABLE bank_calls (order_id TEXT, answer TEXT);
CREATE TABLE payments (id INTEGER PRIMARY KEY, order_id TEXT, cents INTEGER, how TEXT, at REAL, told INTEGER);
CREATE TABLE refunds (order_id TEXT, cents INTEGER);
CREATE TABLE parcels (order_id TEXT, warehouse TEXT, carrier TEXT, state TEXT);
CREATE TABLE handovers (
    order_id TEXT, warehouse TEXT, token TEXT, at REAL, answered INTEGER, PRIMARY KEY (order_id, warehouse)
);
CREATE TABLE letters (order_id TEXT, kind TEXT, final INTEGER);
CREATE INDEX reservations_order ON reservations (order_id);
CREATE INDEX parcels_order ON parcels (order_id);
CREATE INDEX payments_order ON payments (order_id);
"""

PAID, DECLINED, BUSY = "paid", "declined", "busy"
CARDS = {  # what the bank says to which card; test numbers as payment providers publish them
    "4000000000000002": (DECLINED,),
    "4000000000009995": (DECLINED,),
    "4000000000000119": (BUSY, BUSY, PAID),
    "4000000000000341": (BUSY,),
}
BY_AIR = ("AU", "CA", "JP", "US")
NOT_BY_AIR = "SCALE"


class Ledger:
    """A connection to the file, for one thread."""

    def __init__(self, path: str | Path) -> None:
        self.db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.db.execute("PRAGMA synchronous = NORMAL")  # Killed processes lose nothing; a power cut is not in the play.

    @classmethod
    def open(cls) -> Ledger:
        """The ledger that the environment names: an activity is made by the library, with nothing but its task."""
        path = os.environ.get("ORDERS_LEDGER", "orders-ledger.db")
        if not Path(path).exists():
            raise FileNotFoundError(f"there is no ledger {path!r}: set ORDERS_LEDGER to one that the demo has made")
        return cls(path)

    @classmethod
    def create(cls, path: str | Path, stock: Iterable[Article]) -> Ledger:
        ledger = cls(path)
        ledger.db.execute("PRAGMA journal_mode = WAL")
        ledger.db.executescript(f"BEGIN;{SCHEMA}COMMIT;")
        goods = [(one.sku, one.name, one.cents, one.warehouse, one.quantity, one.quantity) for one in stock]
        ledger.db.executemany("INSERT INTO stock VALUES (?, ?, ?, ?, ?, ?)", goods)
        return ledger

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise

    def once(self, key: str, act: Callable[[], Any]) -> Any:
        """What `act` answered when this was first done; an answer of None counts as none yet."""
        with self.transaction():
            if (found := self.row("SELECT answer FROM answers WHERE key = ?", key)) is not None:
                return json.loads(found[0])
            answer = act()
            if answer is not None:
                self.db.execute("INSERT INTO answers VALUES (?, ?)", (key, json.dumps(answer)))
            return answer

    def row(self, sql: str, *values: object) -> Any:
        return self.db.execute(sql, values).fetchone()

    def rows(self, sql: str, *values: object) -> list[Any]:
        return self.db.execute(sql, values).fetchall()

    # -- the order book ----------

    def accept(self, orders: Iterable[Order]) -> None:
        """Write down the orders, those that are there already excepted."""
        with self.transaction():
            self.db.executemany(
                "INSERT INTO orders (id, customer, country, items, payment, card, adds, pays) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [
                    (o.id, o.customer, o.country, json.dumps(o.items), o.payment, o.card, json.dumps(o.adds), o.pays)
                    for o in orders
                ],
            )

    # -- the stock ----------

    def reserve(self, key: str, order: str, items: Items) -> dict[str, Any]:
        """Reserve all items or, where one is missing, none."""
        return dict(self.once(key, lambda: self._reserve(order, items)))

    def _reserve(self, order: str, items: Items) -> dict[str, Any]:
        found = {sku: self.row("SELECT on_hand, cents, warehouse FROM stock WHERE sku = ?", sku) for sku in items}
        missing = [sku for sku, quantity in items.items() if found[sku] is None or found[sku][0] < quantity]
        if missing:
            return {"missing": missing}
        parcels: dict[str, Items] = {}
        for sku, quantity in items.items():
            _, cents, warehouse = found[sku]
            parcels.setdefault(warehouse, {})[sku] = quantity
            self.db.execute("UPDATE stock SET on_hand = on_hand - ? WHERE sku = ?", (quantity, sku))
            values = (order, sku, warehouse, quantity, cents * quantity)
            self.db.execute("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, 'reserved')", values)
        return {"cents": sum(found[sku][1] * quantity for sku, quantity in items.items()), "parcels": parcels}

    def give_back(self, key: str, order: str) -> int:
        """Recall the order's parcels and put its goods back on the shelf; how many pieces."""
        return int(self.once(key, lambda: self._give_back(order)))

    def _give_back(self, order: str) -> int:
        self.db.execute("UPDATE parcels SET state = 'recalled' WHERE order_id = ? AND state = 'sent'", (order,))
        lines = self.rows("SELECT sku, quantity FROM reservations WHERE order_id = ? AND state != 'returned'", order)
        for sku, quantity in lines:
            self.db.execute("UPDATE stock SET on_hand = on_hand + ? WHERE sku = ?", (quantity, sku))
        self.db.execute("UPDATE reservations SET state = 'returned' WHERE order_id = ?", (order,))
        return sum(quantity for _, quantity in lines)

    # -- the bank ----------

    def charge(self, key: str, order: str, cents: int) -> str:
        """PAID or DECLINED for good, or BUSY: ask again."""
        return self.once(key, lambda: self._charge(order, cents)) or BUSY

    def _charge(self, order: str, cents: int) -> str | None:
        (card,) = self.row("SELECT card FROM orders WHERE id = ?", order)
        (calls,) = self.row("SELECT count(*) FROM bank_calls WHERE order_id = ?", order)
        says = CARDS.get(card, (PAID,))
        answer = says[min(calls, len(says) - 1)]
        self.db.execute("INSERT INTO bank_calls VALUES (?, ?)", (order, answer))
        if answer == PAID:
            self._pay(order, cents, "card")
        return None if answer == BUSY else answer

    def _pay(self, order: str, cents: int, how: str) -> None:
        values = (order, cents, how, time.time())
        self.db.execute("INSERT INTO payments (order_id, cents, how, at, told) VALUES (?, ?, ?, ?, 0)", values)

    def refund(self, key: str, order: str) -> int:
        """Pay back all that was paid; how much."""
        return int(self.once(key, lambda: self._refund(order)))

    def _refund(self, order: str) -> int:
        (paid,) = self.row("SELECT coalesce(sum(cents), 0) FROM payments WHERE order_id = ?", order)
        self.db.execute("INSERT INTO refunds VALUES (?, ?)", (order, paid))
        return int(paid)

    # -- invoices ----------

    def send_invoice(self, key: str, order: str, number: int, cents: int) -> None:
        """Send the invoice or a reminder; some customers pay when they read it, and the bank tells us later."""
        self.once(key, lambda: self._send_invoice(order, number, cents))

    def _send_invoice(self, order: str, number: int, cents: int) -> bool:
        pays, closed = self.row("SELECT pays, invoice_closed FROM orders WHERE id = ?", order)
        if closed or self.has_paid(order):
            return False
        self.db.execute("INSERT INTO letters VALUES (?, ?, 0)", (order, f"{INVOICE} {number}"))
        if pays == number:
            self._pay(order, cents, "transfer")
        return True

    def close_invoice(self, key: str, order: str) -> bool:
        """Take no more money for an invoice; was it paid after all?"""
        return bool(self.once(key, lambda: self._close_invoice(order)))

    def _close_invoice(self, order: str) -> bool:
        self.db.execute("UPDATE orders SET invoice_closed = 1 WHERE id = ?", (order,))
        return self.has_paid(order)

    def has_paid(self, order: str) -> bool:
        return self.row("SELECT 1 FROM payments WHERE order_id = ?", order) is not None

    # -- parcels and letters ----------

    def send_parcel(self, key: str, order: str, warehouse: str, carrier: str) -> bool:
        """Give a parcel to a carrier; False when it must not travel."""
        return bool(self.once(key, lambda: self._send_parcel(order, warehouse, carrier)))

    def _send_parcel(self, order: str, warehouse: str, carrier: str) -> bool:
        goods = "FROM reservations WHERE order_id = ? AND warehouse = ? AND state = 'reserved'"
        (country,) = self.row("SELECT country FROM orders WHERE id = ?", order)
        refused = self.row(f"SELECT 1 {goods} AND sku = ?", order, warehouse, NOT_BY_AIR) and country in BY_AIR
        state = "refused" if refused else "sent"
        self.db.execute("INSERT INTO parcels VALUES (?, ?, ?, ?)", (order, warehouse, carrier, state))
        if not refused:
            where = "WHERE order_id = ? AND warehouse = ? AND state = 'reserved'"
            self.db.execute(f"UPDATE reservations SET state = 'shipped' {where}", (order, warehouse))
        return not refused

    def hand_over(self, order: str, warehouse: str, token: str) -> None:
        """Leave a parcel for the carrier, with the token that it answers by; a later token replaces an earlier one."""
        with self.transaction():
            values = (order, warehouse, token, time.time())
            self.db.execute("INSERT OR REPLACE INTO handovers VALUES (?, ?, ?, ?, 0)", values)

    def write_final_letter(self, key: str, order: str, kind: str) -> bool:
        return bool(self.once(key, lambda: self._write_final_letter(order, kind)))

    def _write_final_letter(self, order: str, kind: str) -> bool:
        self.db.execute("INSERT INTO letters VALUES (?, ?, 1)", (order, kind))
        return True
