"""The course of one run of a workflow's code, through the turns of its history: what both styles of code share."""

from __future__ import annotations

import hashlib
import logging
import random
import re
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..activity import ActivityFailed
from ..decision import (
    CancelProcess,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    RecordMarker,
)
from ..events import ProcessResetEvent
from ..exceptions import NotAllowedInWorkflow, NotDeterministic, PayloadError
from ..process import Process, ProcessCanceled
from ..retry import short_id
from .commands import describe
from .convert import own, snapshot
from .ends import PAYS, failure_of, first_of
from .guard import install, run_guarded
from .sources import asking
from .turns import Recorded, Step, Turn, contents, differences

if TYPE_CHECKING:
    from .workflows import CodeWorkflow

logger = logging.getLogger("pyworkflow.code")
UPDATE = "$update."
_FAILED = "pyworkflow.failed"
_ID = re.compile(r"[\w.-]{1,200}")


class Info(Struct, frozen=True):
    """What a process knows of itself; `events` is how long its history is by now."""

    workflow: str
    id: str
    run: str
    version: str
    parent: str | None
    tags: list[str]
    events: int


class Continued(BaseException):
    """Raised to end a run and start the next one."""

    def __init__(self, decision: ContinueAsNew) -> None:
        super().__init__("continued as new")
        self.decision = decision


class Suspended(GeneratorExit):
    """Raised in code that is not to go on: it needs what is not known yet, or nobody needs it any more.

    Python takes it, from a generator that it closes, for what it asked for.
    """


