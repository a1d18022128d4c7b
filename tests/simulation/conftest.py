"""Assertions of the comparison are shown in full."""

import pytest

pytest.register_assert_rewrite("tests.simulation.comparison")
