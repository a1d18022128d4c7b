"""What async code has asked for and is not over yet: a table of commands, and the futures that tell their ends."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..decision import Decision, Timer
from ..events import DecisionRefusedEvent, Event
from ..exceptions import DecisionRefused
from .commands import DECISION_KEYS, EVENT_KEYS, MESSAGES, OPEN_AT_ONCE, UNDO, Key, Life, describe
from .loop import Loop
from .tasks import Future

if TYPE_CHECKING:
    from .course import Course

T = TypeVar("T")
Settle = Callable[[Any, BaseException | None], None]


class Command:
    """Something asked for, until it is over: what it waits for, and whom to tell."""

    __slots__ = ("key", "kind", "life", "pending", "place", "settle", "turn")

    def __init__(self, kind: str, life: Life, settle: Settle) -> None:
        self.kind = kind
        self.life = life
        self.settle: Settle | None = settle
        self.pending: Decision | None = None
        self.key: Key | None = None
        self.turn = self.place = -1


class Calls:
    """The commands that are open, each under the key that its answer will have."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._open: dict[Key, list[Command]] = {}
        self._running: dict[str, int] = dict.fromkeys(OPEN_AT_ONCE, 0)
        self._held: dict[str, dict[Command, Callable[[], None]]] = {kind: {} for kind in OPEN_AT_ONCE}

    def begin(self, command: Command) -> None:
        """Ask for something; where SWF does not allow more of its kind at once, later."""
        self._when_room(command.kind, command, partial(self._go_on, command, command.life.send, None))

    def _when_room(self, kind: str, command: Command, then: Callable[[], None]) -> None:
        running = self._running.get(kind)
        if running is not None and running >= OPEN_AT_ONCE[kind]:
            self._held[kind][command] = then
            return
        if running is not None:
            self._running[kind] = running + 1
        then()

    def answer(self, event: Event) -> bool:
        """Go on with the command that an event is for; is it of a type that is for commands?"""
        key = EVENT_KEYS.get(type(event))
        waiting = None if key is None else self._open.get(key(event))
        if waiting:
            self._go_on(waiting[0], waiting[0].life.send, event)
        return key is not None

    def refuse(self, event: DecisionRefusedEvent) -> None:
        """Tell the command whose decision was refused."""
        key = DECISION_KEYS.get(type(event.decision))
        waiting = None if key is None else self._open.get(key(event.decision))
        if waiting:
            refused = waiting[0 if event.decision.type in MESSAGES else -1]
            self._go_on(refused, refused.life.throw, DecisionRefused(describe(event.decision), event.cause))

    def cancel(self, command: Command) -> None:
        """Take back what was asked for: as if it had never been, where that was in this turn.

        Otherwise it stays open, and nobody is told, until it is heard how it ended: only then there is room for
        another one, and what comes for it must not be taken for the answer of the next one that is asked for alike.
        """
        if command.settle is None:
            return
        command.settle = None
        if self._held.get(command.kind, {}).pop(command, None):
            return
        if self._held["timer"].pop(command, None) or self._is_gone(command):
            command.life.close()
            self._forget(command)
            self._make_room(command.kind)
        elif command.kind == "schedule_activity":
            command.life.close()  # No policy tries it again.

    def _is_gone(self, command: Command) -> bool:
        """Ask for the end of something; is it over with that?"""
        turn, pending = self._course.turn, command.pending
        if command.turn == turn.number:
            turn.decided[command.place] = None
            return True
        if pending is not None and type(pending) in UNDO:
            self._course.decide(UNDO[type(pending)](pending))
        return type(pending) is Timer

    def _go_on(self, command: Command, how: Callable[[Any], Decision | None], what: Any) -> None:
        try:
            decision = how(what)
        except StopIteration as stop:
            self._over(command, stop.value, None)
        except Exception as error:
            self._over(command, None, error)
        else:
            if decision is not None:
                self._forget(command)
                ask = partial(self._ask, command, decision)
                if type(decision) is Timer and command.kind != "timer":  # A pause between two attempts.
                    self._when_room("timer", command, ask)
                else:
                    ask()

    def _ask(self, command: Command, decision: Decision) -> None:
        command.pending, command.turn = decision, self._course.turn.number
        command.place = self._course.decide(decision)
        command.key = DECISION_KEYS[type(decision)](decision)
        self._open.setdefault(command.key, []).append(command)

    def _over(self, command: Command, value: Any, error: BaseException | None) -> None:
        self._forget(command)
        settle, command.settle = command.settle, None
        self._make_room(command.kind)
        if settle is not None:
            settle(value, error)

    def _make_room(self, kind: str) -> None:
        if kind in self._running:
            self._running[kind] -= 1
            held = self._held[kind]
            if held:
                command = next(iter(held))
                self._when_room(kind, command, held.pop(command))

    def _forget(self, command: Command) -> None:
        if command.key is not None:
            waiting = self._open[command.key]
            waiting.remove(command)
            if not waiting:
                del self._open[command.key]
            command.key = None
            if type(command.pending) is Timer and command.kind != "timer":
                self._make_room("timer")


class Call(Future[T], Coroutine[Any, Any, T]):
    """What was asked for: it may be awaited, canceled, or handed to asyncio's functions as a future or a coroutine.

    `id` is that of the activity, or of the child process.
    """

    def __init__(self, loop: Loop, calls: Calls, id: str, kind: str, life: Life) -> None:
        super().__init__(loop)
        self.id = id
        self._calls = calls
        self._command = Command(kind, life, self._settle)
        calls.begin(self._command)

    def cancel(self, msg: Any = None) -> bool:
        """Ask for its end, and wait for it no longer."""
        if not self.done():
            self._calls.cancel(self._command)
        return super().cancel(msg)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self.done():
            return
        if error is None:
            self.set_result(value)
        else:
            self.set_exception(error)

    def __await__(self) -> Generator[Any, None, T]:
        return super().__await__()

    def send(self, value: Any) -> Any:
        """Not for a call: it is awaited, and asyncio takes it as it is."""
        raise TypeError("a call is awaited; asyncio.create_task and TaskGroup take it as it is")

    def throw(self, *error: Any) -> Any:
        """Not for a call either."""
        return self.send(None)

    def close(self) -> None:
        """Cancel it, as a TaskGroup does with what it does not begin any more."""
        self.cancel()
