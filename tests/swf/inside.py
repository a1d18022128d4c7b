"""The endpoint as a client such as boto3's in the same program: botocore writes and reads, and no network is between.

Requests and histories are held against SWF's model. In virtual time, what is due is done before each question.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from pyworkflow.backend import Backend, Exchanged
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.engine.head import Limits
from pyworkflow.testing.concurrency import PATIENCE
from pyworkflow_blinker.wrapper import Wrapper
from pyworkflow_swfserver.app import App
from pyworkflow_swfserver.endpoint import Endpoint
from pyworkflow_swfserver.signing import Signatures

from .model import check, service

Json = dict[str, Any]
NEVER = Limits(refusals=10**9, timeouts=10**9)
"""SWF asks for ever."""
LONG_POLL, MOMENT = 0.02, 0.005


class Prompt(Wrapper):
    """In virtual time: what is due is done before each question, since nobody tells a server that time was moved.

    And it is done whole: no other thread has a letter in hand meanwhile, which SWF would deliver a moment later.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._one = threading.Lock()

    def exchange(self, *args: Any, timeout: float = 0.0, interrupt: str | None = None, **wanted: Any) -> Exchanged:
        with self._one:
            got = self.backend.exchange(*args, **wanted)
        if timeout and not got:
            threading.Event().wait(MOMENT)  # Whoever waits comes again.
        return got

    def _now(self) -> Backend:
        self.exchange()
        return self.backend

    def describe_process(self, process_or_id: Any) -> Any:
        return self._now().describe_process(process_or_id)

    def history(self, *args: Any) -> Any:
        return self._now().history(*args)

    def list_processes(self, *args: Any) -> Any:
        return self._now().list_processes(*args)

    def queues(self) -> Any:
        return self._now().queues()


class Inside:
    """A client whose methods are SWF's operations, with a domain `test`. `calls` are those that were made.

    `do` is what is done instead of an operation, by its name; a test may put something there.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.inner = Prompt(MemoryBackend(clock, limits=NEVER))
        self.calls: list[tuple[str, Json]] = []
        self.do: dict[str, Callable[..., Json]] = {}
        self.meta = mock.Mock(region_name="nowhere", endpoint_url="http://localhost")
        self.meta.config.read_timeout = 70
        self._writer, self._reader = create_serializer("json"), create_parser("json")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._app = self._wait(self._open())
        self.ask("register_domain", name="test", workflowExecutionRetentionPeriodInDays="30")

    def close(self) -> None:
        """Polls that are open are answered first."""
        self._wait(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __getattr__(self, name: str) -> Callable[..., Json]:
        if _operation(name) not in service().operation_names:
            raise AttributeError(name)

        def call(**parameters: Any) -> Json:
            self.calls.append((name, parameters))
            return self.do.get(name, lambda **about: self.ask(name, **about))(**parameters)

        return call

    def ask(self, name: str, /, **parameters: Any) -> Json:
        """The endpoint's answer. Raises ClientError."""
        model = service().operation_model(_operation(name))
        check(model.input_shape.name, parameters)
        request = self._writer.serialize_to_request(parameters, model)
        headers = {name.lower(): value for name, value in request["headers"].items()}
        body = request["body"]
        reply = self._wait(self._app.answer("/", headers, body.encode() if isinstance(body, str) else body))
        got: Json = self._reader.parse(
            {"headers": {}, "status_code": reply.status, "body": reply.body}, model.output_shape
        )
        if reply.status != 200:
            raise ClientError(got, model.name)
        for event in got.get("events", ()):
            check("HistoryEvent", event)
        return got

    def events(self, id: str, run: str) -> list[Json]:
        """The history of a run."""
        execution = {"workflowId": id, "runId": run}
        found = self.ask("get_workflow_execution_history", domain="test", execution=execution, maximumPageSize=1_000)
        return list(found["events"])

    def status(self, kind: str, name: str) -> str:
        """Whether a type is registered or deprecated."""
        about = {"domain": "test", f"{kind}Type": {"name": name, "version": "1.0"}}
        return str(self.ask(f"describe_{kind}_type", **about)["typeInfo"]["status"])

    async def _open(self) -> App:
        app = App(Endpoint(self.inner), Signatures({}), LONG_POLL)
        app.start()
        return app

    async def _finish(self) -> None:
        await self._app.stop()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)


def _operation(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def fault(code: str, error: Exception, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": str(error)}}, operation)
