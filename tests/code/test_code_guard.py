"""What gives another answer each time raises in workflow code, with a hint; elsewhere nothing is different."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import socket
import subprocess
import sysconfig
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow import CodeWorkflow, Context, NotAllowedInWorkflow, Process, SyncContext, activity, workflow

from .conftest import Environment

FORBIDDEN: dict[str, tuple[Callable[[], Any], str]] = {
    "time": (lambda: time.time(), r"time\.time\(\) in workflow code.*ctx\.now\(\)"),
    "monotonic": (lambda: time.monotonic(), r"ctx\.now\(\)"),
    "sleep": (lambda: time.sleep(0), r"ctx\.sleep\("),
    "random": (lambda: random.random(), r"ctx\.random"),
    "choice": (lambda: random.choice([1]), r"ctx\.random"),
    "perf_counter": (lambda: time.perf_counter(), r"ctx\.now\(\)"),
    "process_time": (lambda: time.process_time(), r"ctx\.now\(\)"),
    "expovariate": (lambda: random.expovariate(1), r"ctx\.random"),
    "localtime": (lambda: time.localtime(), r"ctx\.now\(\).*hand it over"),
    "strftime": (lambda: time.strftime("%Y"), r"ctx\.now\(\)"),
    "Random": (lambda: random.Random().random(), r"Random\(\) in workflow code.*ctx\.random is one"),
    "SystemRandom": (lambda: random.SystemRandom(1).random(), r"ctx\.random"),
    "seed": (lambda: random.seed(1), r"ctx\.random"),
    "urandom": (lambda: os.urandom(1), r"os\.urandom\(\).*ctx\.random"),
    "token_hex": (lambda: secrets.token_hex(), r"ctx\.random"),
    "uuid4": (lambda: uuid.uuid4(), r"ctx\.uuid4\(\)"),
    "socket": (lambda: socket.socket(), r"socket\(\) in workflow code.*an activity"),
    "urlopen": (lambda: urllib.request.urlopen("http://127.0.0.1:9/"), "an activity"),
    "Popen": (lambda: subprocess.run(["true"]), "an activity"),
    "Thread": (lambda: threading.Thread(target=print).start(), "activities instead"),
    "to_thread": (lambda: asyncio.get_running_loop().run_in_executor(None, print), "run_in_executor does not work"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_forbidden_raises_with_a_hint(name: str, environment: Environment) -> None:
    call, hint = FORBIDDEN[name]

    @workflow
    async def flow(ctx: Context) -> str:
        try:
            call()
        except NotAllowedInWorkflow as error:
            return str(error)
        return "it was allowed"

    import re

    told = environment(flow).run(Process(flow))
    assert re.search(hint, told), told


def test_what_is_given_what_it_would_look_for_is_allowed(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> list[Any]:
        at = ctx.now().timestamp()
        year = time.strftime("%Y", time.gmtime(at))
        return [
            year == f"{ctx.now():%Y}",
            random.Random(7).random() == random.Random(x=7).random(),
            ctx.random.random(),
        ]

    assert environment(flow).run(Process(flow))[:2] == [True, True]


def test_plain_code_is_guarded_too(environment: Environment) -> None:
    @workflow
    def flow(ctx: SyncContext) -> float:
        return time.time()

    with pytest.raises(NotAllowedInWorkflow):
        environment(flow).run(Process(flow))


def test_a_workflow_of_an_installed_package_is_guarded(environment: Environment) -> None:
    source = "import time\nasync def flow(ctx): return time.time()\n"
    space: dict[str, Any] = {"__name__": "its_shop.flows"}
    exec(compile(source, f"{sysconfig.get_paths()['purelib']}/its_shop/flows.py", "exec"), space)
    flow = workflow(space["flow"])
    assert flow.__module__ == "its_shop.flows"
    with pytest.raises(NotAllowedInWorkflow):
        environment(flow).run(Process(flow))


def test_there_are_ways_around_it(environment: Environment) -> None:
    class Free(CodeWorkflow):
        guard = False

        async def run(self, ctx: Context) -> bool:
            return time.time() > 0

    @workflow
    async def flow(ctx: Context) -> list[bool]:
        with ctx.unguarded():
            first = time.time() > 0
        second = ctx.side_effect(lambda: random.random()) < 1
        try:
            time.time()
        except NotAllowedInWorkflow:
            return [first, second]
        return []

    env = environment(flow, Free)
    assert env.run(Process(flow)) == [True, True]
    assert env.run(Process(Free)) is True


def test_activities_and_everything_else_are_free(environment: Environment) -> None:
    @activity
    def look() -> bool:
        return time.time() > 0 and random.random() < 1 and isinstance(uuid.uuid4(), uuid.UUID)

    @workflow(activities=[look])
    async def flow(ctx: Context) -> bool:
        logging.getLogger("somebody").warning("logging looks at the clock")
        return bool(await ctx.call(look))

    assert environment(flow).run(Process(flow)) is True
    assert time.time() > 0 and random.random() < 1
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()
    with socket.socket() as free:
        assert free.fileno() > 0


def test_chance_is_the_same_each_time_and_different_from_process_to_process(environment: Environment) -> None:
    drawn: dict[str, list[Any]] = {}

    @activity
    def rest() -> None:
        """Nothing."""

    @workflow(activities=[rest])
    async def flow(ctx: Context) -> list[Any]:
        draws = [ctx.random.random(), ctx.random.random(), str(ctx.uuid4()), str(ctx.uuid4())]
        drawn.setdefault(ctx.info.id, list(draws))
        assert drawn[ctx.info.id] == draws
        await ctx.call(rest)
        draws.append(str(ctx.uuid4()))
        return draws

    env = environment(flow)
    one, two = env.run(Process(flow, "one")), env.run(Process(flow, "two"))
    assert len({*one, *two}) == 10
    assert uuid.UUID(one[2]).version == 4


def test_a_draw_more_does_not_change_those_after_the_next_step(environment: Environment) -> None:
    from pyworkflow.code.tasks import Place

    place = Place("2.")
    names = [place.draw(), place.draw(), place.next(), place.draw()]
    assert names == ["2.0#1", "2.0#2", "2.1", "2.1#1"]


def test_logs_say_things_once(environment: Environment, caplog: pytest.LogCaptureFixture) -> None:
    @activity
    def rest() -> None:
        """Nothing."""

    @workflow(activities=[rest])
    async def flow(ctx: Context) -> None:
        for number in range(3):
            ctx.logger.info("step %s", number)
            await ctx.call(rest)

    with caplog.at_level(logging.INFO, "pyworkflow.workflow"):
        environment(flow).run(Process(flow, "p"))
    records = [record for record in caplog.records if record.name == "pyworkflow.workflow"]
    assert [record.getMessage() for record in records] == ["step 0", "step 1", "step 2"]
    assert {record.__dict__["process_id"] for record in records} == {"p"}


def test_code_runs_in_the_callers_thread(environment: Environment) -> None:
    threads = set()

    @workflow
    async def flow(ctx: Context) -> None:
        threads.add(threading.current_thread().name)
        await ctx.sleep(1)

    environment(flow).run(Process(flow))
    assert threads == {threading.current_thread().name}


def test_an_environment_works_inside_of_an_event_loop(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> int:
        await asyncio.sleep(5)
        return 7

    async def main() -> int:
        result = environment(flow).run(Process(flow))
        await asyncio.sleep(0)
        return int(result)

    assert asyncio.run(main()) == 7
