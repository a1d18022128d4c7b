"""The module paths of pyworkflow 0.1 lead to the same classes as the documented ones."""

import importlib

import pytest

from pyworkflow.workflow import rules


@pytest.mark.parametrize(
    ("path", "names", "home"),
    [
        ("managed", "Activity ActivityMonitor", "activity"),
        ("managed", "Workflow DefaultWorkflow RuleSetWorkflow", "workflow"),
        ("managed", "Manager", "manager"),
        ("managed.worker", "ActivityWorker DecisionWorker WorkerThread", "worker"),
        ("managed.workflow", "Workflow DefaultWorkflow RuleSetWorkflow", "workflow"),
        ("memory", "MemoryBackend", "backend.memory"),
        ("amazonswf", "AmazonSWFBackend", "backend.amazonswf"),
    ],
)
def test_a_path_leads_home(path, names, home):
    door, room = (importlib.import_module(f"pyworkflow.{name}") for name in (path, home))
    for name in names.split():
        assert name in door.__all__
        assert getattr(door, name) is getattr(room, name)


def test_the_path_of_the_rules_has_every_rule():
    door = importlib.import_module("pyworkflow.managed.workflow.rules")
    own = {name for name, value in vars(rules).items() if getattr(value, "__module__", "") == rules.__name__}
    public = {name for name in own if not name.startswith("_")} - {"answers", "is_rule", "Method"}
    assert set(door.__all__) == public
    assert all(getattr(door, name) is getattr(rules, name) for name in public)
