"""The pure machine, as tables: a history and a message, and what comes of them."""

import pytest

pytest.register_assert_rewrite("tests.machine.support")
