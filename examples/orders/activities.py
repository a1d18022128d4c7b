"""What the business can do, one activity each. All of them may be done twice: the ledger goes by their keys."""

from __future__ import annotations

import random
import time
from typing import Any, ClassVar

from pyworkflow import Activity, ActivityFailed

from .ledger import DECLINED, PAID, Ledger

OUT_OF_STOCK = ActivityFailed("out of stock")
CARD_DECLINED = ActivityFailed("card declined")
BANK_IS_BUSY = ActivityFailed("the bank is busy")
PARCEL_REFUSED = ActivityFailed("parcel refused")


class ShopActivity(Activity):
    """An activity of the shop; subclasses say in `act` what it does to the ledger.

    The short timeout tells the workflow soon that a worker was killed.
    """

    execution_timeout = 2.0
    toil: ClassVar[float] = 0.08

    @property
    def order(self) -> str:
        return str(self.input.get("order") or self.task.process_id)

    @property
    def key(self) -> str:
        """The workflow gives each of its steps an id and keeps it when it tries again, so this stays the same."""
        return f"{self.task.process_id}/{self.task.activity_execution.id}"

    def execute(self) -> Any:
        self.work()
        with Ledger.open() as ledger:
            answer = self.act(ledger)
        self.work()  # A worker that is killed here has done it, and nobody knows.
        return answer

    def work(self) -> None:
        """Stands for the time that a service takes to answer."""
        time.sleep(random.uniform(0.5, 1.5) * self.toil / 2)

    def act(self, ledger: Ledger) -> Any:
        raise NotImplementedError


class ReserveStock(ShopActivity):
    """Reserves all items; answers with what they cost and which parcels they make."""

    def act(self, ledger: Ledger) -> Any:
        answer = ledger.reserve(self.key, self.order, self.input["items"])
        return OUT_OF_STOCK if "missing" in answer else answer


class ReturnToStock(ShopActivity):
    """Undoes ReserveStock, and Ship and HandOver with it: parcels are called back."""

    def act(self, ledger: Ledger) -> Any:
        return {"pieces": ledger.give_back(self.key, self.order)}


class ChargeCard(ShopActivity):
    """Charges the card. The bank knows its number: histories are kept, so they are no place for it."""

    toil = 0.12

    def act(self, ledger: Ledger) -> Any:
        answer = ledger.charge(self.key, self.order, self.input["cents"])
        if answer == DECLINED:
            return CARD_DECLINED
        return {"cents": self.input["cents"]} if answer == PAID else BANK_IS_BUSY


class Refund(ShopActivity):
    """Undoes ChargeCard, or what a customer has transferred."""

    def act(self, ledger: Ledger) -> Any:
        return {"cents": ledger.refund(self.key, self.order)}


class SendInvoice(ShopActivity):
    """Sends the invoice, or reminds of it."""

    def act(self, ledger: Ledger) -> Any:
        ledger.send_invoice(self.key, self.order, self.input["letter"], self.input["cents"])


class CloseInvoice(ShopActivity):
    """Gives up waiting for money, unless the account shows that it came: a webhook alone is not to be trusted."""

    def act(self, ledger: Ledger) -> Any:
        return {"paid": ledger.close_invoice(self.key, self.order)}


class Ship(ShopActivity):
    """Packs a parcel piece by piece and sends it. Heartbeats tell sooner than a timeout when the worker is gone."""

    execution_timeout = 60.0
    heartbeat_timeout = 1.0

    def act(self, ledger: Ledger) -> Any:
        for packed, _ in enumerate(self.input["items"], 1):
            self.work()
            self.heartbeat({"packed": packed})
        sent = ledger.send_parcel(self.key, self.order, self.input["warehouse"], "own van")
        return {"carrier": "own van"} if sent else PARCEL_REFUSED


class HandOver(ShopActivity):
    """Leaves a parcel for a carrier, who completes the task later by its token: nothing waits for that here."""

    auto_complete = False
    execution_timeout = 5.0

    def act(self, ledger: Ledger) -> Any:
        ledger.hand_over(self.order, self.input["warehouse"], self.task.token)


class WriteLetter(ShopActivity):
    """Tells the customer how the order ended: the last step of every order."""

    toil = 0.04

    def act(self, ledger: Ledger) -> Any:
        ledger.write_final_letter(self.key, self.order, self.input["outcome"])
