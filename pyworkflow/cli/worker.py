"""`pyworkflow worker`: a worker process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from .group import command
from .logs import log_options, log_to_stderr
from .options import connected
from .session import IN_MEMORY, SAY_A_FILE, Session
from .text import did_you_mean
from .times import Length

if TYPE_CHECKING:
    from ..worker import Worker


@command(
    "worker",
    "pyworkflow -A shop:manager worker -c 10",
    "pyworkflow -A shop:workflows -b sqlite:///orders.db worker --activities -Q shipping",
)
@connected
@click.option(
    "-Q", "--category", "categories", multiple=True, help="Serve this category; repeatable. All where not given."
)
@click.option(
    "-c", "--concurrency", type=click.IntRange(1), default=1, show_default=True, help="Of each kind, at once."
)
@click.option("--activities", is_flag=True, help="Only execute activities.")
@click.option("--decisions", is_flag=True, help="Only decide.")
@click.option("--burst", is_flag=True, help="End when there is nothing left to do.")
@click.option("--reload", is_flag=True, help="Start again when a source file changes; for development.")
@click.option("--heartbeat", is_flag=True, help="Send heartbeats for activities by itself.")
@click.option("--shutdown-timeout", type=Length(), default=30.0, show_default=True, help="For what runs, at the end.")
@log_options
@click.option("--name", help="Its name in logs and histories; host and process number where not given.")
def worker(session: Session, reload: bool, log_level: str, log_format: str, **options: Any) -> None:
    """Decide on processes and execute activities.

    Runs until SIGTERM or SIGINT: then it takes no more tasks and finishes what is running.
    """
    if not session.app:
        raise click.UsageError("a worker needs the workflows: say -A module:attribute, or set PYWORKFLOW_APP.")
    log_to_stderr(log_level, log_format)
    if reload:
        from .reload import run_with_reload

        run_with_reload(lambda: _worker(session, **options), options["burst"])
    else:
        _worker(session, **options).run(burst=options["burst"])


def _worker(
    session: Session, categories: tuple[str, ...], activities: bool, decisions: bool, burst: bool, **how: Any
) -> Worker:
    from ..worker import ActivityWorker, DecisionWorker, Worker

    kind = Worker if activities == decisions else ActivityWorker if activities else DecisionWorker
    made = kind(session.manager_with_app(), category=categories or None, **how)
    served = ", ".join(categories) or "all categories"
    made.log.info("%s %s serves %s of %s", kind.__name__, made.name, served, session.app)
    _warn_of_idle(made, categories, session.app)
    if session.in_memory() and not burst:
        made.log.warning("%s what others start does not reach it. %s", IN_MEMORY, SAY_A_FILE)
    return made


def _warn_of_idle(worker: Worker, categories: Iterable[str], app: str | None) -> None:
    """Name the categories in which there will never be anything for it."""
    manager = worker.manager
    known = {*(manager.decision_categories if worker.decides else ())}
    known |= {*(manager.activity_categories if worker.executes else ())}
    for name in sorted({*categories} - known):
        has, hint = ", ".join(sorted(known)), did_you_mean(name, known)
        worker.log.warning("-Q %s: there is nothing to do for it: %s has %s.%s", name, app, has, hint)
