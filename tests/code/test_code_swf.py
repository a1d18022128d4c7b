"""Code on Amazon SWF: nothing but SWF's decisions and events is needed, and what it comes to is the same."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from pyworkflow import Manager, Process, ProcessContinued, Worker, workflow
from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.testing import VirtualClock
from tests.swf.inside import Inside

from .kept import workflows
from .test_code_outside import Basket, Part

WAYS: list[dict[str, Any]] = [{}, {"cache_size": 0}, {"always_replay": True}]


class Seconds:
    """A manager and a worker on a clock that goes by in seconds."""

    def __init__(self, on: str, flows: Any, **options: Any) -> None:
        self.clock = VirtualClock()
        self.swf = Inside(self.clock) if on == "swf" else None
        backend = MemoryBackend(self.clock) if self.swf is None else AmazonSWFBackend(domain="test", client=self.swf)
        self.manager = Manager(backend, flows)
        self.worker = Worker(self.manager, concurrency=2, **options)

    def close(self) -> None:
        self.manager.close()
        if self.swf is not None:
            self.swf.close()

    def work(self, seconds: int = 0) -> None:
        for second in range(seconds + 1):
            self.worker.run(burst=True)
            if second < seconds:
                self.clock.advance(1)

    def result(self, id: str, within: int = 100) -> Any:
        for _ in range(within):
            self.work(1)
            ended = self.manager.backend.wait_for_process(id, 0)
            if ended is not None and not isinstance(ended, ProcessContinued):
                break
        return self.manager.result(id, 0)


def everything(it: Seconds) -> list[Any]:
    """What tests/code/kept.py comes to; ids drawn by chance hang on the run."""
    it.manager.start_process(Process("AllOfIt", "all", 1))
    it.manager.start_process(Process("plainly", "plain", 3))
    it.work(15)
    for text in ("one", "two"):
        it.manager.signal_process("all", "note", text)
    it.manager.signal_process("all", "$update.renote", {"id": "an-update", "input": "three"})
    it.manager.signal_process("plain", "name", {"x": [1, None, 2.5]})
    it.work(10)
    it.manager.cancel_process("all", {"why": "enough"})
    it.work(1)
    it.manager.signal_process("all", "name", "Ada")
    told = it.result("all")
    assert uuid.UUID(told[7]).version == 4
    return [*told[:7], *told[8:], it.result("plain")]


@pytest.mark.parametrize("options", WAYS, ids=["kept", "cache-0", "always-replay"])
def test_everything_comes_to_the_same_on_swf(options: Any) -> None:
    with (
        closing(Seconds("swf", workflows, **options)) as on_swf,
        closing(Seconds("memory", workflows, **options)) as it,
    ):
        assert everything(on_swf) == everything(it)
        assert on_swf.manager.check("all") and on_swf.manager.check("plain")


@workflow
async def counts(ctx: Any, left: int) -> list[Any]:
    if left:
        ctx.continue_as_new(left - 1)
    return [await ctx.call_workflow(Part, "wheel"), ctx.patched("new")]


def check_basket(it: Seconds) -> None:
    it.manager.start_process(Process(Basket, "basket"))
    it.manager.signal_process("basket", "add", {"name": "tea"})
    it.work(3)
    assert it.manager.query("basket", "content") == ["tea"]
    it.manager.signal_process("basket", "order")
    assert it.result("basket") == ["tea"]
    assert it.manager.query("basket", "content", upper=True) == ["TEA"]


def check_runs(it: Seconds) -> None:
    it.manager.start_process(Process(counts, "c", 3))
    assert it.result("c") == ["wheel of c", True]


@pytest.mark.parametrize("check", [check_basket, check_runs])
def test_signals_queries_children_and_runs(check: Callable[[Seconds], None]) -> None:
    with closing(Seconds("swf", [Basket, counts, Part])) as it:
        check(it)
