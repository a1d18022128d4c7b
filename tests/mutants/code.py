"""The bugs that are planted in workflows as code."""

from __future__ import annotations

from .table import Mutant

C = "pyworkflow/code"
REPLAY = ("tests/code/test_code_replay.py",)
ASYNC = ("tests/code/test_code_async.py",)
SYNC = ("tests/code/test_code_sync.py",)
CHANGES = ("tests/code/test_code_changes.py",)
OUTSIDE = ("tests/code/test_code_outside.py",)
RETRY = ("tests/code/test_code_retry.py",)

MUTANTS = [
    Mutant(
        "code-trusts-its-past",
        f"{C}/replay.py",
        "or not same_events(self._last, history[first : self._seen])",
        "",
        REPLAY,
    ),
    Mutant(
        "code-ignores-its-answer",
        f"{C}/replay.py",
        "if not self._decided(answer):",
        "if False:",
        (*REPLAY, "tests/code/test_code_resetting.py"),
    ),
    Mutant(
        "code-follows-void-attempts",
        f"{C}/turns.py",
        "            if not found and at:\n                return None\n",
        "",
        REPLAY,
    ),
    Mutant(
        "code-may-miss-decisions",
        f"{C}/turns.py",
        "missing = [decision for decisions in left.values() for decision in decisions if not _is_patch(decision)]",
        "missing = []",
        CHANGES,
    ),
    Mutant(
        "code-may-ask-for-more", f"{C}/turns.py", "            extra.append(decision)\n", "            pass\n", CHANGES
    ),
    Mutant(
        "patches-are-always-new",
        f"{C}/course.py",
        "known = recorded is None or recorded.named(name) is not None",
        "known = True",
        CHANGES,
    ),
    Mutant(
        "tasks-in-any-order",
        f"{C}/tasks.py",
        "    def __hash__(self) -> int:\n        return self._number\n\n\nclass Future",
        "    def __hash__(self) -> int:\n        return id(self)\n\n\nclass Future",
        ("tests/code/test_code_programs.py",),
    ),
    Mutant(
        "no-limit-of-open-activities",
        f"{C}/calls.py",
        "if running is not None and running >= OPEN_AT_ONCE[kind]:",
        "if False:",
        ("tests/code/test_code_wide.py",),
    ),
    Mutant("canceled-at-once-is-asked-for", f"{C}/calls.py", "if command.turn == turn.number:", "if False:", ASYNC),
    Mutant(
        "handlers-are-not-awaited",
        f"{C}/live.py",
        "if self._at_once or not self._handling:",
        "if True:",
        OUTSIDE,
    ),
    Mutant(
        "results-before-signals",
        f"{C}/live.py",
        "            if type(event) is SignalEvent:\n",
        "            if False:\n",
        OUTSIDE,
    ),
    Mutant(
        "shared-results",
        f"{C}/convert.py",
        "        return type(value)(own(item) for item in value)\n",
        "        return value\n",
        ASYNC,
    ),
    Mutant(
        "inputs-may-change-later",
        f"{C}/convert.py",
        "    return _PAYLOADS.load(_PAYLOADS.dump(value))\n",
        "    return value\n",
        ASYNC,
    ),
    Mutant(
        "plain-code-runs-on",
        f"{C}/course.py",
        "        if self.stopped:\n            raise Suspended\n",
        "        if False:\n            raise Suspended\n",
        SYNC,
    ),
    Mutant(
        "plain-code-sees-the-future",
        f"{C}/rerun.py",
        "        self._pass_to(int(arrival))\n",
        "        self._pass_to(len(self._turns) - 1)\n",
        SYNC,
    ),
    Mutant("canceled-twice", f"{C}/rerun.py", "            self.canceled = True\n", "", SYNC),
    Mutant(
        "attempts-are-not-counted",
        "pyworkflow/retry.py",
        "again.input = {_ATTEMPT: attempt + 1,",
        "again.input = {_ATTEMPT: attempt,",
        RETRY,
    ),
    Mutant(
        "heartbeats-are-forgotten",
        "pyworkflow/retry.py",
        "        heartbeat = result.details\n",
        "        pass\n",
        RETRY,
    ),
    Mutant(
        "the-same-chance-after-a-reset",
        f"{C}/course.py",
        "return self._seeds[self.resets]",
        "return self._seeds[0]",
        ("tests/code/test_code_resetting.py",),
    ),
]
