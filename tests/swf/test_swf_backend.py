"""The Amazon SWF backend by the suite, over HTTP: what moto can do of SWF."""

from __future__ import annotations

import pytest

from .benches import OnAnImitation, OnMoto


@pytest.fixture(autouse=True, scope="class")
def _server(request: pytest.FixtureRequest, moto: str) -> None:
    request.cls.url = moto


class TestAmazonSWFOnMoto(OnMoto):
    pass


class TestAmazonSWF(OnAnImitation):
    options = {"decisions_per_answer": 10_000}
