"""A world: one store, several machines that each see it through faults, one clock, one source of chance."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from msgspec import structs

from pyworkflow.backend.memory import MemoryStore
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.head import Limits
from pyworkflow.engine.store import Store
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow.task import ActivityTask, DecisionTask
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.faults import CALM, Crash, Rates
from pyworkflow.testing.invariants import Inspector

from .patience import Audit, WatchedStore
from .promises import Promises

CACHES = (0, 1, 1_000)
TIGHT = Limits(activities=2, timers=1, children=1, events=40, refusals=3)
CATEGORIES = ("c", "d")
ENDLESS = 5_000
ACTIVITIES = ("A", "B")
YEAR = 31_536_000.0


class Times(NamedTuple):
    """The timeouts of all types of a world; a heartbeat is asked for of B alone."""

    workflow: float | None
    decision: float | None
    scheduled: float | None
    execution: float | None
    heartbeat: float | None


SOON = Times(90.0, 15.0, 20.0, 25.0, 6.0)
NEVER = Times(None, None, None, None, None), Times(YEAR, YEAR, YEAR, YEAR, YEAR)


@dataclass
class Machine:
    """An engine with its caches, and the tasks that its workers hold."""

    store: WatchedStore
    cache: int
    limits: Limits
    times: Times
    engine: Engine = None  # type: ignore[assignment]
    decisions: list[DecisionTask] = field(default_factory=list)
    activities: list[ActivityTask] = field(default_factory=list)

    def boot(self) -> None:
        """Begin anew: whatever was in memory is gone."""
        self.decisions, self.activities = [], []
        self.engine = Engine(self.store, cache_size=self.cache, limits=self.limits)
        times = self.times
        for workflow, category in (("W", "c"), ("V", "d")):
            self.engine.register_workflow(workflow, category, times.workflow, times.decision)
        for activity, heartbeat in (("A", None), ("B", times.heartbeat)):
            self.engine.register_activity(activity, activity.lower(), times.scheduled, times.execution, heartbeat)

    def keep(self, task: ActivityTask | DecisionTask) -> None:
        """Hold a task, to be handed in later."""
        held: list[Any] = self.decisions if isinstance(task, DecisionTask) else self.activities
        held.append(task)


class World:
    """Everything that a seed decides. `tokens` were handed out, `handed_off` is held by nobody's memory.

    In a `patient` world nothing times out and nobody forgets what he holds: so what is lost stays lost, and is seen.
    """

    def __init__(
        self, seed: int, open_store: Callable[[VirtualClock], Store] = MemoryStore, patient: bool = False
    ) -> None:
        self.random = Random(seed)
        self.clock = VirtualClock(1_000_000.0)
        self.base = open_store(self.clock)
        self.patient = patient
        self.audit = Audit()
        self.set_backs = 0
        self.transactional = type(self.base).batch is not Store.batch
        self.inspector = Inspector(self.base)
        self.promises = Promises()
        self.requests: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.handed_off: list[ActivityTask] = []
        self.trace: list[str] = []
        self._acting: list[Machine] = []
        self.act: Callable[[World, Machine], None] = lambda world, machine: None
        self.limits = self.random.choice((Limits(), Limits(), TIGHT))
        times = self.random.choice(NEVER) if patient else SOON
        rates = structs.replace(self._rates(), crash=0.0) if patient else self._rates()
        self.machines = [self._machine(rates, times) for _ in range(self.random.randint(1, 3))]

    def _rates(self) -> Rates:
        """Some worlds are calm, in some only one kind of fault happens, often a crowd; in most all of them do."""
        strength = self.random.choice((0.0, 0.02, 0.06))
        kinds = ("lost_request", "lost_reply", "duplicate", "crash", "interlude")
        if self.random.random() < 0.3:
            kind = self.random.choice((*kinds, "interlude"))
            return Rates(**{kind: strength * 5 if kind == "interlude" else strength})
        return Rates(strength / 2, strength, strength, strength / 2, strength * 2)

    def _machine(self, rates: Rates, times: Times) -> Machine:
        store = WatchedStore(self.base, self.random, rates, transactional=self.transactional, interlude=self.interlude)
        store.audit = self.audit
        machine = Machine(store, self.random.choice(CACHES), self.limits, times)
        machine.boot()
        return machine

    # -- steps ----------

    def step(self) -> None:
        """One machine does one thing; then everything that it touched is looked at."""
        self.on(self.random.choice(self.machines), self.act)
        self.inspect()

    def on(self, machine: Machine, act: Callable[[World, Machine], None]) -> None:
        """Let a machine do something, and die if it must: with all that it does at the time."""
        self._acting.append(machine)
        machine.store.calls_left = ENDLESS
        try:
            act(self, machine)
        except BackendUnavailable as error:
            self.note(f"  unavailable: {error}")
        except Crash as crash:
            self.note(f"  crash: {crash}")
            machine.boot()
            if machine in self._acting[:-1]:
                raise
        finally:
            self._acting.pop()

    def interlude(self) -> None:
        """While a machine is in the middle of something another one acts, or it sleeps while the world goes on."""
        if len(self._acting) > 2:
            return
        turns = 1
        if len(self._acting) == 1 and self.random.random() < 0.2:
            self.advance(self.random.choice((1.0, 6.0, 30.0, -2.0)))
            turns = self.random.randrange(8)
        for _ in range(turns):
            self.on(self.random.choice(self.machines), self.act)

    def advance(self, seconds: float) -> None:
        self.clock.now += seconds
        self.set_backs += seconds < 0
        self.note(f"  clock {seconds:+g}: {self.clock.now - 1_000_000:g}")

    def note(self, text: str) -> None:
        self.trace.append(text)

    def inspect(self) -> None:
        """The invariants, for what was touched since the last time."""
        touched = set[str]()
        for machine in self.machines:
            touched |= machine.store.touched
            machine.store.touched.clear()
        self.inspector.check(sorted(touched))
        if self.patient:
            self.audit.check(self, touched)

    def idle(self, machine: Machine) -> bool:
        """Would nothing be lost if it died now?"""
        held = machine.decisions or machine.activities or machine.engine._counter.doubts._open
        return not held and machine not in self._acting[:-1]

    def calm(self) -> None:
        for machine in self.machines:
            machine.store.rates = CALM

    def hand_out(self, token: str) -> None:
        """A task was handed to a worker; a token never comes twice."""
        assert token not in self.tokens, f"the token {token} was handed out twice"
        self.tokens.add(token)


@contextmanager
def no_chance_but(random: Random) -> Iterator[None]:
    """Run ids come from this source, so that a seed always gives the same world."""
    real = uuid.uuid4
    uuid.uuid4 = lambda: uuid.UUID(int=random.getrandbits(128), version=4)
    try:
        yield
    finally:
        uuid.uuid4 = real
