"""What cannot be shown is named by tests that there are."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from pyworkflow.testing import BackendSuite

from .gaps import DIFFERENCES, GAPS


@pytest.mark.parametrize("pattern", [*DIFFERENCES, *GAPS])
def test_a_reason_is_one_for_a_test(pattern: str) -> None:
    assert any(fnmatchcase(test, pattern.partition("[")[0].partition("*")[0] + "*") for test in dir(BackendSuite))
