"""The backend suite's benches for Amazon SWF: over moto, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.testing import BackendSuite
from tests.servers.moto import KEYS, at_the_time_of

from .gaps import reason_for


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


class OnMoto(BackendSuite):
    """Set `url` to where moto is."""

    url: str
    session = boto3.session.Session()  # it reads SWF's model once

    @pytest.fixture(autouse=True)
    def _gap(self, request: pytest.FixtureRequest) -> None:
        if (why := reason_for(request.node.name)) is not None:
            pytest.skip(why)

    @pytest.fixture(autouse=True)
    def _moto(self, _gap: None) -> Iterator[None]:
        self.times: list[Callable[[], float]] = []
        with at_the_time_of(lambda: self.times[0]()):
            yield

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> AmazonSWFBackend:
        self.times.append(clock)
        return AmazonSWFBackend(
            **KEYS,
            domain=uuid4().hex,
            endpoint_url=self.url,
            ensure_domain=True,
            payload_store=Kept(),
            patience=5,
            session=self.session,
        )
