"""What becomes of an order, and of an invoice: two deciders, which only ever look at a history and say what is next."""

from __future__ import annotations

from typing import Any

from pyworkflow import (
    Activity,
    ActivityCompleted,
    ActivityExecution,
    ActivityResult,
    ActivityTimedOut,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    DefaultWorkflow,
    FailProcess,
    Process,
    ProcessCompleted,
    RuleSetWorkflow,
    ScheduleActivity,
    Signal,
    StartChildProcess,
    Timer,
    rules,
)
from pyworkflow.events import ActivityEvent, Event, SignalEvent
from pyworkflow.workflow.base import Answer

from . import activities as do
from .orderbook import CARD, Items

SHIPPED, UNPAID, BANK_UNREACHABLE = "shipped", "unpaid", "bank unreachable"

HOLD = 20.0  # seconds that a customer has for an addition
PATIENCE = 1.2  # seconds between an invoice and its reminders
LETTERS = 3
BANK_CALLS = 4
FIRST_BACKOFF, LAST_BACKOFF = 0.25, 4.0
OWN_VANS = ("BE", "DE", "FR", "NL")
REFUSALS = (do.OUT_OF_STOCK, do.CARD_DECLINED, do.PARCEL_REFUSED)


def hiccup(result: ActivityResult) -> bool:
    """Was an activity interrupted by something that passes: a worker that died, a bank that is busy?"""
    return result not in REFUSALS


class InvoiceWorkflow(DefaultWorkflow):
    """Sends an invoice, reminds of it twice, gives up: a child of its order, whose result says whether it was paid."""

    activities = [do.SendInvoice, do.CloseInvoice]
    decision_timeout = 2.0

    def handle_event(self, event: Event, process: Process) -> Answer:
        """Money that has come ends it, whatever happened at the same time."""
        if any(signal.name == "paid" for signal in signals(process)):
            return CompleteProcess({"paid": True})
        return super().handle_event(event, process)

    def initiate(self, process: Process) -> Answer:
        return self.send(process, 1)

    def respond_to_completed_activity(
        self, process: Process, activity_execution: ActivityExecution, result: Any
    ) -> Answer:
        if activity_execution.activity == do.CloseInvoice.name:
            return CompleteProcess(result)
        letter = activity_execution.input["letter"]
        return Timer(PATIENCE, {"letter": letter + 1}, id=f"patience-{letter}")

    def respond_to_timer(self, process: Process, timer: Timer) -> Answer:
        if "again" in timer.data:
            return ScheduleActivity(**timer.data["again"])
        if timer.data["letter"] <= LETTERS:
            return self.send(process, timer.data["letter"])
        return step("close", do.CloseInvoice, order=process.input["order"])

    def respond_to_interrupted_activity(
        self, process: Process, activity_execution: ActivityExecution, result: ActivityResult
    ) -> Answer:
        return again(process, activity_execution, result)

    def send(self, process: Process, letter: int) -> ScheduleActivity:
        return step(f"letter-{letter}", do.SendInvoice, letter=letter, **process.input)


