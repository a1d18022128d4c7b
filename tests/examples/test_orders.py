"""The order business end to end, as a newcomer starts it, with and without kill -9."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .expected import EXPECTED, FEW, TICKETS

ROOT = Path(__file__).parents[2]


def command(file: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "examples.orders", "--file", str(file), "--orders", str(FEW), *arguments]


def demo(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(file, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=100)


def workers_of(file: Path) -> list[str]:
    """The command lines of the worker processes on a file."""
    if Path("/proc/self/cmdline").exists():
        lines = [command_line(process) for process in Path("/proc").glob("[0-9]*")]
    else:
        lines = subprocess.run(["ps", "-axww", "-o", "args"], capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if "examples.orders.worker" in line and str(file) in line]


def command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""  # It has ended meanwhile.


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)
    assert holds()


@pytest.fixture(scope="module", params=[(), ("--chaos", "--seed", "7")], ids=["calm", "chaos"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("demo") / "orders.db"
    done = demo(file, "--json", *request.param)
    assert done.returncode == 0, done.stdout + done.stderr
    return {**json.loads(done.stdout), "chaos": bool(request.param), "file": file}


def test_each_order_ends_as_its_row_says(run: dict[str, Any]) -> None:
    assert {order: outcome for order, outcome in run["by_order"].items() if order not in TICKETS} == EXPECTED
    assert Counter(run["by_order"][order] for order in TICKETS) == {"shipped": 2, "out of stock": 1}


def test_the_audit_is_clean(run: dict[str, Any]) -> None:
    assert len(run["audit"]) >= 7
    assert not any(run["audit"].values())


def test_money_and_parcels_are_what_the_prices_say(run: dict[str, Any]) -> None:
    lines = run["lines"]
    assert lines["parcel refused"]["charged"] == lines["parcel refused"]["refunded"] == 8070 + 7680
    assert lines["shipped"]["refunded"] == 0
    # Plain, three warehouses twice, flaky twice, three invoices, three with additions, two times three seats.
    cents = 890 + 2 * 3120 + 2900 + 11800 + 3 * 1260 + (1250 + 840) + 1250 + (1250 + 890) + 2 * 10500
    assert lines["shipped"]["charged"] == cents
    assert lines["shipped"]["parcels"] == 1 + 3 + 3 + 1 + 2 + 3 + 2 + 1 + 1 + 2
    assert {outcome for outcome, line in lines.items() if line["charged"]} == {"shipped", "parcel refused"}


def test_signals_timers_and_hand_offs_took_part(run: dict[str, Any]) -> None:
    assert run["additions"] == 3
    assert run["transfers"] >= 4
    assert run["handed_over"] == 3 + 2 + 1 + 1 + 3 + 2
    assert run["timers"] > 0 and run["busy"] >= 4


def test_chaos_kills_and_calm_does_not(run: dict[str, Any]) -> None:
    assert run["kills"] > 0 if run["chaos"] else run["kills"] == 0


def test_bad_rows_are_reported_and_not_started(run: dict[str, Any]) -> None:
    assert [(row["line"], row["order"]) for row in run["rejected"]] == [(24, "T-01"), (25, "T-24"), (26, "T-25")]
    assert len(run["by_order"]) == 22


def test_no_worker_is_left_behind(run: dict[str, Any]) -> None:
    assert workers_of(run["file"]) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_an_interrupted_run_leaves_no_worker_and_is_gone_on_with(tmp_path: Path, how: signal.Signals) -> None:
    file = tmp_path / "orders.db"
    with subprocess.Popen(command(file, "--plain"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as begun:
        wait_until(lambda: len(workers_of(file)) == 4)
        time.sleep(1.0)
        begun.send_signal(how)
        _, errors = begun.communicate(timeout=30)
    assert begun.returncode == (-9 if how == signal.SIGKILL else 130)
    assert how == signal.SIGKILL or b"goes on" in errors
    wait_until(lambda: not workers_of(file))
    again = demo(file, "--plain")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "has an unfinished run" in again.stdout
    assert "pyworkflow -b sqlite:////" in again.stdout.replace(f"{sys.executable} -m pyworkflow.cli", "pyworkflow")


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.db"
    thesis.write_text("years of work")
    for arguments in ((), ("--fresh",)):
        done = demo(thesis, *arguments)
        assert done.returncode == 2 and "was not made by this demo" in done.stderr
    assert thesis.read_text() == "years of work"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = demo(tmp_path / "nowhere" / "orders.db")
    assert done.returncode == 2 and "cannot write into" in done.stderr
