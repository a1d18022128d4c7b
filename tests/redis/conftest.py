"""A server of its own for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("pyworkflow.testing.store_bench")

from tests.servers.redis import RunningServer, running  # noqa: E402


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running() as server:
        yield server