class Course:
    """One run of the code. `take` lets it see what is new; subclasses say how code is run."""

    def __init__(self, cls: type[CodeWorkflow], process: Process, traced: bool = False) -> None:
        install()
        self.cls = cls
        self.process = process
        self.traced = traced
        self.workflow = self.run(partial(cls._code.made, self))
        self.handlers = cls._code.handlers
        self.turn = Turn(0, datetime.fromtimestamp(0, UTC), [], None, 0)
        self.ending: Decision | None = None
        self.error: BaseException | None = None
        self.stopped = self._is_looked_at = False
        self.look: Callable[[], None] | None = None
        self.unread: defaultdict[str, deque[Any]] = defaultdict(deque)
        self._patches: dict[str, bool] = {}
        resets = [event for event in process.history if isinstance(event, ProcessResetEvent)]
        self._seeds = [*(f"{it.process_id}:{it.run}" for it in resets), f"{process.id}:{process.run}"]
        self.resets = 0

    def go(self, steps: Sequence[tuple[Step, Recorded | None]]) -> list[Decision]:
        """What the code decides on the news of the last step; with each goes what was decided then, where it was.

        Raises NotDeterministic where the code decides something else.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the code, which will not be run on."""
        self.stopped = True

    def at_rest(self) -> None:
        """The code is as far as it comes: who wants to look at it may, before its `finally` blocks are run."""
        look, self.look = self.look, None
        if look is not None:
            self._is_looked_at = True
            look()
            self._is_looked_at = False

    def check(self) -> None:
        """Raises Suspended where the code goes on though it should not: in a `finally`, or an `except`.

        Raises NotAllowedInWorkflow where it is only looked at.
        """
        if self.stopped:
            raise Suspended
        if self._is_looked_at:
            raise NotAllowedInWorkflow(
                "a query or validator only looks: ask for things in `run`, a signal or an update"
            )

    def next_turn(self, number: int, step: Step, recorded: Recorded | None) -> Turn:
        assert step.time is not None
        standing = Recorded(step.standing) if step.standing else None
        return Turn(number, step.time, step.news, recorded, step.number, standing=standing)

    # -- what code asks for ----------

    def decide(self, decision: Decision) -> int:
        """Add a decision to this turn's; its place among them."""
        self.check()
        decided = self.turn.decided
        decided.append(decision)
        if self.traced:
            self.turn.sources = {**(self.turn.sources or {}), id(decision): asking(Course.run.__code__)}
        return len(decided) - 1

    def known(self, id: str) -> Decision | None:
        """What the history has under this id as decided in this turn."""
        recorded = self.turn.recorded or self.turn.standing
        return None if recorded is None else recorded.named(id)

    def asked(self, id: str) -> Decision | None:
        """`known`, where it need not be made again to be compared."""
        recorded = self.turn.recorded
        return None if recorded is not None and recorded.exact else self.known(id)

    def noted(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` returned when it was called the only time, or the ActivityFailed it raised; a marker keeps it."""
        self.check()
        name = short_id(name)
        marker = self.known(name)
        if not isinstance(marker, RecordMarker):
            marker = RecordMarker(name, self._made(make)) if self.turn.recorded is None else RecordMarker(name)
        self.decide(marker)
        if self.turn.recorded is not None and self.known(name) is None:
            self.error = self.mismatch(self.turn)
            raise self.error or NotDeterministic(f"the history has no marker {name!r}")
        details = own(marker.details)
        if isinstance(details, dict) and _FAILED in details:
            raise ActivityFailed(**details[_FAILED])
        return details

    def _made(self, make: Callable[[], Any]) -> Any:
        """Any other error than ActivityFailed is a bug even where the code catches it: no marker would tell of it."""
        try:
            return snapshot(make())
        except ActivityFailed as failure:
            return snapshot({_FAILED: {"reason": failure.reason, "details": failure.details}})
        except Exception as error:
            error.add_note(
                "a step that raises is a bug, even where that is caught, but for ActivityFailed: catch it inside"
            )
            self.error = error
            raise

    def patched(self, id: str) -> bool:
        """Is this the new way? It is where the run came here for the first time with the new code."""
        known = self._patches.get(id)
        if known is None:
            self.check()
            recorded = self.turn.recorded
            name = short_id(f"patched-{id}")
            known = recorded is None or recorded.named(name) is not None
            self._patches[id] = known
            if known:
                self.decide(RecordMarker(name))
        return known

    def random(self, draw: str) -> random.Random:
        """A source of chance for one draw: the same for it each time."""
        return random.Random(f"{self._seed}:{draw}")

    def uuid(self, draw: str) -> uuid.UUID:
        """A UUID for one draw: the same for it each time."""
        digest = hashlib.sha256(f"{self._seed}:{draw}".encode()).digest()
        return uuid.UUID(bytes=digest[:16], version=4)

    def child_id(self, position: str, name: str) -> str:
        """The id of a child that was given none."""
        process, _, run = self._seed.partition(":")
        return short_id(f"{process}-{hashlib.sha256(run.encode()).hexdigest()[:8]}-{position}-{name}")

    @property
    def _seed(self) -> str:
        """What chance hangs on: the run; where it was reset, up to there the run that this happened in."""
        return self._seeds[self.resets]

    @property
    def info(self) -> Info:
        it = self.process
        version = it.version or self.cls.version
        return Info(str(it.workflow), str(it.id), str(it.run), version, it.parent, list(it.tags), self.turn.events)

    @property
    def replaying(self) -> bool:
        """Has all of this happened before?"""
        return self.turn.recorded is not None

    def run(self, call: Callable[[], Any]) -> Any:
        """Call with the guard on, where the workflow does not do without."""
        return run_guarded(call, self.cls.__module__) if self.cls.guard else call()

    def update_of(self, signal: str, data: Any) -> str | None:
        """The name of the update that a signal asks for. What only looks like one is ignored, whoever sent it."""
        name = signal.removeprefix(UPDATE)
        if name == signal or ("update", name) not in self.handlers:
            return None
        id = data.get("id") if isinstance(data, dict) and "input" in data else None
        if isinstance(id, str) and _ID.fullmatch(id):
            return name
        if not self.replaying:
            logger.warning("process %r: a signal %r is ignored: it is no update", self.process.id, signal)
        return None

    # -- how it ends ----------

    def end_of(self, error: BaseException, canceled: Any = None) -> Decision:
        """The decision that ends a process whose code raised. Raises the error itself where it is a bug."""
        if isinstance(error, BaseExceptionGroup):  # Of a TaskGroup: whatever else failed in it comes first.
            continued, others = error.split(Continued)
            error = first_of(continued) if continued is not None and others is None else others or error
        if isinstance(error, Continued):
            left = [name for name, unread in self.unread.items() if unread]
            if left and not self.replaying:
                logger.warning("process %r continues as new; not read: signals %s", self.process.id, ", ".join(left))
            return error.decision
        if isinstance(error, ProcessCanceled) and not hasattr(error, "of"):
            return CancelProcess(error.details)
        pays = (*PAYS, *self.cls.failures)
        if isinstance(error, pays):
            return failure_of(error)
        if isinstance(error, ExceptionGroup) and error.split(lambda it: isinstance(it, pays))[1] is None:
            return failure_of(first_of(error))
        raise error

    def completion(self, result: Any) -> Decision:
        """The decision that ends a process whose code returned."""
        try:
            return CompleteProcess(snapshot(result))
        except PayloadError as error:
            raise PayloadError(f"the result of {self.process.workflow}: {error}") from None

    # -- what is compared ----------

    def mismatch(self, turn: Turn) -> NotDeterministic | None:
        """The error that says how a turn differs from what the history has; None where it does not."""
        if turn.recorded is None or turn.as_recorded:
            return None
        found = list(differences(turn.recorded, turn.decisions))
        if not found:
            return None
        event = f" (from event {turn.recorded.first_event})" if turn.recorded.first_event else ""
        lines = [
            f"process {self.process.id!r}: the code of {self.process.workflow} does not do what its history says it "
            f"did in turn {turn.number}{event}:"
        ]
        for expected, actual in found:
            source = (turn.sources or {}).get(id(actual), "") if actual is not None else self.whereabouts()
            alike = describe(expected) == describe(actual)
            lines.append(f"- history: {describe(expected)}{_with(expected) if alike else ''}")
            lines.append(f"+ code:    {describe(actual)}{_with(actual) if alike else ''}{source}")
        lines.append(
            "Let processes that have begun go the old way: "
            "`if ctx.patched('a-name'): …the new way… else: …the old way…`, then resume this one."
        )
        return NotDeterministic("\n".join(lines))

    def whereabouts(self) -> str:
        """Where the code waits, for messages."""
        return ""


def _with(decision: Decision | None) -> str:
    """What a decision hands over, for messages."""
    return "" if decision is None else f" with {contents(decision).decode()[1:-1][:200]}"
