"""The backend suite through the endpoint: AmazonSWFBackend, HTTP, the endpoint, and a backend behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest

from pyworkflow.backend import Backend
from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.engine.head import Limits
from pyworkflow_blinker.wrapper import Wrapper
from pyworkflow_swfserver import serving
from tests.servers.moto import KEYS
from tests.swf.benches import Kept, OnAmazonSWF
from tests.swf.gaps import difference_for


class Prompt(Wrapper):
    """In virtual time: what is due is done before each question, since nobody tells a server that time was moved."""

    def _now(self) -> Backend:
        self.backend.exchange()
        return self.backend

    def describe_process(self, process_or_id: Any) -> Any:
        return self._now().describe_process(process_or_id)

    def history(self, *args: Any) -> Any:
        return self._now().history(*args)

    def list_processes(self, *args: Any) -> Any:
        return self._now().list_processes(*args)

    def queues(self) -> Any:
        return self._now().queues()


class ThroughTheEndpoint(OnAmazonSWF):
    """`make_inner` makes the backend that the endpoint serves."""

    session = boto3.session.Session()

    def make_inner(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _difference(self, request: pytest.FixtureRequest) -> None:
        why = difference_for(request)
        if why is None and request.function.__name__ in POLICIES and "ABANDON" not in request.node.name:
            why = "on SWF an execution has one policy for all of its children, which its own start says"
        if why is not None:
            pytest.skip(why)

    @pytest.fixture(autouse=True)
    def _endpoint(self, _difference: None) -> Iterator[None]:
        with ExitStack() as self.servers:
            yield

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> AmazonSWFBackend:
        url = self.servers.enter_context(serving(Prompt(self.make_inner(clock, tmp_path)), long_poll=0.05))
        return AmazonSWFBackend(
            **KEYS,
            domain="test",
            endpoint_url=url,
            ensure_domain=True,
            payload_store=Kept(),
            patience=5,
            session=self.session,
            decisions_per_answer=10_000,
        )


POLICIES = (
    "test_a_policy_says_what_becomes_of_a_child",
    "test_a_terminated_familys_grandchildren_are_terminated_too",
)
NEVER = Limits(refusals=10**9, timeouts=10**9)
