"""The command line: `pyworkflow COMMAND`. A command's module is imported when it is asked for; `--help` needs none."""

from __future__ import annotations

import click

from .group import LazyGroup
from .options import connection_options

COMMANDS = {
    "worker": ("worker:worker", "Decide on processes and execute activities."),
    "start": ("start:start", "Start a process."),
    "list": ("listing:list_", "List processes, the newest start first."),
    "count": ("listing:count", "Count processes."),
    "describe": ("inspect:describe", "Show a process and all that is pending."),
    "history": ("inspect:history", "Show what happened to a process."),
    "watch": ("inspect:watch", "Show a process live until it is closed."),
    "result": ("inspect:result", "Wait for a process and print its result."),
    "replay": ("replaying:replay", "Run today's code against exported histories."),
    "check": ("replaying:check", "Run today's code against the histories of open processes."),
    "signal": ("control:signal", "Send a signal to processes."),
    "cancel": ("control:cancel", "Ask for the cancellation of processes."),
    "terminate": ("control:terminate", "End processes without asking their deciders."),
    "resume": ("control:resume", "Let blocked processes be decided on again."),
    "reset": ("reset:reset", "Let processes go on anew from an earlier event."),
    "fork": ("reset:fork", "Start a process with the history of another."),
    "activity": ("activity:activity", "Answer for an activity by its token."),
    "schedule": ("schedule:schedule", "Start processes by the clock."),
    "queue": ("admin:queue", "Look at the queues of tasks."),
    "prune": ("admin:prune", "Delete closed processes with their histories."),
    "backend": ("admin:backend", "Look after the backend itself."),
    "swf-server": ("swf_server:swf_server", "Serve Amazon SWF's protocol, for AWS's SDKs."),
    "completion": ("extras:completion", "Print the completion script of a shell."),
    "demo": ("extras:demo", "Run the example: an order business."),
}


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"pyworkflow {version('pyworkflow')}")
    except PackageNotFoundError:
        click.echo("pyworkflow, from its source tree")
    context.exit()


@click.group("pyworkflow", cls=LazyGroup, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@connection_options(environment=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Durable workflows: run workers; start, watch, signal and end processes.

    \b
    -A and -b may also stand after the command. Times are 2026-11-25T08:30 (local)
    or ages such as 30m, 12h, 7d; payloads are JSON, @file or - (standard input).
    Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 the process did not complete,
    5 id in use, 124 the wait timed out, 130 interrupted.
    """


__all__ = ["main"]
