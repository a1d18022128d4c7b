"""Names of activities and workflows, default values and class attributes."""

import pytest

from pyworkflow import CodeWorkflow, RuleSetWorkflow, defaults
from pyworkflow.activity import Activity
from pyworkflow.values import derived_name, name_of
from pyworkflow.workflow import Workflow


class MultiplicationActivity(Activity):
    pass


class RenamedActivity(Activity):
    name = "Other"


class HeirActivity(RenamedActivity):
    pass


class FooWorkflow(Workflow):
    pass


class RenamedWorkflow(Workflow):
    name = "OtherFlow"


class HeirWorkflow(RenamedWorkflow):
    pass


class Plain(Workflow):
    pass


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (Activity, "Activity"),
        (MultiplicationActivity, "Multiplication"),
        (RenamedActivity, "Other"),
        (HeirActivity, "Heir"),
        (Workflow, "Workflow"),
        (FooWorkflow, "Foo"),
        (RenamedWorkflow, "OtherFlow"),
        (HeirWorkflow, "Heir"),
        (Plain, "Plain"),
    ],
)
def test_a_class_is_named_after_itself_unless_it_says_otherwise(cls, name):
    assert cls.name == name
    assert name_of(cls) == name


@pytest.mark.parametrize(
    ("class_name", "suffix", "name"),
    [
        ("FooActivity", "Activity", "Foo"),
        ("Activity", "Activity", "Activity"),
        ("ActivityFoo", "Activity", "ActivityFoo"),
        ("FooWorkflow", "Activity", "FooWorkflow"),
    ],
)
def test_the_suffix_is_cut_off_the_end_only_and_never_leaves_nothing(class_name, suffix, name):
    assert derived_name(type(class_name, (), {}), suffix) == name


def test_a_name_is_its_own_name():
    assert name_of("Foo") == "Foo"


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("WORKFLOW_TIMEOUT", 31536000),
        ("DECISION_TIMEOUT", 60),
        ("DECISION_CATEGORY", "default"),
        ("ACTIVITY_SCHEDULED_TIMEOUT", 60),
        ("ACTIVITY_EXECUTION_TIMEOUT", 31536000),
        ("ACTIVITY_HEARTBEAT_TIMEOUT", 31536000),
        ("ACTIVITY_CATEGORY", "default"),
        ("CHILD_POLICY", "ABANDON"),
    ],
)
def test_default_values(constant, value):
    assert getattr(defaults, constant) == value


@pytest.mark.parametrize(
    ("cls", "attribute", "value"),
    [
        (Activity, "scheduled_timeout", 60),
        (Activity, "execution_timeout", 31536000),
        (Activity, "heartbeat_timeout", 31536000),
        (Activity, "close_timeout", None),
        (Activity, "category", "default"),
        (Activity, "version", "1.0"),
        (Activity, "auto_complete", True),
        (Workflow, "activities", []),
        (Workflow, "timeout", 31536000),
        (Workflow, "decision_timeout", 60),
        (Workflow, "category", "default"),
        (Workflow, "version", "1.0"),
    ],
)
def test_class_attributes(cls, attribute, value):
    assert getattr(cls, attribute) == value


def test_a_misspelt_setting_is_warned_of_where_it_is():
    with pytest.warns(UserWarning) as warned:

        class Charge(Activity):
            execution_timout = 5
            schedule_timeout = 5

        class Order(RuleSetWorkflow):
            activites = [Charge]

        class Bill(CodeWorkflow):
            decision_timout = 5

            def run(self, ctx):
                return None

    told = [str(each.message).rpartition(".<locals>.")[2] for each in warned]
    assert told == [
        "Charge.execution_timout is ignored by pyworkflow: is execution_timeout meant?",
        "Charge.schedule_timeout is ignored by pyworkflow: is scheduled_timeout meant?",
        "Order.activites is ignored by pyworkflow: is activities meant?",
        "Bill.decision_timout is ignored by pyworkflow: is decision_timeout meant?",
    ]
    assert {each.filename for each in warned} == {__file__}


def test_what_is_the_authors_own_is_not_warned_of(recwarn):
    class Base(Workflow):
        timeouts = (1, 2)
        names = ["a"]
        limit = 5

        def version_of(self):
            return 1

        def activites(self):
            return []

    class Order(Base):
        _activites = []
        versions = ["1.0"]
        activites = []

    class Sell(CodeWorkflow):
        failure = "sold out"

        def run(self, ctx):
            return None

    assert not list(recwarn)
