"""`python3 run chaos`: kills servers every few seconds under 5,000 processes with 1,000 signals, and audits the rest.

Exits with 1 when something was lost or done twice, or when work does not go on though the server is back.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .run import Outcome, Plan, Stuck, run
from .run import Progress as Now
from .servers import KINDS

INTERRUPTED = 130


def main() -> int:
    chosen = _options()
    logging.disable(logging.WARNING)  # That connections break is no news here.
    clean = True
    try:
        for kind in chosen.backend or KINDS:
            plan = Plan(
                kind, chosen.workflows, chosen.signals, chosen.minutes * 60, tuple(chosen.pause), seed=chosen.seed
            )
            with _bar(plan) as show:
                outcome = run(plan, show)
            _tell(plan, outcome)
            clean = clean and outcome.clean
    except KeyboardInterrupt:
        print("run chaos: stopped", file=sys.stderr)
        return INTERRUPTED
    except (Stuck, AssertionError, pytest.skip.Exception) as error:
        print(f"run chaos: {error}", file=sys.stderr)
        return 1
    return 0 if clean else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run chaos", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--backend", action="append", choices=sorted(KINDS), help="only this one; may be repeated")
    parser.add_argument("--minutes", type=float, default=5.0, help="of load for each backend")
    parser.add_argument("--workflows", type=int, default=5_000, help="processes, with two activities and a marker each")
    parser.add_argument("--signals", type=int, default=1_000, help="how many of them wait for a signal")
    parser.add_argument(
        "--pause", type=float, nargs=2, default=(5.0, 20.0), metavar=("MIN", "MAX"), help="seconds between kills"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the times of kills and calls")
    chosen = parser.parse_args()
    if chosen.workflows < 1 or not 0 <= chosen.signals <= chosen.workflows or chosen.minutes <= 0:
        parser.error("at least one workflow, no more signals than workflows, and some time, please")
    if not 0 < chosen.pause[0] <= chosen.pause[1]:
        parser.error("--pause takes the shorter pause first, in seconds above 0")
    return chosen


@contextmanager
def _bar(plan: Plan) -> Iterator[Callable[[Now], None]]:
    words = TextColumn("{task.description} {task.completed}/{task.total}"), BarColumn(), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*words, TextColumn("{task.fields[news]}"), console=console, transient=True) as progress:
        task = progress.add_task(plan.kind, total=plan.workflows, news="")
        yield lambda now: progress.update(task, completed=now.completed, news=f"{now.news}, {now.kills} kills")


def _tell(plan: Plan, outcome: Outcome) -> None:
    print(
        f"{plan.kind}: {plan.workflows} processes, {plan.signals} signals, {plan.workflows} markers in "
        f"{outcome.seconds:.0f} s; the server killed {outcome.kills} times; {outcome.refused} calls refused and "
        f"repeated; {outcome.executions} executions, {outcome.repeated} of them again; "
        f"{outcome.again} acknowledged calls forgotten",
        flush=True,
    )
    for about, problems in outcome.findings.items():
        print(f"  {'no ' if problems else 'yes'} {about}")
        for problem in problems[:10]:
            print(f"        {problem}")
        if len(problems) > 10:
            print(f"        and {len(problems) - 10} more")


if __name__ == "__main__":
    sys.exit(main())
