"""Who acts in a world: users, workers and the clock, each at random."""

from __future__ import annotations

from collections.abc import Callable

from .users import cancel, repeat, reset, resume, signal, signal_with_start, start, terminate
from .workers import work
from .world import Machine, World


def act(world: World, machine: Machine) -> None:
    """One thing that happens somewhere."""
    (choice,) = world.random.choices(ACTS, WEIGHTS)
    world.note(f"{world.machines.index(machine)}: {choice.__name__}")
    choice(world, machine)


def tick(world: World, machine: Machine) -> None:
    world.advance(world.random.choice((0.0, 0.1, 0.5, 1.0, 3.0)))


def jump(world: World, machine: Machine) -> None:
    world.advance(world.random.choice((7.0, 20.0, 60.0, -2.0)))


def die(world: World, machine: Machine) -> None:
    if not world.patient or world.idle(machine):
        machine.boot()


ACTS: list[Callable[[World, Machine], None]] = [
    start, signal_with_start, signal, cancel, terminate, repeat, resume, reset, work, tick, jump, die,
]  # fmt: skip
WEIGHTS = [8, 2, 5, 2, 1, 5, 2, 2, 50, 14, 2, 1]
