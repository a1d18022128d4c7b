"""Figures beside their goals, as a table and as JSON."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import sqlite3
from pathlib import Path
from typing import Any, Protocol

from . import calibrate

RESULTS = Path(__file__).parent / "results"

PACE = 5.1
"""Microseconds to write and read 140 bytes of JSON by the standard library, on the machine that goals were set on."""

_GOAL = re.compile(r"(<=|>=) ([\d,.]+)")
_AT_A_PACE = {"steps/s": -1, "ms": 1, "s": 1, "ms/step": 1, "% of a core": 1}


class Row(Protocol):
    """Takes one figure. A goal is "<= 20" or ">= 1,000"; any other text is only shown. `slower` says how many times as
    slow as on the goals' machine that is which it rests on, where that is not Python."""

    def __call__(
        self, name: str, value: float, unit: str = "", goal: str = "", slower: float | None = None
    ) -> None: ...


class Report:
    """Collects rows. What depends on how fast a machine is counts as met at its pace, too: that of its Python today, or
    of the storage below."""

    def __init__(self, slower: float = 1.0) -> None:
        self.slower = slower
        self.rows: list[dict[str, Any]] = []

    def row(self, name: str, value: float, unit: str = "", goal: str = "", slower: float | None = None) -> None:
        slower = slower or self.slower
        here = value / slower ** _AT_A_PACE.get(unit, 0)
        judged = {"met": _meets(value, goal), "met_at_this_pace": _meets(here, goal)}
        pace = {"slower": round(slower, 2)} if _AT_A_PACE.get(unit) and judged["met"] is not None else {}
        self.rows.append({"name": name, "value": round(value, 3), "unit": unit, "goal": goal, **judged, **pace})

    def write(self, target: Path) -> None:
        about = {"machine": machine(), "slower": round(self.slower, 2), "date": datetime.date.today().isoformat()}
        RESULTS.mkdir(exist_ok=True)
        target.write_text(json.dumps({**about, "rows": self.rows}, indent=1) + "\n")

    def show(self) -> None:
        from rich.console import Console
        from rich.table import Table

        about = {**machine(), "times as slow as the goals' machine": f"{self.slower:.2g}"}
        table = Table(title=" · ".join(f"{key} {value}" for key, value in about.items()))
        for column in ("", "measured", "unit", "goal", ""):
            table.add_column(column, justify="right" if column == "measured" else "left")
        for row in self.rows:
            value = row["value"]
            shown = f"{value:,.3g}" if value < 100 else f"{value:,.0f}"
            table.add_row(row["name"], shown, row["unit"], row["goal"], _mark(row))
        Console().print(table)


class Figures:
    """Figures without goals, printed as they come and kept as JSON under a name."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, subject: str, what: str, value: float, unit: str) -> None:
        self.rows.append({"name": f"{subject}: {what}", "value": round(value, 3), "unit": unit})
        print(f"{subject:15}{what:60}{value:12,.3f} {unit}", flush=True)

    def write(self, name: str) -> None:
        today = datetime.date.today().isoformat()
        report = {"machine": machine(), "date": today, "load": os.getloadavg(), "rows": self.rows}
        (RESULTS / f"{name}-{today}.json").write_text(json.dumps(report, indent=1) + "\n")


def _meets(value: float, goal: str) -> bool | None:
    """None where the goal is none."""
    found = _GOAL.fullmatch(goal)
    if found is None:
        return None
    limit = float(found[2].replace(",", ""))
    return value <= limit if found[1] == "<=" else value >= limit


def _mark(row: dict[str, Any]) -> str:
    if row["met"] is None:
        return ""
    if row["met"]:
        return "[green]met[/]"
    return f"[yellow]met at {row['slower']:.2g} x the time[/]" if row["met_at_this_pace"] else "[red]missed[/]"


def machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "million_calls_per_second": round(calibrate.python_calls(), 1),
    }
