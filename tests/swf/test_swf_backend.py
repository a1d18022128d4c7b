"""The Amazon SWF backend by the suite: over HTTP what moto can do of SWF, and all of it over our own endpoint."""

from __future__ import annotations

import pytest

from .benches import OnMoto, OnTheEndpoint


@pytest.fixture(autouse=True, scope="class")
def _server(request: pytest.FixtureRequest, moto: str) -> None:
    request.cls.url = moto


class TestAmazonSWFOnMoto(OnMoto):
    pass


class TestAmazonSWFOnTheEndpoint(OnTheEndpoint):
    pass
