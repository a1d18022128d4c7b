"""The tree of errors: what may be caught as what."""

import inspect

import pytest

from pyworkflow import exceptions as errors


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (errors.UnknownProcessException, errors.UnknownResourceException),
        (errors.UnknownActivityException, errors.UnknownResourceException),
        (errors.UnknownDecisionException, errors.UnknownResourceException),
        (errors.UnknownActivityException, errors.TimedOutException),
        (errors.UnknownDecisionException, errors.TimedOutException),
        (errors.InvalidName, ValueError),
        (errors.PayloadError, ValueError),
    ],
)
def test_an_error_can_be_caught_as_its_base(error, base):
    with pytest.raises(base, match="message"):
        raise error("message")


@pytest.mark.parametrize(
    ("error", "other"),
    [
        (errors.UnknownProcessException, errors.TimedOutException),
        (errors.TimedOutException, errors.UnknownResourceException),
        (errors.UnknownActivityException, errors.UnknownDecisionException),
    ],
)
def test_unrelated_errors_are_not_caught(error, other):
    assert not issubclass(error, other)


def test_every_error_is_a_workflow_error():
    own = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]
    assert len(own) > 5
    assert all(issubclass(cls, errors.WorkflowError) for cls in own)


def test_a_process_that_is_running_already_is_named_with_its_run():
    error = errors.ProcessAlreadyRunning("order-7", "r1")
    assert (error.process_id, error.run) == ("order-7", "r1")
    assert "'order-7'" in str(error)
    assert "r1" in str(error)
