"""`pyworkflow worker`: a worker process."""

from __future__ import annotations

import logging
from typing import Any

import click

from .group import command
from .options import connected
from .session import Session
from .text import inert
from .times import Length

LEVELS = ("debug", "info", "warning", "error")


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
@click.option("--log-level", type=click.Choice(LEVELS, case_sensitive=False), default="info", show_default=True)
@click.option("--name", help="Its name in logs and histories; host and process number where not given.")
def worker(session: Session, reload: bool, log_level: str, **options: Any) -> None:
    """Decide on processes and execute activities.

    Runs until SIGTERM or SIGINT: then it takes no more tasks and finishes what is running.
    """
    if not session.app:
        raise click.UsageError("a worker needs the workflows: say -A module:attribute, or set PYWORKFLOW_APP.")
    log_to_stderr(log_level)
    if reload:
        from .reload import run_with_reload

        run_with_reload(lambda: _worker(session, **options), options["burst"])
    else:
        _worker(session, **options).run(burst=options["burst"])


def log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_InertFormatter("%(asctime)s %(levelname)-7s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if level.upper() != "DEBUG":  # While a server is away the worker says so, once for each try.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class _InertFormatter(logging.Formatter):
    """Records quote names and errors that are the users'."""

    def format(self, record: logging.LogRecord) -> str:
        return inert(super().format(record), lines=True)


def _worker(
    session: Session, categories: tuple[str, ...], activities: bool, decisions: bool, burst: bool, **how: Any
) -> Any:
    from ..worker import ActivityWorker, DecisionWorker, Worker

    kind = Worker if activities == decisions else ActivityWorker if activities else DecisionWorker
    made = kind(session.manager, category=categories or None, **how)
    served = ", ".join(categories) or "all categories"
    logging.getLogger("pyworkflow.worker").info("%s %s serves %s of %s", kind.__name__, made.name, served, session.app)
    return made
