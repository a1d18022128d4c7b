"""Plain workflow code: it is run again from its start, with the results that are known, until it needs another one.

One run passes through all turns of the history. A cursor tells in which turn the code is: it moves on only when the
code waits, to the turn in which what it waits for came. So each decision falls into the turn in which it was made
first, and the time, signals and whatever is known by then are the same each time.
"""

from __future__ import annotations

import inspect
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from ..decision import CancelTimer, Decision, RecordMarker, Timer
from ..events import CancelRequestedEvent, DecisionRefusedEvent, Event, ProcessResetEvent, SignalEvent
from ..exceptions import DecisionRefused, PayloadError
from ..process import ProcessCanceled
from ..retry import short_id
from .commands import DECISION_KEYS, EVENT_KEYS, OPEN_AT_ONCE, Key, Life, describe, timer_life
from .convert import shape_of, snapshot
from .course import Continued, Course, Suspended, logger
from .tasks import Place
from .turns import Recorded, Step, Turn

T = TypeVar("T")
NEVER = float("inf")
_LEFT_FREE = {"schedule_activity": 1}
"""Each activity may be pausing between two attempts: then there is room for the one timer of the code itself."""


class SyncCall:
    """What was asked for: `arrival` is the turn in which it was over (NEVER: it is not)."""

    __slots__ = ("arrival", "asked", "error", "id", "read", "value")

    def __init__(self, id: str) -> None:
        self.id = id
        self.arrival: float = NEVER
        self.value: Any = None
        self.error: BaseException | None = None
        self.asked = self.read = False

    def set(self, arrival: float, value: Any = None, error: BaseException | None = None) -> None:
        self.arrival, self.value, self.error = arrival, value, error


