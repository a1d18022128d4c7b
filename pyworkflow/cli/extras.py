"""`pyworkflow completion` and `demo`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from .group import command

ROOT = Path(__file__).resolve().parents[2]


@command(
    "completion",
    'eval "$(pyworkflow completion bash)"    # in ~/.bashrc',
    "pyworkflow completion fish > ~/.config/fish/completions/pyworkflow.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    completer = get_completion_class(shell)
    assert completer is not None
    click.echo(completer(context.find_root().command, {}, "pyworkflow", "_PYWORKFLOW_COMPLETE").source())


@command("demo", "pyworkflow demo", "pyworkflow demo --chaos", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def demo(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Run the example: an order business.

    Its source must be beside the library's; ARGUMENTS are the example's own.
    """
    if not (ROOT / "examples" / "orders" / "__main__.py").is_file():
        raise click.ClickException(
            f"the example is not in {ROOT}: it comes with the source tree, where `python3 run demo` runs it."
        )
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    # -P: an `examples` in the current directory is somebody else's.
    words = [sys.executable, "-P", "-m", "examples.orders", *arguments]
    context.exit(subprocess.call(words, env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)}))
