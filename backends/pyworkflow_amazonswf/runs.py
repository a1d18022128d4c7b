"""The histories read last, by run: of a long one only what is new is asked of SWF."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from pyworkflow.engine.history import forget_oldest
from pyworkflow.exceptions import UnknownProcessException

from .own import OWN
from .payloads import SwfTexts
from .run import Run
from .service import Service, SwfFault, gone
from .tokens import described

PAGE = 1_000
"""Events a page; SWF's own default is 100."""


class Runs:
    """Keeps up to `size` runs. One that is being read is in nobody else's hands."""

    def __init__(self, service: Service, texts: SwfTexts, size: int) -> None:
        self._service = service
        self._texts = texts
        self._size = size
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], Run] = {}

    def now(self, id: str, run: str) -> Run:
        """A run as it is now. Raises UnknownProcessException."""
        known = self._take(id, run)
        if known.result is None:
            self._refresh(known)
        return self._keep(known)

    def known(self, id: str, run: str) -> Run:
        """A run as it was known last, for somebody who holds a task of it; read where it is not known."""
        known = self._take(id, run)
        if not known.last:
            self._refresh(known)
        return self._keep(known)

    def until(self, id: str, run: str, started: int, events: Sequence[dict[str, Any]]) -> Run:
        """A run up to the start of a decision, with the events that came with it; what lacks before them is read."""
        known = self._take(id, run)
        ordered = sorted(events, key=_number)
        if ordered and ordered[0]["eventId"] <= known.last + 1:
            known.extend(ordered)
        if known.last < started:
            self._refresh(known)
        known.settle()
        return self._keep(known)

    def _refresh(self, run: Run) -> None:
        """Read the history from its end back to what is known of it."""
        new: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            page = self._page(run, token)
            new += page["events"]
            token = page.get("nextPageToken")
            if not token or min(map(_number, page["events"])) <= run.last + 1:
                break
        run.extend(sorted(new, key=_number))
        run.settle()

    def _page(self, run: Run, token: str | None) -> dict[str, Any]:
        try:
            return self._service.call(
                "get_workflow_execution_history",
                execution={"workflowId": run.id, "runId": run.run},
                nextPageToken=token,
                maximumPageSize=PAGE,
                reverseOrder=True,
            )
        except SwfFault as error:
            raise gone(error, UnknownProcessException, f"there is no {described(run.id, run.run)}") from error

    def _take(self, id: str, run: str) -> Run:
        return self._kept.pop((id, run), None) or Run(self._texts, OWN, id, run)

    def _keep(self, run: Run) -> Run:
        self._kept[run.id, run.run] = run
        if len(self._kept) > self._size:
            forget_oldest(self._kept, self._size, self._lock)
        return run


def _number(event: Mapping[str, Any]) -> int:
    number: int = event["eventId"]
    return number
