"""What a manager knows by name: two things of one name would do each other's work."""

import pytest

from pyworkflow import Activity, Manager, Workflow, activity


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
