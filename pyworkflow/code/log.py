"""The logger of workflow code, which is silent about what has been logged before."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from .course import Course


class ReplayLog(logging.LoggerAdapter[logging.Logger]):
    """Silent about what has been logged before, and where the code is only let go of."""

    def __init__(self, course: Course) -> None:
        super().__init__(logging.getLogger("pyworkflow.workflow"), {})
        self._course = course

    def isEnabledFor(self, level: int) -> bool:
        course = self._course
        return not course.replaying and not course.stopped and super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        it = self._course.process
        return msg, {**kwargs, "extra": {"process_id": it.id, "run": it.run, **kwargs.get("extra", {})}}
