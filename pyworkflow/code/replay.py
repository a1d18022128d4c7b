"""Replay: code is brought to where the history of its process is, and goes on from there as long as that goes on."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from ..decision import Decision, RecordMarker
from ..defaults import CACHE_SIZE
from ..events import Event
from ..exceptions import NotDeterministic
from ..process import Process
from .course import Course
from .turns import Recorded, Step, differences, same_events, steps

if TYPE_CHECKING:
    from .workflows import CodeWorkflow


class Replay:
    """The code of one run, and what of its history it has seen.

    What it decided last may never have been recorded: a commit can be refused, a worker can be too late. So it goes on
    with a history that has exactly what it saw and decided only; with any other the code is run anew, from the start.
    """

    def __init__(self, cls: type[CodeWorkflow], process: Process, traced: bool = False) -> None:
        self.course: Course = cls._code.course(process, traced)
        self._seen = 0
        self._last: list[Event] = []

    def following(self, history: Sequence[Event]) -> list[Step] | None:
        """The steps after what it has seen, None where the history is another one."""
        first = self._seen - len(self._last)
        if len(history) <= self._seen or not same_events(self._last, history[first : self._seen]):
            return None
        found = steps(history, self._seen)
        if found is None:
            return None
        standing = self.course.turn.standing
        answer = found[0].answer.after(() if standing is None else standing.decisions)
        if not self._decided(answer):
            return None
        self.course.turn.recorded = answer
        return found

    def _decided(self, answer: Recorded) -> bool:
        """Is this what the code decided last, recorded values included?"""
        ours = self.course.turn.decisions
        return next(differences(answer, ours), None) is None and _notes(answer.decisions) == _notes(ours)

    def go_on(self, found: list[Step], history: Sequence[Event], answer: Recorded | None = None) -> list[Decision]:
        """What the code decides at the end of the history; `answer` is what it must be, where that is known.

        Raises NotDeterministic.
        """
        if found[-1].time is None and found[-1].news and not found[-1].answer:
            found[-1].time, found[-1].end = found[-1].news[-1].datetime, len(history)
            found.append(Step())  # A history made by hand, without the start of the decision.
        decisions = self.course.go(answered(found, answer))
        self._last, self._seen = list(history[found[-3].end if len(found) > 2 else self._seen :]), len(history)
        return decisions

    def go_back_to(self, found: list[Step], exact: bool = False) -> None:
        """Only what was decided already: the code as it was left, for questions. Raises NotDeterministic."""
        known = [(step, recorded) for step, recorded in answered(found, None) if recorded is not None]
        for _, recorded in known:
            recorded.exact = exact
        self.course.go(known)


def _notes(decisions: Sequence[Decision]) -> dict[str, Decision]:
    return {decision.name: decision for decision in decisions if isinstance(decision, RecordMarker)}


def answered(found: list[Step], last: Recorded | None) -> list[tuple[Step, Recorded | None]]:
    """Each step with the answer to it, which the next one has."""
    pairs: list[tuple[Step, Recorded | None]] = []
    for step, after in pairwise(found):
        known = after.time is not None or bool(after.answer)
        answer = after.answer if known else last
        pairs.append((step, None if answer is None else answer.after(step.standing)))
    return pairs


def check(cls: type[CodeWorkflow], process: Process, inputs: bool = False) -> None:
    """Does the code follow all that the history has, and ask with the same `inputs`, where these are to be compared?

    Raises NotDeterministic, with lines of code, where it does not.
    """
    try:
        _check(cls, process, inputs, False)
    except NotDeterministic:
        _check(cls, process, inputs, True)
        raise


def _check(cls: type[CodeWorkflow], process: Process, inputs: bool, traced: bool) -> None:
    replay = Replay(cls, process, traced)
    try:
        replay.go_back_to(steps(process.history) or [], inputs)
    finally:
        replay.course.close()


def replayed(
    cls: type[CodeWorkflow], process: Process, answer: Recorded | None = None
) -> tuple[Replay, list[Decision]]:
    """The code, run from the start of the history, and what it decides. Raises NotDeterministic, with lines of code."""
    try:
        return _replayed(cls, process, answer, False)
    except NotDeterministic:
        _replayed(cls, process, answer, True)
        raise


def _replayed(
    cls: type[CodeWorkflow], process: Process, answer: Recorded | None, traced: bool
) -> tuple[Replay, list[Decision]]:
    replay = Replay(cls, process, traced)
    found = steps(process.history)
    assert found is not None
    try:
        return replay, replay.go_on(found, process.history, answer)
    except BaseException:
        replay.course.close()
        raise


class Kept:
    """What a worker keeps of the code of processes, by run; `size` 0 keeps nothing.

    With `always_replay` each decision is checked by running the code again from the start.
    """

    def __init__(self, size: int = CACHE_SIZE, always_replay: bool = False) -> None:
        self.size = size
        self.always_replay = always_replay
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], Replay] = {}
        weakref.finalize(self, _close_all, self._kept).atexit = False  # A worker may be dropped without being stopped.

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, process: Process) -> Replay | None:
        """The code of a process, which nobody else has until it is put back."""
        return self._kept.pop((str(process.id), str(process.run)), None)

    def put(self, process: Process, replay: Replay) -> None:
        """Keep the code for the next decision; the one that was not used for longest may have to go."""
        if self.size == 0:
            replay.course.close()
            return
        dropped = []
        with self._lock:
            self._kept[str(process.id), str(process.run)] = replay
            while len(self._kept) > self.size:
                with suppress(KeyError, RuntimeError):
                    dropped.append(self._kept.pop(next(iter(self._kept))))
        for each in dropped:
            each.course.close()

    def clear(self) -> None:
        """Let go of all."""
        _close_all(self._kept)


def _close_all(kept: dict[tuple[str, str], Replay]) -> None:
    while kept:
        with suppress(KeyError):
            kept.popitem()[1].course.close()
