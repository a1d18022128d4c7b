"""The workloads on a server, beside what that server can do and what peers do on it: the same for each."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import NamedTuple

from . import workloads
from .peers import measured
from .report import Row


class Goals(NamedTuple):
    """W1 as a share of 50 bare transitions at once, W2 in milliseconds, W3 in seconds, L in milliseconds a step; W1 as
    a multiple of what peers do; and the bare transitions a second, one and 50 at a time, where these goals were set."""

    share: float
    wide: float
    long: float
    alone: float
    peers: Mapping[str, float]
    one: float
    fifty: float


def measure_server(
    name: str,
    bare: Callable[[int, int], float],
    emptied: Callable[[], str],
    goals: Goals,
    runs: int,
    row: Row,
    peers: bool,
) -> None:
    """Every figure with its goal. `bare(batch, total)` gives transitions per second; `emptied()` a backend's URL."""

    def median(call: Callable[[str], float]) -> float:
        return statistics.median(call(emptied()) for _ in range(runs))

    one, fifty = (statistics.median(bare(*size) for _ in range(runs)) for size in ((1, 2_000), (50, 20_000)))
    row(f"bare {name}, one at a time", one, "transitions/s", "calibration")
    row(f"bare {name}, 50 at a time", fifty, "transitions/s", "calibration")
    many = median(lambda url: workloads.w1(url, 50))
    row(f"W1 {name}, concurrency 50", many, "steps/s", "see ratio")
    row("  over 50 bare ones", many / fifty, "x", f">= {goals.share}")
    value = median(lambda url: workloads.w1(url, 1, 100))
    row(f"W1 {name}, concurrency 1", value, "steps/s")
    row("  over one bare one", value / one, "x")
    row(f"W2 {name}", median(workloads.w2), "ms", f"<= {goals.wide}", goals.fifty / fifty)
    seconds, growth = workloads.w3(emptied())
    row(f"W3 {name}", seconds, "s", f"<= {goals.long}", goals.one / one)
    row(f"W3 {name}, last 200 over first 200", growth, "x", "<= 1.2")
    value = median(workloads.latency_between_processes)
    row(f"L {name}, from other processes", value, "ms/step", f"<= {goals.alone}", goals.one / one)
    for peer, times in goals.peers.items() if peers else ():
        value = measured(peer, emptied().partition("?")[0])["w1"]
        row(f"{peer.title()} W1 {name}", value, "steps/s", "peer")
        row(f"  W1 {name} over it", many / value, "x", f">= {times}")