class OrderWorkflow(RuleSetWorkflow):
    """Reserves goods, takes the money, ships from all warehouses at once; when one step fails, undoes the others."""

    activities = [
        *(do.ReserveStock, do.ReturnToStock, do.ChargeCard, do.Refund),
        *(do.Ship, do.HandOver, do.WriteLetter),
    ]
    decision_timeout = 2.0

    # -- the goods ----------

    @rules.process_started
    def reserve(self, event: Any, process: Process) -> Answer:
        return step("reserve", do.ReserveStock, items=process.input["items"])

    @rules.completed_activity(do.ReserveStock)
    def reserved(self, event: Any, process: Process) -> Answer:
        if event.activity_execution.id == "reserve" and process.input["hold"]:
            addition = first_addition(process)
            return Timer(HOLD, id="hold") if addition is None else self.reserve_addition(addition)
        return self.ask_for_money(process)

    @rules.interrupted_activity(do.ReserveStock, do.OUT_OF_STOCK)
    def out_of_stock(self, event: Any, process: Process) -> Answer:
        if event.activity_execution.id == "addition":
            return self.ask_for_money(process)  # The customer gets the order as it was.
        return self.say(do.OUT_OF_STOCK.reason)

    @rules.signal("add_item")
    def add(self, event: Any, process: Process) -> Answer:
        """One addition, until the hold is over. One that is early waits for `reserved`."""
        on_hold = any(timer.id == "hold" for timer in process.untriggered_timers())
        return [CancelTimer("hold"), self.reserve_addition(event.signal.data)] if on_hold else None

    def reserve_addition(self, items: Items) -> ScheduleActivity:
        return step("addition", do.ReserveStock, items=items)

    @rules.timer(lambda data: data == {})
    def hold_is_over(self, event: Any, process: Process) -> Answer:
        return self.ask_for_money(process)

    # -- the money ----------

    def ask_for_money(self, process: Process) -> Answer:
        cents = sum(reserved["cents"] for reserved in results(process, do.ReserveStock))
        if process.input["payment"] == CARD:
            return step("charge", do.ChargeCard, cents=cents)
        invoice = Process(InvoiceWorkflow, f"{process.id}-invoice", {"order": process.id, "cents": cents})
        return StartChildProcess(invoice, child_policy="TERMINATE")

    @rules.completed_activity(do.ChargeCard)
    def charged(self, event: Any, process: Process) -> Answer:
        return self.ship(process)

    @rules.interrupted_activity(do.ChargeCard, do.CARD_DECLINED)
    def declined(self, event: Any, process: Process) -> Answer:
        return self.give_back(do.CARD_DECLINED.reason)

    @rules.child_process_completed(InvoiceWorkflow)
    def invoice_closed(self, event: Any, process: Process) -> Answer:
        paid = isinstance(event.result, ProcessCompleted) and event.result.result["paid"]
        return self.ship(process) if paid else self.give_back(UNPAID)

    # -- the parcels ----------

    def ship(self, process: Process) -> Answer:
        carry = do.Ship if process.input["country"] in OWN_VANS else do.HandOver
        return [
            step(f"parcel-{warehouse}", carry, warehouse=warehouse, items=items)
            for warehouse, items in parcels(process).items()
        ]

    @rules.completed_activity(do.Ship)
    @rules.completed_activity(do.HandOver)
    @rules.interrupted_activity(do.Ship, do.PARCEL_REFUSED)
    @rules.interrupted_activity(do.HandOver, do.PARCEL_REFUSED)
    def parcel_answered(self, event: Any, process: Process) -> Answer:
        """Wait for all; when one was refused, everything is undone."""
        answered = answers(process, do.Ship, do.HandOver)
        if len(answered) < len(parcels(process)):
            return None
        if do.PARCEL_REFUSED in answered:
            return step("refund", do.Refund)
        return self.say(SHIPPED)

    # -- undoing, and the end ----------

    @rules.completed_activity(do.Refund)
    def refunded(self, event: Any, process: Process) -> Answer:
        return self.give_back(do.PARCEL_REFUSED.reason)

    def give_back(self, because: str) -> ScheduleActivity:
        return step("give-back", do.ReturnToStock, because=because)

    @rules.completed_activity(do.ReturnToStock)
    def given_back(self, event: Any, process: Process) -> Answer:
        return self.say(event.activity_execution.input["because"])

    def say(self, outcome: str) -> ScheduleActivity:
        return step("letter", do.WriteLetter, outcome=outcome)

    @rules.completed_activity(do.WriteLetter)
    def end(self, event: Any, process: Process) -> Answer:
        outcome = event.activity_execution.input["outcome"]
        if outcome == SHIPPED:
            return CompleteProcess({"outcome": SHIPPED, "parcels": sorted(parcels(process))})
        return CancelProcess(UNPAID) if outcome == UNPAID else FailProcess(outcome)

    # -- trying again ----------

    @rules.interrupted_activity(result=hiccup)
    def try_again(self, event: Any, process: Process) -> Answer:
        busy = sum(ended.result == do.BANK_IS_BUSY for ended in activity_events(process))
        if event.result == do.BANK_IS_BUSY and busy >= BANK_CALLS:
            return self.give_back(BANK_UNREACHABLE)
        return again(process, event.activity_execution, event.result)

    @rules.timer(lambda data: "again" in data)
    def waited(self, event: Any, process: Process) -> Answer:
        return ScheduleActivity(**event.timer.data["again"])


# -- steps, and what a history says about them ----------


def step(id: str, activity: type[Activity], **input: Any) -> ScheduleActivity:
    """An activity under an id of our own, the same when it is tried again. What is begun is finished first."""
    return ScheduleActivity(activity, id, input=input, priority=0 if id == "reserve" else 1)


def again(process: Process, execution: ActivityExecution, result: ActivityResult) -> ScheduleActivity | Timer:
    """The same step once more: at once when its worker died, after a while when it failed."""
    same = {"activity": execution.activity, "id": execution.id, "input": execution.input, "priority": 1}
    if isinstance(result, ActivityTimedOut):
        return ScheduleActivity(**same)
    failures = sum(event.activity_execution.id == execution.id for event in activity_events(process))
    return Timer(min(FIRST_BACKOFF * 2 ** (failures - 1), LAST_BACKOFF), {"again": same}, id=f"{execution.id}-again")


def activity_events(process: Process) -> list[ActivityEvent]:
    return [event for event in process.history if isinstance(event, ActivityEvent)]


def answers(process: Process, *activities: type[Activity]) -> list[ActivityResult]:
    """What came of the executions of some activities, leaving out those that are tried again."""
    names = [activity.name for activity in activities]
    ended = [event.result for event in activity_events(process) if event.activity in names]
    return [result for result in ended if isinstance(result, ActivityCompleted) or not hiccup(result)]


def results(process: Process, activity: type[Activity]) -> list[Any]:
    return [answer.result for answer in answers(process, activity) if isinstance(answer, ActivityCompleted)]


def parcels(process: Process) -> dict[str, Items]:
    """What goes from which warehouse: the order's goods and the addition's together."""
    together: dict[str, Items] = {}
    for reserved in results(process, do.ReserveStock):
        for warehouse, items in reserved["parcels"].items():
            parcel = together.setdefault(warehouse, {})
            for sku, quantity in items.items():
                parcel[sku] = parcel.get(sku, 0) + quantity
    return together


def signals(process: Process) -> list[Signal]:
    return [event.signal for event in process.history if isinstance(event, SignalEvent)]


def first_addition(process: Process) -> Items | None:
    return next((signal.data for signal in signals(process) if signal.name == "add_item"), None)
