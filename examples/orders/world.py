"""Everybody outside the shop: customers who add something, a bank that reports transfers, carriers with tokens."""

from __future__ import annotations

import json
import time
from contextlib import suppress

from pyworkflow import Manager, UnknownActivityException, UnknownProcessException

from .activities import PARCEL_REFUSED
from .ledger import Ledger

ADDS_AFTER, REPORTS_AFTER, CARRIES_FOR = 0.8, 0.4, 0.3  # seconds


class World:
    """Does what is due whenever `turn` is called. Each thing is noted as done only after pyworkflow has heard of it."""

    def __init__(self, manager: Manager, ledger: Ledger) -> None:
        self.manager = manager
        self.ledger = ledger

    def turn(self) -> list[str]:
        """What happened, in a line each."""
        now = time.time()
        return [*self._additions(now), *self._transfers(now), *self._answers(now)]

    def _additions(self, now: float) -> list[str]:
        sql = "SELECT id, customer, adds FROM orders WHERE adds != '{}' AND NOT added AND started < ?"
        news = []
        for order, customer, adds in self.ledger.rows(sql, now - ADDS_AFTER):
            with suppress(UnknownProcessException):  # Too late: the order is closed.
                self.manager.signal_process(order, "add_item", json.loads(adds), request_id=f"{order}-addition")
                news.append(f"{customer} adds {', '.join(json.loads(adds))} to {order}")
            self.ledger.db.execute("UPDATE orders SET added = 1 WHERE id = ?", (order,))
        return news

    def _transfers(self, now: float) -> list[str]:
        sql = "SELECT id, order_id, cents FROM payments WHERE how = 'transfer' AND NOT told AND at < ?"
        news = []
        for payment, order, cents in self.ledger.rows(sql, now - REPORTS_AFTER):
            with suppress(UnknownProcessException):  # The invoice was closed: it found the money by itself.
                self.manager.signal_process(f"{order}-invoice", "paid", {"cents": cents}, request_id=f"pay-{payment}")
                news.append(f"the bank reports € {cents / 100:,.2f} for {order}")
            self.ledger.db.execute("UPDATE payments SET told = 1 WHERE id = ?", (payment,))
        return news

    def _answers(self, now: float) -> list[str]:
        sql = "SELECT order_id, warehouse, token FROM handovers WHERE NOT answered AND at < ?"
        return [news for row in self.ledger.rows(sql, now - CARRIES_FOR) for news in self._answer(*row)]

    def _answer(self, order: str, warehouse: str, token: str) -> list[str]:
        sent = self.ledger.send_parcel(f"{order}/carried-{warehouse}", order, warehouse, "carrier")
        with suppress(UnknownActivityException):  # It took too long: the parcel will be handed over again.
            self.manager.complete_task(token, {"carrier": "carrier"} if sent else PARCEL_REFUSED)
        self.ledger.db.execute("UPDATE handovers SET answered = 1 WHERE token = ?", (token,))
        return [] if sent else [f"the carrier refuses a parcel of {order} in {warehouse}"]
