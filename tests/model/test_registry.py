"""What a manager knows by name: two things of one name would do each other's work."""

from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow import Activity, Manager, Process, Signal, Workflow, activity


def make_activity(base: type[Activity] = Activity, **attributes: str) -> type[Activity]:
    return type("Charge", (base,), attributes)


def workflow(name: str, *activities: object) -> type[Workflow]:
    return type(name, (Workflow,), {"activities": activities})


def test_two_activities_of_one_name_are_refused() -> None:
    manager = Manager("memory://", [workflow("Order", make_activity())])
    with pytest.raises(ValueError, match=r"'Bill' has an activity 'Charge', version 1\.0, .*another name, or version"):
        manager.register_workflow(workflow("Bill", make_activity()))


def test_two_functions_of_one_name_are_refused() -> None:
    def charge() -> int:
        return 1

    first = charge

    def charge() -> int:  # type: ignore[no-redef]
        return 2

    with pytest.raises(ValueError, match="'charge'"):
        Manager("memory://", [workflow("Order", activity(first)), workflow("Bill", charge)])


def test_several_workflows_may_have_the_same_activity() -> None:
    shared = make_activity()
    manager = Manager("memory://", [workflow("Order", shared), workflow("Bill", shared)])
    assert manager.activities == [shared]


def test_versions_tell_activities_of_one_name_apart() -> None:
    old, new = make_activity(version="1"), make_activity(version="2")
    manager = Manager("memory://", [workflow("Order", old), workflow("Bill", new)])
    assert manager.activities == [old, new]


def test_another_can_be_put_in_its_place_by_hand() -> None:
    real, fake = make_activity(), make_activity()
    manager = Manager("memory://", [workflow("Order", real)], activities=[fake])
    assert manager._activities["Charge", "1.0"] is fake
    better = make_activity(real)
    manager = Manager("memory://", [workflow("Order", real), workflow("Bill", better)])
    assert manager._activities["Charge", "1.0"] is better


class Order(Workflow):
    def decide(self, process: Process) -> None:
        return None


class Ship(Activity):
    def execute(self) -> None:
        return None


def ship() -> None:
    return None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Manager(None), r"a Backend or the URL of one, such as 'sqlite:///shop\.db', not None"),
        (lambda: Manager("memory://", Order), r"workflows are a list, not Order: write \[Order\]"),
        (lambda: Manager("memory://", None), r"workflows are a list, not None"),
        (lambda: Manager("memory://", "shop:workflows"), r"workflows are a list, not 'shop:workflows'"),
        (lambda: Manager("memory://", [Ship]), r"Ship is no workflow, .* Manager\(…, activities=\[Ship\]\)"),
        (lambda: Manager("memory://", [ship]), r"ship at .* is no workflow: .* a function with @workflow"),
        (lambda: Manager("memory://", [Order()]), r"is no workflow: give a class derived from Workflow"),
        (lambda: Manager("memory://", [], ship), r"activities are a list, not ship: write \[ship\]"),
        (lambda: Manager("memory://", [], [Order]), r"Order is no activity: it does not derive from Activity"),
        (lambda: Manager("memory://", [workflow("Bill", Order)]), r"Order is no activity"),
        (
            lambda: Manager("memory://", [type("Bill", (Workflow,), {"activities": Ship})]),
            r"Bill\.activities are a list, not Ship: write \[Ship\]",
        ),
    ],
)
def test_what_is_of_another_kind_is_refused_with_what_to_write(make: Callable[[], Manager], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("Order", r"not 'Order': write Process\('Order', input=…\)"),
        (Order, r"not <class '.*Order'>: write Process\(Order, input=…\)"),
        (None, r"not None: write Process\(Order, input=…\)"),
    ],
)
def test_a_process_is_started_and_nothing_else(thing: Any, message: str) -> None:
    manager = Manager("memory://", [Order])
    with pytest.raises(TypeError, match=message):
        manager.start_process(thing)
    with pytest.raises(TypeError, match=message):
        manager.signal_with_start(thing, Signal("paid"))


def test_a_timeout_is_a_number() -> None:
    manager = Manager("memory://", [Order])
    id = manager.start_process(Process(Order))
    with pytest.raises(TypeError, match="a timeout is a number of seconds, not '5'"):
        manager.result(id, timeout="5")  # type: ignore[arg-type]
