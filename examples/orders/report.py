"""What is said before and after a run: the rows that are no orders, the closing table, the audit, what to try next."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .activities import PARCEL_REFUSED
from .audit import is_clean
from .orderbook import Rejected
from .screen import style_of
from .tally import Line, Tally
from .workflows import SHIPPED, UNPAID

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN = 3
PROBLEMS_SHOWN = 10


def console(plain: bool) -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, color_system=None if plain else "auto")


def say_rejected(out: Console, rejected: list[Rejected], rows: int) -> None:
    if not rejected:
        return
    out.print(f"{len(rejected)} of {rows} rows are no orders and were left out:", markup=False)
    for row in rejected[:SHOWN]:
        out.print(f"  line {row.line}: {row.reason}", style="dim", markup=False)
    if len(rejected) > SHOWN:
        out.print(f"  and {len(rejected) - SHOWN} more; --json has them all", style="dim", markup=False)


def say_tally(out: Console, tally: Tally) -> None:
    out.print(_table(tally))
    for number, about in _facts(tally):
        out.print(f"  {number:>8}  [dim]{about}[/]")
    out.print()
    say_audit(out, tally)


def say_audit(out: Console, tally: Tally) -> None:
    out.print(
        "  Audit: " + ("[green]all is well[/]" if is_clean(tally.findings) else "[bold red]something is wrong[/]")
    )
    for finding in tally.findings:
        out.print(f"  [red]✗[/] {finding.about}" if finding.problems else f"  [green]✓[/] {finding.about}")
        for problem in finding.problems[:PROBLEMS_SHOWN]:
            out.print(f"      {problem}", style="red", markup=False)
        if len(finding.problems) > PROBLEMS_SHOWN:
            out.print(f"      and {len(finding.problems) - PROBLEMS_SHOWN} more", style="red")


def _table(tally: Tally) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="dim", footer_style="bold", show_footer=True)
    total = _cells(tally.total)
    table.add_column("outcome", "all", min_width=18)
    for name, sum in zip(("orders", "charged", "refunded", "parcels"), total, strict=True):
        table.add_column(name, sum, justify="right", min_width=8)
    for outcome, line in tally.lines.items():
        table.add_row(f"[{style_of(outcome)}]{outcome}[/]", *_cells(line))
    return table


def _cells(line: Line) -> list[str]:
    money = [f"€ {cents / 100:,.2f}" if cents else "" for cents in (line.charged, line.refunded)]
    return [f"{line.orders:,}", *money, f"{line.parcels:,}" if line.parcels else ""]


def _facts(tally: Tally) -> list[tuple[str, str]]:
    rate = "" if tally.resumed else f", {tally.steps / max(tally.seconds, 0.001):,.0f} a second"
    facts = [
        (f"{tally.seconds:.1f} s", f"for {tally.steps:,} steps{rate}"),
        (f"{tally.kills}", "workers killed with SIGKILL and replaced"),
        (f"{tally.lost}", "steps and decisions lost with their workers and done again"),
        (f"{tally.busy}", "times the bank was busy and was asked again, later each time"),
        (f"{tally.timers}", "timers fired"),
        (f"{tally.handed_over}", "parcels handed off to a carrier, who answered by token"),
        (f"{tally.transfers + tally.additions}", "late payments and additions came as signals to running processes"),
    ]
    return [(number, about) for number, about in facts if number != "0"]


def say_next(out: Console, tally: Tally, file: Path) -> None:
    """Commands to try on the file, with ids that are in it."""
    refused, unpaid = tally.examples.get(str(PARCEL_REFUSED.reason)), tally.examples.get(UNPAID)
    shipped = tally.examples.get(SHIPPED)
    ideas = [
        ("how they ended", "count --by status"),
        ("the failed ones", "list --status failed"),
        ("an order", shipped and f"describe {shipped}"),
        ("one undone", refused and f"history {refused}"),
        ("one reminded", unpaid and f"history {unpaid}-invoice"),
    ]
    command = f"{_pyworkflow()} -b sqlite:///{quote(str(file))}"
    out.print(f"\n  {file} keeps it all. Look around:", markup=False)
    for about, idea in ideas:
        if idea:
            out.print(f"    [dim]{about:<17}[/]{command} {idea}")


def _pyworkflow() -> str:
    """How the reader's shell finds the command, which need not be on its path as it is on ours."""
    beside = Path(sys.executable).with_name("pyworkflow")
    if "VIRTUAL_ENV" in os.environ or not beside.exists():
        return "pyworkflow" if shutil.which("pyworkflow") else f"{Path(sys.executable).name} -m pyworkflow.cli"
    return os.path.relpath(beside)
