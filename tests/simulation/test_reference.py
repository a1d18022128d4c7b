"""Random users, workers and clocks against the reference model, on every backend."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .backends import BACKENDS
from .comparison import Comparison

HISTORIES = {"memory": 1_000, "sqlite": 1_000, "postgres": 200, "redis": 200}
"""Fewer where each call crosses to a server and back."""


SHARES = 4
"""Of a test each, for as many cores."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("backend", BACKENDS)
def test_backends_do_what_the_reference_does(backend, share):
    machine = type("Comparison", (Comparison,), {"open_backend": staticmethod(BACKENDS[backend])})
    run_state_machine_as_test(machine, settings=settings(
        max_examples=int(os.environ.get("PYWORKFLOW_HISTORIES") or HISTORIES[backend]) // SHARES,
        stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
    ))  # fmt: skip
