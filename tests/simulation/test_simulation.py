"""Thousands of worlds, each from one seed; the same seed is the same world, and a failure says how to see it again."""

from __future__ import annotations

import logging

import pytest

from pyworkflow.testing.invariants import InvariantViolated

from . import run as runs
from .run import Failure, chunk, number_of_seeds, run
from .world import World

SEEDS, PATIENT_SEEDS = 1_400, 600
SHARES = 8
"""Of a test each, for as many cores."""
SEEDS_ON_SERVERS = {"postgres": 16, "redis": 32}
"""Fewer than in memory, where a world takes milliseconds."""


@pytest.fixture
def _in_silence():
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_in_silence")
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(("seeds", "patient"), [(SEEDS, False), (PATIENT_SEEDS, True)], ids=["hasty", "patient"])
def test_every_seed_keeps_every_promise(share, seeds, patient):
    """In a patient world no timeout heals what is lost."""
    assert chunk(range(share, number_of_seeds(seeds), SHARES), patient=patient) is None


@pytest.mark.timeout(600)
@pytest.mark.parametrize("patient", [False, True], ids=["hasty", "patient"])
@pytest.mark.parametrize("backend", SEEDS_ON_SERVERS)
def test_every_seed_keeps_every_promise_on_a_server(backend, patient):
    """Where it is not a model of a store that fails, but the scripts and statements themselves are in between."""
    for seed in range(patient, number_of_seeds(SEEDS_ON_SERVERS[backend]), 2):
        run(seed, backend, patient=patient)


@pytest.mark.parametrize("patient", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 25])
def test_a_seed_is_always_the_same_world(seed, patient, capsys):
    stories = []
    for _ in range(2):
        run(seed, trace=True, patient=patient)
        stories.append(capsys.readouterr().out)
    assert len(stories[0].splitlines()) > 20
    assert stories[0] == stories[1]


@pytest.mark.parametrize("patient", [False, True])
def test_a_failure_says_how_to_see_it_again(monkeypatch, patient):
    def fail(world: World) -> None:
        raise InvariantViolated("invariant 1: broken")

    monkeypatch.setattr(runs, "come_to_rest", fail)
    with pytest.raises(
        Failure, match=rf"python -m tests\.simulation --backend memory{' --patient' * patient} --seed 7$"
    ):
        run(7, patient=patient)
