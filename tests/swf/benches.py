"""The backend suite's benches for Amazon SWF: over moto and over the endpoint, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.testing import BackendSuite
from pyworkflow_amazonswf.types import LONGEST_RUN
from tests.servers.moto import KEYS, at_the_time_of

from .gaps import difference_for, reason_for
from .inside import Inside


class Kept:
    """A PayloadStore in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        key = uuid4().hex
        self.kept[key] = data
        return key

    def get(self, key: str) -> bytes:
        return self.kept[key]


class OnAmazonSWF(BackendSuite):
    """What the suite means by "for ever" is a year on SWF."""

    watched = False

    def start(self, *args: Any, **options: Any) -> str:
        if options.get("timeout") == 1e9:
            options["timeout"] = LONGEST_RUN
        return super().start(*args, **options)


class OnMoto(OnAmazonSWF):
    """Set `url` to where moto is."""

    url: str
    client: Any = None

    @pytest.fixture(autouse=True)
    def _gap(self, request: pytest.FixtureRequest) -> None:
        if (why := reason_for(request)) is not None:
            pytest.skip(why)

    @pytest.fixture(autouse=True)
    def _moto(self, _gap: None) -> Iterator[None]:
        self.times: list[Callable[[], float]] = []
        with at_the_time_of(lambda: self.times[0]()):
            yield

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> AmazonSWFBackend:
        self.times.append(clock)
        if OnMoto.client is None:  # making one takes a while
            OnMoto.client = AmazonSWFBackend(**KEYS, endpoint_url=self.url).service.client("polls")
        return AmazonSWFBackend(
            domain=uuid4().hex, client=OnMoto.client, ensure_domain=True, payload_store=Kept(), patience=5
        )


class OnTheEndpoint(OnAmazonSWF):
    """In the same process, over the endpoint."""

    @pytest.fixture(autouse=True)
    def _difference(self, request: pytest.FixtureRequest) -> Iterator[None]:
        if (why := difference_for(request)) is not None:
            pytest.skip(why)
        with ExitStack() as self.servers:
            yield

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> AmazonSWFBackend:
        client = self.servers.enter_context(closing(Inside(clock)))
        return AmazonSWFBackend(
            domain="test", client=client, payload_store=Kept(), patience=5, decisions_per_answer=10_000
        )