class Rerun(Course):
    """Plain code. Handlers of signals are called when the cursor comes to the turn that brought the signal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turns: list[Turn] = []
        self._answers: defaultdict[Key, list[tuple[int, Event]]] = defaultdict(list)
        self._signals: defaultdict[str | None, list[int]] = defaultdict(list)
        self._cancel: tuple[int, Any] | None = None
        self._reset()

    def _reset(self) -> None:
        self.workflow = self.run(partial(self.cls._code.made, self))
        self.ending = None
        self.place = Place("")
        self.cursor = self.resets = 0
        self.calls: list[SyncCall] = []
        self.unread.clear()
        self.canceled = False
        self._patches = {}
        self.stopped = False
        self._used: defaultdict[Key, int] = defaultdict(int)
        self._busy: defaultdict[str, list[float]] = defaultdict(list)

    def go(self, steps: Sequence[tuple[Step, Recorded | None]]) -> list[Decision]:
        for step, recorded in steps:
            self._turns.append(self.next_turn(len(self._turns) + 1, step, recorded))
            self._note(len(self._turns) - 1, step.news)
        if self._turns:
            self._reset()
            for turn in self._turns:
                turn.decided, turn.sources = [], None
            copy_context().run(self.run, self._run)  # What it sets in there is not for the next run to see.
            self._check()
        return self.turn.to_record

    def _note(self, number: int, news: Sequence[Event]) -> None:
        """Which turn brought what."""
        for event in news:
            key = EVENT_KEYS.get(type(event))
            if key is not None:
                self._answers[key(event)].append((number, event))
            elif isinstance(event, SignalEvent):
                self._signals[event.signal.name].append(number)
                self._signals[None].append(number)
            elif isinstance(event, DecisionRefusedEvent) and type(event.decision) in DECISION_KEYS:
                self._answers[DECISION_KEYS[type(event.decision)](event.decision)].append((number, event))
            elif isinstance(event, CancelRequestedEvent) and self._cancel is None:
                self._cancel = (number, event.details)

    def _run(self) -> None:
        self.turn = self._turns[0]
        self._until_suspended(self._from_start)
        while self.error is None:
            if self.ending is not None:
                self.stopped = False
                self.decide(self.ending)  # Where it was refused, because of what had come, it is decided once more.
            if self.cursor + 1 == len(self._turns):
                break
            self._until_suspended(partial(self._pass_to, self.cursor + 1))

    def _until_suspended(self, call: Callable[[], None]) -> None:
        with suppress(Suspended):
            call()

    def _from_start(self) -> None:
        """Run the code. There is no end where it cannot go on yet, or where a handler has ended it."""
        self._hear()
        try:
            result = self.cls._code.call(self)
        except BaseException as error:
            if self.stopped or self.error is not None:
                raise Suspended from None
            self.ending = self.end_of(error)
        else:
            if inspect.iscoroutine(result):
                result.close()
                raise TypeError(
                    f"{self.process.workflow} has returned a coroutine, but is no async function: if a decorator hides "
                    "that it is one, let that use functools.wraps"
                )
            if not self.stopped:
                self.ending = self.completion(result)

    def _handle(self, call: Callable[[], Any]) -> Any:
        """Call a handler. What it raises is not for `run` to catch, which only happened to wait."""
        try:
            return call()
        except (Exception, Continued) as error:
            try:
                self.ending = self.end_of(error)
            except BaseException as bug:
                self.error = bug
            self.stopped = True
            raise Suspended from None

    def _check(self) -> None:
        error = self.error
        for turn in self._turns:
            error = error or self.mismatch(turn)
        if error is not None:
            raise error

    # -- the cursor ----------

    def wait_until(self, arrival: float) -> None:
        """Go to the turn that brought what the code waits for. Raises Suspended, ProcessCanceled."""
        self.check()
        if arrival <= self.cursor:
            return
        if self._cancel is not None and not self.canceled and self._cancel[0] <= arrival:
            self.canceled = True
            self._pass_to(max(self._cancel[0], self.cursor))
            raise ProcessCanceled(self._cancel[1])
        if arrival == NEVER:
            self._pass_to(len(self._turns) - 1)
            self.at_rest()
            self.stopped = True
            raise Suspended
        self._pass_to(int(arrival))

    def _pass_to(self, number: int) -> None:
        while self.cursor < number:
            self.cursor += 1
            self.turn = self._turns[self.cursor]
            self._hear()

    def next_signal(self, name: str | None) -> float:
        """The next turn that brings a signal of a name, of any where it is None."""
        turns = self._signals[name]
        index = bisect_right(turns, self.cursor)
        return turns[index] if index < len(turns) else NEVER

    def _hear(self) -> None:
        for event in self.turn.news:
            if isinstance(event, ProcessResetEvent):
                self.resets += 1
            elif isinstance(event, SignalEvent):
                name, data = event.signal.name, event.signal.data
                if (update := self.update_of(name, data)) is not None:
                    self._update(update, data)
                elif ("signal", name) in self.handlers:
                    self._signal(self.handlers["signal", name][0], data)
                else:
                    self.unread[name].append(data)

    def _signal(self, method: str, data: Any) -> None:
        try:
            arguments = shape_of(getattr(self.cls, method), 1).heard(data)
        except PayloadError as error:  # Whoever sent it made the mistake; the process need not suffer.
            logger.warning("process %r: a signal is ignored: %s", self.process.id, error)
            return
        result = self._handle(partial(getattr(self.workflow, method), *arguments.args, **arguments.kwargs))
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError(f"{self.cls.__name__}.{method} is async, but {self.cls.__name__}.run is not: make both so")

    def _update(self, name: str, data: Any) -> None:
        method, validator = self.handlers["update", name]
        try:
            arguments = shape_of(getattr(self.cls, method), 1).arguments(data["input"])
            if validator is not None:
                validator(self.workflow, *arguments.args, **arguments.kwargs)
            answer = {"result": snapshot(getattr(self.workflow, method)(*arguments.args, **arguments.kwargs))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        self.decide(RecordMarker(f"update-{data['id']}", answer))

    # -- commands ----------

    def trace(self, kind: str, call: SyncCall, life: Life, at: float | None = None) -> SyncCall:
        """Follow something that is asked for in turn `at` (in this one where None) as far as the history goes."""
        self.check()
        turn = self._room(kind, self.cursor if at is None else at)
        if turn == NEVER:
            return call
        how: Callable[[Any], Decision | None] = life.send
        what: Any = None
        key: Key = ()
        while True:
            try:
                decision = how(what)
            except StopIteration as stop:
                call.set(turn, stop.value)
                break
            except Exception as error:
                call.set(turn, None, error)
                break
            if decision is not None:
                key = DECISION_KEYS[type(decision)](decision)
                self._decide_in(int(turn), decision)
                call.asked = True
            answer = self._next_answer(key)
            if answer is None:
                break
            turn, event = answer
            how, what = life.send, event
            if isinstance(event, DecisionRefusedEvent):
                how, what = life.throw, DecisionRefused(describe(event.decision), event.cause)
        if kind in OPEN_AT_ONCE:
            heappush(self._busy[kind], call.arrival)
        return call

    def _room(self, kind: str, turn: float) -> float:
        """The turn in which one more of a kind may be open."""
        busy = self._busy[kind]
        while busy and busy[0] <= turn:
            heappop(busy)
        if kind not in OPEN_AT_ONCE or len(busy) < OPEN_AT_ONCE[kind] - _LEFT_FREE.get(kind, 0):
            return turn
        return heappop(busy) if busy[0] != NEVER else NEVER

    def _next_answer(self, key: Key) -> tuple[int, Event] | None:
        answers, used = self._answers.get(key, ()), self._used[key]
        if used >= len(answers):
            return None
        self._used[key] = used + 1
        return answers[used]

    def _decide_in(self, number: int, decision: Decision) -> None:
        here, self.turn = self.turn, self._turns[number]
        self.decide(decision)
        self.turn = here

    def timer(self, seconds: float | None) -> SyncCall:
        """A timer; one that never fires where there are no seconds."""
        if seconds is None:
            return SyncCall("")
        call = SyncCall(short_id(f"{self.place.next()}-timer"))
        return self.trace("timer", call, timer_life(Timer(seconds, id=call.id)))

    def cancel_timer(self, timer: SyncCall) -> None:
        """Not needed any more, unless it fired in this turn or was never set."""
        if timer.arrival > self.cursor and timer.asked:
            self.decide(CancelTimer(timer.id))
            self._busy["timer"].remove(timer.arrival)
            heapify(self._busy["timer"])
