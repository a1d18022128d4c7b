"""The server's clock: asked rarely, and carried on by this machine's in between."""

from __future__ import annotations

import pytest

from pyworkflow.engine import server_clock
from pyworkflow.engine.server_clock import AGAIN, FRESH, ServerClock
from pyworkflow.exceptions import BackendUnavailable


class Server:
    """Its time is 1,000 s ahead of this machine's; it takes 0.2 s to be asked, and may be away."""

    def __init__(self) -> None:
        self.here = 50.0
        self.ahead = 1_000.0
        self.asked = 0
        self.away = False
        self.delays = (0.1, 0.1)

    def time(self) -> float:
        self.asked += 1
        if self.away:
            raise BackendUnavailable("away")
        self.here += self.delays[0]
        told = self.here + self.ahead
        self.here += self.delays[1]
        return told


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(server_clock, "steady", lambda: server.here)
    return server


def test_it_tells_the_servers_time(server: Server) -> None:
    clock = ServerClock(server.time)
    assert clock() == pytest.approx(server.here + 1_000)
    server.here += FRESH / 2
    assert clock() == pytest.approx(server.here + 1_000)
    assert server.asked == 1


def test_it_asks_again_after_a_while(server: Server) -> None:
    clock = ServerClock(server.time)
    clock()
    server.here += FRESH
    server.ahead = 2_000.0
    assert clock() == pytest.approx(server.here + 2_000, abs=0.11)
    assert server.asked == 2


@pytest.mark.parametrize("delays", [(0.0, 3.0), (3.0, 0.0), (2.0, 2.0)])
def test_slow_answers_do_not_move_it(server: Server, delays: tuple[float, float]) -> None:
    """Nobody knows when in between the server looked at its clock."""
    clock = ServerClock(server.time)
    clock()
    server.delays = delays
    server.here += FRESH
    assert clock() == pytest.approx(server.here + 1_000)
    assert server.asked == 2


def test_quick_answers_make_it_better(server: Server) -> None:
    clock = ServerClock(server.time)
    server.delays = (0.0, 3.0)
    assert clock() == pytest.approx(server.here + 1_000, abs=1.6)
    server.delays = (0.0, 0.01)
    server.here += FRESH
    assert clock() == pytest.approx(server.here + 1_000, abs=0.011)


def test_a_server_that_is_away_is_asked_later(server: Server) -> None:
    clock = ServerClock(server.time)
    clock()
    server.away = True
    server.here += FRESH
    assert [clock() for _ in range(3)] == [pytest.approx(server.here + 1_000)] * 3
    assert server.asked == 2
    server.away, server.ahead = False, 2_000.0
    server.here += AGAIN
    assert clock() == pytest.approx(server.here + 2_000, abs=0.11)


def test_the_first_time_must_be_told(server: Server) -> None:
    clock = ServerClock(server.time)
    server.away = True
    with pytest.raises(BackendUnavailable):
        clock()
    server.away = False
    assert clock() == pytest.approx(server.here + 1_000)
