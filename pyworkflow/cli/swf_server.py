"""`pyworkflow swf-server`: Amazon SWF's protocol over the backend, for AWS's SDKs. Needs the extra `server`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..exceptions import to_install
from .group import command
from .logs import log_options, log_to_stderr
from .options import connected
from .session import Session


def _keys(path: Path) -> dict[str, str]:
    """The secrets of a file by their access key ids. Raises OSError."""
    keys = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        id, separator, secret = line.strip().partition(":")
        if not (id and separator and secret):
            raise click.UsageError(f"--keys: line {number} of {path} is not ACCESS_KEY_ID:SECRET_ACCESS_KEY.")
        keys[id] = secret
    if not keys:
        raise click.UsageError(f"--keys: {path} has no keys.")
    return keys


@command(
    "swf-server",
    "pyworkflow -b sqlite:///shop.db swf-server",
    "pyworkflow -b redis://db/0 swf-server --host 0.0.0.0 --keys /etc/pyworkflow/keys",
)
@connected
@click.option("--host", default="127.0.0.1", show_default=True, help="Another one than loopback needs --keys.")
@click.option("--port", type=click.IntRange(0, 65535), default=4567, show_default=True, help="0 for any that is free.")
@click.option(
    "--keys",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file of ACCESS_KEY_ID:SECRET_ACCESS_KEY lines; requests must be signed with one of them.",
)
@click.option(
    "--domain", default="default", show_default=True, help="The domain of what the backend has beside this server."
)
@click.option("--region", default="us-east-1", show_default=True, help="For ARNs; clients may name any.")
@click.option(
    "--long-poll",
    type=click.FloatRange(0.1, 60),
    default=60,
    show_default=True,
    help="Seconds for which a poll waits; fewer where something in between hangs up earlier.",
)
@log_options
def swf_server(
    session: Session, host: str, keys: Path | None, domain: str, log_level: str, log_format: str, **options: Any
) -> None:
    """Serve Amazon SWF's protocol, for AWS's SDKs.

    boto3, the AWS CLI and every AWS SDK are clients: point them at it by AWS_ENDPOINT_URL_SWF.
    Runs until SIGTERM or SIGINT: then those who wait for tasks are let go.
    """
    serve, is_loopback = _server()
    if keys is None and not is_loopback(host):
        raise click.UsageError(f"--host {host} can be reached by others: give --keys, or serve 127.0.0.1.")
    secrets = {} if keys is None else _keys(keys)
    log_to_stderr(log_level, log_format)
    backend = session.backend
    options |= {"host": host, "keys": secrets, "bare": domain}
    serve(backend, lambda url: click.echo(f"serving Amazon SWF's protocol at {url}"), **options)


def _server() -> Any:
    try:
        from pyworkflow_swfserver import is_loopback, serve
    except ModuleNotFoundError as error:
        if error.name not in ("botocore", "httptools"):
            raise
        raise click.ClickException(f"the server needs more libraries: {to_install('server')}") from error
    return serve, is_loopback
