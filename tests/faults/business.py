"""The order example on a server: its shop, its worker processes and its audit, with somebody who disturbs them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from examples.orders.app import workflows
from examples.orders.audit import audit
from examples.orders.ledger import Ledger
from examples.orders.orderbook import read_orders, read_stock
from examples.orders.shop import TURN, Shop
from examples.orders.staff import Staff
from examples.orders.tally import outcome_of
from pyworkflow import BackendUnavailable, Manager, open_backend
from pyworkflow.testing.invariants import check

from ..examples.expected import EXPECTED, FEW, TICKETS

PATIENCE = 90.0


class Business:
    """An order for each kind of customer, on the backend at `url`, with `workers` of each kind at each of `doors`,
    which are ways to the same backend."""

    def __init__(self, url: str, folder: Path, doors: Sequence[str], workers: int, chaos: int | None) -> None:
        stock = read_stock()
        orders, _ = read_orders(FEW, [article.sku for article in stock])
        self.ledger = Ledger.create(folder / "ledger.db", stock)
        self.ledger.accept(orders)
        self.manager = Manager(open_backend(url), workflows)
        self.staffs = [
            Staff(door, folder / "ledger.db", folder / f"workers-{number}.log", workers, chaos)
            for number, door in enumerate(doors)
        ]
        self._shop = Shop(self.manager, self.ledger, self.staffs[0])

    def run(self, disturb: Callable[[int], bool] = lambda steps: True) -> None:
        """Until all orders are closed. `disturb` is called all the while with the number of steps that were done, and
        says whether it is over."""
        with ExitStack() as stack:
            for staff in self.staffs:
                stack.callback(staff.stop)
                staff.start()
            until, done, over = time.monotonic() + PATIENCE, False, False
            while not (done and over):
                assert time.monotonic() < until, f"{self._shop.left()} orders are open: {self.log}"
                over = disturb(self.ledger.row("SELECT count(*) FROM answers")[0])
                try:
                    for staff in self.staffs[1:]:
                        staff.turn()
                    done = self._shop.turn()
                except BackendUnavailable:
                    pass
                time.sleep(TURN)

    @property
    def log(self) -> str:
        """The last words of all workers."""
        return "\n".join(staff.log.read_text()[-1_500:] for staff in self.staffs if staff.log.exists())

    @property
    def kills(self) -> int:
        return sum(staff.kills for staff in self.staffs)

    def check(self) -> None:
        """Each order has ended as its row says, nothing was lost, nothing charged twice, all histories are whole."""
        orders = [order for (order,) in self.ledger.rows("SELECT id FROM orders")]
        outcomes = {order: outcome_of(self.manager, order) for order in orders}
        assert {order: outcome for order, outcome in outcomes.items() if order not in TICKETS} == EXPECTED
        assert Counter(outcomes[order] for order in TICKETS) == {"shipped": 2, "out of stock": 1}
        assert [finding for finding in audit(self.ledger, outcomes) if finding.problems] == []
        check(self.manager.backend.store)  # type: ignore[attr-defined]

    def close(self) -> None:
        self.manager.close()
        self.ledger.close()
