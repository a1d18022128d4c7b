"""Manager.reset and Manager.fork: which event is meant, and what is passed on."""

import pytest

from pyworkflow import (
    Activity,
    ActivityCompleted,
    ActivityFailed,
    CannotReset,
    CompleteProcess,
    DefaultWorkflow,
    Manager,
    Process,
    ScheduleActivity,
    Worker,
)


class Draw(Activity):
    execution_timeout = 10
    drawn: list[int] = []

    def execute(self) -> int:
        Draw.drawn.append(self.input)
        return self.input


class Two(DefaultWorkflow):
    """Draws twice; its result is the sum."""

    activities = [Draw]

    def initiate(self, process: Process) -> ScheduleActivity:
        return ScheduleActivity(Draw, "first", input=1)

    def respond_to_completed_activity(self, process, activity_execution, result):
        if activity_execution.id == "first":
            return ScheduleActivity(Draw, "second", input=result * 10)
        return CompleteProcess(result + 1)


@pytest.fixture
def manager() -> Manager:
    Draw.drawn.clear()
    manager = Manager("memory://", [Two])
    manager.start_process(Process(Two, "p"))
    Worker(manager).run(burst=True)
    assert manager.result("p") == 11
    assert Draw.drawn == [1, 10]
    return manager


def test_the_last_answer_is_taken_back(manager: Manager) -> None:
    assert manager.reset("p") == "p"
    Worker(manager).run(burst=True)
    assert (manager.result("p"), Draw.drawn) == (11, [1, 10])


def test_a_step_is_done_again(manager: Manager) -> None:
    assert manager.fork("p", "q", step="second") == "q"
    Worker(manager).run(burst=True)
    assert (manager.result("q"), Draw.drawn) == (11, [1, 10, 10])


def test_a_step_has_another_result(manager: Manager) -> None:
    manager.fork("p", "q", step="first", with_result=5)
    manager.fork("p", "r", step="first", with_result=ActivityCompleted(7))
    manager.fork("p", "s", step="second", with_result=None)
    Worker(manager, attempts=1).run(burst=True)
    assert (manager.result("q"), manager.result("r")) == (51, 71)
    assert manager.describe("s").blocked[0].startswith("TypeError")
    assert Draw.drawn == [1, 10, 50, 70]


def test_a_step_fails(manager: Manager) -> None:
    manager.fork("p", "q", step="second", with_result=ActivityFailed("broken"))
    Worker(manager).run(burst=True)
    assert manager.wait("q").reason == "activity Draw failed: broken"


def test_a_step_that_never_ended(manager: Manager) -> None:
    manager.reset("p", 3)
    manager.fork("p", "q", step="first", with_result=2)
    Worker(manager).run(burst=True)
    assert manager.result("q") == 21


def test_there_must_be_such_a_step(manager: Manager) -> None:
    with pytest.raises(CannotReset, match="no activity with the id 'third'"):
        manager.fork("p", "q", step="third")
    with pytest.raises(ValueError, match="name the step"):
        manager.fork("p", "q", with_result=1)
    with pytest.raises(ValueError, match="either"):
        manager.fork("p", "q", to=2, step="first")


def test_a_step_that_was_open_when_its_process_ended(manager: Manager) -> None:
    manager.reset("p", 3)
    manager.terminate_process("p")
    manager.fork("p", "q", step="first", with_result=3)
    Worker(manager).run(burst=True)
    assert manager.result("q") == 31
