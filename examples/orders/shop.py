"""One run of the business: starts a process for each order, looks after workers and world, until all are closed."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field

from pyworkflow import Manager, Process

from .ledger import Ledger
from .staff import Staff
from .workflows import OrderWorkflow
from .world import World

TURN = 0.1  # seconds
BATCH = 12  # orders that come in with each turn
STUCK = 60.0  # seconds without news


class Stuck(Exception):
    """Nothing happens any more, and orders are open."""


@dataclass
class Progress:
    """How far things are; `outcomes` counts the orders that have ended."""

    orders: int
    started: int
    outcomes: Counter[str]
    kills: int
    seconds: float
    news: list[str] = field(default_factory=list)

    @property
    def ended(self) -> int:
        return self.outcomes.total()


class Shop:
    """The main program's part in a run. Call `turn` until it says that all is done."""

    def __init__(self, manager: Manager, ledger: Ledger, staff: Staff) -> None:
        self.manager = manager
        self.ledger = ledger
        self.staff = staff
        self.world = World(manager, ledger)
        self.orders = ledger.row("SELECT count(*) FROM orders")[0]
        self.began = self._moved = time.monotonic()
        self._ended: float | None = None
        self._mark: object = None
        self.news: list[str] = []

    @property
    def seconds(self) -> float:
        return (self._ended or time.monotonic()) - self.began

    def turn(self) -> bool:
        """Do what is due, and say whether all orders are closed. Raises Stuck."""
        self.start_orders()
        self.news = [*self.staff.turn(), *self.world.turn()]
        self._watch()
        done = not self.left()
        self._ended = time.monotonic() if done else None
        return done

    def left(self) -> int:
        """How many orders are open, those included that have no process yet."""
        (waiting,) = self.ledger.row("SELECT count(*) FROM orders WHERE started IS NULL")
        return int(waiting) + self.manager.count(OrderWorkflow)

    def rest(self) -> None:
        if self._ended is None:
            time.sleep(TURN)

    def start_orders(self) -> None:
        """Start the next processes. Should this be killed half way, the request id lets none start twice."""
        sql = "SELECT id, customer, country, items, payment, card, adds FROM orders WHERE started IS NULL LIMIT ?"
        for id, customer, country, items, payment, card, adds in self.ledger.rows(sql, BATCH):
            order = {"customer": customer, "country": country, "items": json.loads(items), "payment": payment}
            order |= {"card": f"…{card[-4:]}" if card else None, "hold": adds != "{}"}
            self.manager.start_process(Process(OrderWorkflow, id, order, tags=[country]), request_id=id)
            self.ledger.db.execute("UPDATE orders SET started = ? WHERE id = ?", (time.time(), id))

    def progress(self) -> Progress:
        letters = self.ledger.rows("SELECT kind, count(*) FROM letters WHERE final GROUP BY 1")
        (started,) = self.ledger.row("SELECT count(*) FROM orders WHERE started IS NOT NULL")
        return Progress(self.orders, started, Counter(dict(letters)), self.staff.kills, self.seconds, self.news)

    def _watch(self) -> None:
        mark = self.ledger.row("SELECT count(*), (SELECT count(*) FROM bank_calls) FROM answers")
        if mark != self._mark:
            self._mark, self._moved = mark, time.monotonic()
        if time.monotonic() - self._moved > STUCK:
            raise Stuck(
                f"nothing has happened for {STUCK:.0f} seconds, and orders are open; {self.staff.log} may say why"
            )
