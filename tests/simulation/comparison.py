"""A backend beside the reference model: each rule does the same to both, then their histories must be the same."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pyworkflow.backend.model import Failed, Finished, ProcessFilter, Released, Wanted
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.invariants import check

from .choices import ANSWERS, DELAYS, DONE, ERRORS, IDS, OTHERS, PICK, POLICIES, REQUESTS, RESULTS, SAID, TICK
from .lines import canonical, line, made
from .reference import ACTIVITIES, ATTEMPTS, DECISION_TIMEOUT, WORKFLOW_TIMEOUT, Reference, Refused


class Comparison(RuleBasedStateMachine):
    """Each rule does the same to both; then their histories must be the same."""

    open_backend: Any
    cache_size = 1_000

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(1_000.0)
        self.stack = ExitStack()
        self.backend = self.stack.enter_context(self.open_backend(self.clock))
        self.model = Reference()
        self.model.now = self.clock.now
        self.decisions: list[Any] = []
        self.activities: list[Any] = []
        self.runs: dict[str, list[str]] = {}
        self.compared: dict[str, Any] = {}
        self.backend.register_workflow("W", "c", WORKFLOW_TIMEOUT, DECISION_TIMEOUT)
        for name, due in ACTIVITIES.items():
            times = [due.get(kind) for kind in ("SCHEDULE_TO_START", "START_TO_CLOSE", "HEARTBEAT")]
            self.backend.register_activity(name, name, *times, close_timeout=due.get("SCHEDULE_TO_CLOSE"))

    # -- both ----------

    def pass_time(self, seconds: float = TICK) -> None:
        self.clock.advance(seconds)
        self.model.now = self.clock.now

    def settle(self) -> None:
        for _ in range(2):
            assert not self.backend.exchange()
        self.model.settle()

    def both(self, real: Any, model: Any) -> Any:
        """Do the same to both; what the backend said, which must be refused where the model refuses it."""
        self.pass_time()
        try:
            expected, refusal = model(), None
        except Refused as error:
            expected, refusal = None, str(error)
        try:
            said = real()
        except tuple(ERRORS.values())[:2] + ERRORS["stale"] as error:
            assert refusal is not None and isinstance(error, ERRORS[refusal]), error
            said = None
        else:
            assert refusal is None, f"should be refused: {refusal}"
            assert expected is None or said == expected
        self.settle()
        return said

    # -- users ----------

    @rule(id=IDS, request=REQUESTS, policy=st.sampled_from(("fail", "use_existing", "terminate_existing")),
          timeout=st.sampled_from((WORKFLOW_TIMEOUT, WORKFLOW_TIMEOUT, 7.0)), signal=st.booleans())  # fmt: skip
    def start(self, id, request, policy, timeout, signal):
        self.both(
            lambda: self.backend.start_process(
                Process("W", id), request_id=request, if_running=policy, timeout=timeout,
                signal=Signal("s") if signal else None,
            ) and None,
            lambda: self.model.start(id, request, policy, timeout, request if signal else ""),
        )  # fmt: skip

    @rule(id=OTHERS, request=REQUESTS)
    def signal(self, id, request):
        self.both(lambda: self.backend.signal_process(id, "s", request_id=request),
                  lambda: self.model.signal(id, request))  # fmt: skip

    @rule(id=OTHERS)
    def cancel(self, id):
        self.both(lambda: self.backend.cancel_process(id), lambda: self.model.cancel(id))

    @rule(id=OTHERS, policy=st.one_of(st.none(), POLICIES))
    def terminate(self, id, policy):
        self.both(lambda: self.backend.terminate_process(id, child_policy=policy),
                  lambda: self.model.terminate(id, policy or ""))  # fmt: skip

    @rule(id=OTHERS)
    def resume(self, id):
        self.both(lambda: self.backend.resume_process(id), lambda: self.model.resume(id))

    # -- workers ----------

    @rule()
    def take_decision(self):
        self.pass_time()
        self.settle()
        task = self.backend.poll_decision_task("c")
        self.take([task] if task else [], [], 1, 0)

    @rule(kind=st.sampled_from(("A", "B")))
    def take_activity(self, kind):
        self.pass_time()
        self.settle()
        task = self.backend.poll_activity_task(kind)
        if task is None:
            assert not self.model.executable(kind)
        else:
            self.take([], [task], 0, 1)

    def take(self, decisions, activities, decisions_wanted, activities_wanted):
        """The model gives out what the backend gave, in the order of the tokens."""
        tasks = sorted([*decisions, *activities], key=lambda task: self.numbers(task)[-1])
        for task in tasks:
            id, _, *numbers = self.numbers(task)
            if len(numbers) == 1:
                assert id in self.model.decidable()
                assert self.model.take(id) == numbers[0]
                self.decisions.append(task)
            else:
                assert (id, numbers[0]) in self.model.executable(task.activity)
                assert self.model.begin(id, numbers[0]) == numbers[1]
                self.activities.append(task)
        if len(decisions) < decisions_wanted:
            assert not self.model.decidable()
        if len(activities) < activities_wanted:
            assert not self.model.executable("A") | self.model.executable("B")

    def numbers(self, task) -> tuple[Any, ...]:
        """Process, number of the run, and the numbers of a token."""
        id, run, *numbers = task.token.split(":")
        runs = self.runs.setdefault(id, [])
        if run not in runs:
            known = self.backend.list_processes(ProcessFilter(status="all", id=id)).processes
            runs[:] = [str(process.run) for process in reversed(known)]
        return (id, runs.index(run), *map(int, numbers))

    def hand_in(self, task, how: str, *what: Any) -> None:
        """A worker hands in a task; whatever else is due is done before."""
        outcome, model = self.outcome(how, *what)

        def real() -> None:
            for _, error in self.backend.exchange([Finished(task, outcome)]).refused:
                raise error

        def expected() -> None:
            self.model.settle()
            model(*self.numbers(task), *what)

        self.both(real, expected)

    @precondition(lambda self: self.decisions)
    @rule(pick=PICK, decisions=ANSWERS, keep=st.integers(0, 9))
    def answer(self, pick, decisions, keep):
        task = self.pick(self.decisions, pick, keep)
        self.hand_in(task, "answer", decisions)

    @precondition(lambda self: self.decisions)
    @rule(pick=PICK, keep=st.integers(0, 9))
    def fail_decision(self, pick, keep):
        task = self.pick(self.decisions, pick, keep)
        self.hand_in(task, "fail")

    @precondition(lambda self: self.decisions)
    @rule(pick=PICK, delay=DELAYS, keep=st.integers(0, 9))
    def release_decision(self, pick, delay, keep):
        task = self.pick(self.decisions, pick, keep)
        self.hand_in(task, "release", delay)

    @precondition(lambda self: self.activities)
    @rule(pick=PICK, how=st.sampled_from(tuple(RESULTS)), keep=st.integers(0, 9))
    def finish(self, pick, how, keep):
        task = self.pick(self.activities, pick, keep)
        self.hand_in(task, "finish", how)

    @precondition(lambda self: self.activities)
    @rule(pick=PICK, delay=DELAYS, keep=st.integers(0, 9))
    def hand_back(self, pick, delay, keep):
        task = self.pick(self.activities, pick, keep)
        self.hand_in(task, "hand back", delay)

    @precondition(lambda self: self.activities)
    @rule(pick=PICK)
    def heartbeat(self, pick):
        task = self.pick(self.activities, pick, 0)
        self.both(lambda: self.backend.heartbeat_activity_task(task),
                  lambda: self.model.heartbeat(*self.numbers(task)))  # fmt: skip

    def pick(self, held: list[Any], pick: int, keep: int) -> Any:
        """One of the tasks that are held; kept, it will be stale the next time."""
        return held[pick % len(held)] if keep == 0 else held.pop(pick % len(held))

    @precondition(lambda self: self.decisions or self.activities)
    @rule(said=SAID, done=DONE, then=st.one_of(st.none(), SAID), wanted=st.integers(0, 3))
    def work(self, said, done, then, wanted):
        """A whole turn: what is finished is handed in, decided on at once (`then`), and the next tasks are taken."""
        self.pass_time()
        self.settle()
        held = [(tasks.pop(), word) for tasks, word in ((self.activities, done), (self.decisions, said)) if tasks]
        finished, stale = [], []
        for task, (how, *what) in held:
            outcome, call = self.outcome(how, *what)
            finished.append(Finished(task, outcome))
            try:
                call(*self.numbers(task), *what)
            except Refused:
                stale.append(finished[-1])
        got = self.backend.exchange(
            finished,
            decisions=Wanted(("c",), wanted),
            activities=Wanted(("A", "B"), wanted),
            decide=then and (lambda task: self.decide_on_the_way(task, *then)),
        )
        assert [item for item, _ in got.refused] == stale
        self.take(got.decisions, got.activities, wanted - got.decided, wanted)
        self.settle()

    def decide_on_the_way(self, task, how: str, *what: Any) -> Any:
        id, _, started = numbers = self.numbers(task)
        assert id in self.model.decidable()
        assert self.model.take(id) == started
        outcome, call = self.outcome(how, *what)
        call(*numbers, *what)
        return outcome

    def outcome(self, how: str, *what: Any) -> tuple[Any, Any]:
        """What a worker says, and the model's word for it."""
        return {
            "answer": lambda: ([made(it) for it in what[0]], self.model.answer),
            "fail": lambda: (Failed("r", attempts=ATTEMPTS), self.model.fail),
            "release": lambda: (Released(what[0]), self.model.release),
            "finish": lambda: (RESULTS[what[0]], self.model.finish),
            "hand back": lambda: (Released(what[0]), self.model.hand_back),
        }[how]()

    # -- the clock ----------

    @rule(seconds=st.sampled_from((0.5, 2.0, 5.0, 20.0)))
    def advance(self, seconds):
        """Time passes, and everything happens when it is due."""
        until = self.clock.now + seconds
        while (due := self.model.next_due()) is not None and due < until:
            self.pass_time(max(0.0, due - self.clock.now))
            self.settle()
        self.pass_time(until - self.clock.now)
        self.settle()

    @rule(seconds=st.sampled_from((3.0, 11.0)))
    def sleep(self, seconds):
        """Time passes and nobody looks."""
        self.pass_time(seconds)

    # -- the comparison ----------

    @invariant()
    def same_histories(self) -> None:
        for id, process in self.model.processes.items():
            run = process.runs[-1]
            state = (self.backend.store.read(id), len(process.runs), len(run.log))
            if self.compared.get(id) == state:
                continue
            self.compared[id] = state
            found = [(event.datetime.timestamp(), line(event)) for event in self.backend.history(id)]
            wanted = [(round(time, 4), text) for time, text in canonical(run.log)]
            assert [(round(time, 4), text) for time, text in canonical(found)] == wanted, id
            shown = self.backend.describe_process(id)
            assert shown.process.status == run.status
            assert shown.decision == (run.state if run.open else "idle")
            assert sorted(work.id for work in run.activities.values()) == sorted(it.id for it in shown.activities)
            assert sorted(shown.timers) == sorted(run.timers)
            assert sorted(shown.children) == sorted(child[0] for child in run.children.values())

    @invariant()
    def same_processes(self) -> None:
        wanted = sum(len(process.runs) for process in self.model.processes.values())
        assert self.backend.count_processes(ProcessFilter(status="all")) == wanted

    def teardown(self) -> None:
        with self.stack:
            check(self.backend.store)
