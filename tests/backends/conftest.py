"""Files of these tests are kept in memory where the machine can: thousands of tests each sync a new database often.

What a disk does to the files is tests/sqlite's business.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .redis_servers import oldest_redis_server, redis_cluster, redis_server  # noqa: F401

IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pyworkflow-", dir=IN_MEMORY, ignore_cleanup_errors=True) as directory:
        yield Path(directory)
