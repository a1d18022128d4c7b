"""Connections while a server is away: how often it is tried."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from pyworkflow import BackendUnavailable
from pyworkflow_postgres import database


def test_a_server_that_is_away_is_tried_again_and_again() -> None:
    """Not ever less often: whoever waits for it should go on as soon as it is back."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        tried: list[socket.socket] = []
        threading.Thread(target=lambda: _hang_up(listening, tried), daemon=True).start()
        url = f"postgresql://127.0.0.1:{listening.getsockname()[1]}/shop"
        away = database.Database(url, "pyworkflow", 2, 2.0, False, lambda topics: None)
        with pytest.raises(BackendUnavailable, match="closed the connection"):
            away.rows("SELECT 1")
        away.close()
    assert len(tried) > 6


def _hang_up(listening: socket.socket, tried: list[socket.socket]) -> None:
    with suppress(OSError):
        while True:
            tried.append(listening.accept()[0])
            tried[-1].close()
