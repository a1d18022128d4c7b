"""One run: load on a server, which is killed and started again until the load is done; then the audit."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pyworkflow import BackendUnavailable, Manager, open_backend

from .app import STEPS, workflows
from .audit import Books, audit
from .crew import Crew, executed
from .customers import Customers, name
from .servers import KINDS, Killable, Kind

LOOK = 0.5
LOOKS = 180  # Without any news. Not seconds: on a busy machine a look takes longer, and so does all that is looked at.
FEW = 3


@dataclass(frozen=True)
class Plan:
    """How much, for how long, how often; times in seconds. `pause` are the shortest and the longest time between the
    server's deaths, `away` how long it is gone at most."""

    kind: str
    workflows: int = 5_000
    signals: int = 1_000
    seconds: float = 300.0
    pause: tuple[float, float] = (5.0, 20.0)
    away: float = 1.0
    workers: int = 2
    seed: int = 1

    def dies(self) -> list[float]:
        """When the server dies, in seconds after the beginning."""
        chance, times = random.Random(self.seed), [0.0]
        while times[-1] < self.seconds:
            times.append(times[-1] + chance.uniform(*self.pause))
        return times[1:]


@dataclass
class Outcome:
    """What came of it: `kills` of the server, calls `refused` while it was away, `repeated` executions, `again` for
    what customers had to repeat though it had been acknowledged."""

    kills: int
    refused: int
    executions: int
    repeated: int
    again: int
    seconds: float
    findings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not any(self.findings.values())


class Stuck(Exception):
    """The server is back, and processes do not go on."""


@dataclass
class Progress:
    """How far a run is."""

    completed: int
    kills: int
    news: str


class Run:
    """A run on a server that is open."""

    def __init__(self, plan: Plan, kind: Kind, server: Killable, folder: Path) -> None:
        self.plan = plan
        self.kind = kind
        self.server = server
        self.deaths: list[float] = []
        self.again: list[tuple[str, int]] = []
        self.completed = 0
        self._random = random.Random(plan.seed)
        self.manager = Manager(open_backend(server.url), workflows)
        self.crew = Crew(server.url, plan.workers, folder)
        self._began = time.monotonic()
        self.customers = Customers(self.manager, plan.workflows, plan.signals, plan.dies(), plan.seed)

    def through(self, show: Callable[[Progress], None]) -> Outcome:
        """From beginning to end. Raises Stuck."""
        try:
            self._disturb(show)
            self._come_to_rest(show)
        finally:
            self.customers.stop()
            self.crew.stop()
        show(Progress(self.completed, len(self.deaths), "audit"))
        outcome = self._outcome()
        self.manager.close()
        return outcome

    # -- while the server dies ----------

    def _disturb(self, show: Callable[[Progress], None]) -> None:
        for dies in self.plan.dies():
            while (left := self._began + dies - time.monotonic()) > 0:
                self._look(show, "chaos")
                time.sleep(min(LOOK, left))
            self._kill()

    def _kill(self) -> None:
        self.deaths.append(time.monotonic())
        self.server.kill()
        time.sleep(self._random.uniform(0, self.plan.away))
        self.server.start()

    def _look(self, show: Callable[[Progress], None], news: str) -> None:
        self.crew.check()
        try:
            self.completed = self.manager.count(status="completed")
        except BackendUnavailable:
            pass
        show(Progress(self.completed, len(self.deaths), news))

    # -- when it lives ----------

    def _come_to_rest(self, show: Callable[[Progress], None]) -> None:
        """What was lost in answers is given up by its timeouts, and done again."""
        looks, known = 0, self._news()
        while not self.customers.done or self.completed < self.plan.workflows:
            self._look(show, "coming to rest")
            if self.customers.done and self.kind.may_lose:
                with suppress(BackendUnavailable):
                    self._repeat()
            looks, known = (looks + 1, known) if known == (news := self._news()) else (0, news)
            if looks > LOOKS:
                raise Stuck(f"{self.completed} of {self.plan.workflows} completed\n{self._stories()}")
            time.sleep(LOOK)

    def _news(self) -> tuple[int, int, int]:
        """What changes as long as work goes on; not by what is done again and again."""
        executions = {(done.process, done.step) for done in executed(self.crew.effects)}
        return self.completed, len(self.customers.acknowledged), len(executions)

    def _repeat(self) -> None:
        """A customer whose process was forgotten starts it again, one whose payment was pays again."""
        there = {str(each.id): each.status for each in self.manager.processes(status="all")}
        for number in range(self.plan.workflows):
            if name(number) not in there:
                self.customers.start(number)
                self.again.append(("start", number))
            elif number < self.plan.signals and there[name(number)] == "running" and not self._is_paid(number):
                self.customers.pay(number)
                self.again.append(("pay", number))

    def _is_paid(self, number: int) -> bool:
        return any(event.type == "signal" for event in self.manager.history(name(number)))

    def _stories(self) -> str:
        """The first of those that are open, and what the workers say."""
        store = self.manager.backend.store  # type: ignore[attr-defined]
        lines = [
            f"not acknowledged: {self.plan.workflows + self.plan.signals - len(self.customers.acknowledged)} calls"
        ]
        for process in islice(self.manager.processes(status="open"), FEW):
            tasks = [(task.key, task.queue, task.due - store.now()) for task in store.tasks(process.id)]
            lines += [f"{self.manager.describe(process)}", f"tasks: {tasks}", *map(str, self.manager.history(process))]
        return "\n".join([*lines, self.crew.log.read_text()[-2000:]])

    def _outcome(self) -> Outcome:
        done = executed(self.crew.effects)
        acknowledged = self.customers.acknowledged
        again = [*self.again, *(("start", number) for number in self.customers.forgotten)]
        books = Books(self.manager, self.plan.workflows, self.plan.signals, acknowledged, done, again, self._may_forget)
        return Outcome(
            kills=len(self.deaths),
            refused=self.customers.refused,
            executions=len(done),
            repeated=len(done) - len(STEPS) * self.plan.workflows,
            again=len(again),
            seconds=time.monotonic() - self._began,
            findings=audit(books),
        )

    def _may_forget(self, acknowledged: float) -> bool:
        """Was that shortly before a death? Or shortly after: whoever was told needs a moment to note it."""
        return self.kind.may_lose > 0 and any(abs(acknowledged - death) <= self.kind.may_lose for death in self.deaths)


def run(plan: Plan, show: Callable[[Progress], None] = lambda progress: None) -> Outcome:
    """One run on a server of its own. Raises Stuck."""
    kind = KINDS[plan.kind]
    with tempfile.TemporaryDirectory(prefix="pyworkflow-chaos-") as folder, kind.open() as server:
        return Run(plan, kind, server, Path(folder)).through(show)
