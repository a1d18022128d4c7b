from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.moto import moto_server


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Where a moto server of this session listens."""
    with moto_server() as url:
        yield url
