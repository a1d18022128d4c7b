"""The store suite: what `pyworkflow.engine.store.Store` promises, as tests that every store must pass.

    class TestMyStore(StoreSuite):
        def make_store(self, tmp_path):
            return MyStore(tmp_path / "data")

Where several machines can work on the same data, override `make_other` too. The suite needs pytest.
"""

from __future__ import annotations

from .store_commits import Commits
from .store_questions import Questions
from .store_tasks import Tasks
from .store_waiting import Waiting


class StoreSuite(Commits, Tasks, Questions, Waiting):
    """Subclass it in a test module, under a name that begins with Test, and override `make_store`."""
