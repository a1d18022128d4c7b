"""The backend suite: what `pyworkflow.backend.Backend` promises, as tests that every backend must pass.

    class TestMyBackend(BackendSuite):
        def make_backend(self, clock, tmp_path):
            return MyBackend(tmp_path / "data", clock=clock)

The backend's time must be `clock()`, in seconds since 1970; tests move it. The suite needs pytest.
"""

from __future__ import annotations

from .backend_activities import Activities
from .backend_asking import Asking
from .backend_deciders import Deciders
from .backend_decisions import Decisions
from .backend_endings import Endings
from .backend_exchange import Exchanges
from .backend_families import Families
from .backend_layouts import Layouts
from .backend_letters import Letters
from .backend_questions import Questions
from .backend_resetting import Resetting
from .backend_signals import Signals
from .backend_starting import Starting
from .backend_timeouts import Timeouts
from .backend_unknowns import Unknowns
from .backend_watching import Watching


class BackendSuite(
    Starting,
    Layouts,
    Decisions,
    Deciders,
    Activities,
    Timeouts,
    Signals,
    Families,
    Letters,
    Endings,
    Resetting,
    Exchanges,
    Asking,
    Questions,
    Unknowns,
    Watching,
):
    """Subclass it in a test module, under a name that begins with Test, and override `make_backend`."""
