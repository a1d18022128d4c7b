"""The log of a worker or a server on stderr: lines for people, or JSON for what collects logs."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

import click

from .options import F, all_of
from .text import inert
from .times import iso

LEVELS = ("debug", "info", "warning", "error")
FIELDS = ("process_id", "run", "activity", "worker")
"""What records of a worker carry: worker.log.FIELDS, repeated because help must not import the library."""


def log_options(function: F) -> F:
    """--log-level and --log-format, for `log_to_stderr`."""
    return all_of(
        click.option("--log-level", type=click.Choice(LEVELS, case_sensitive=False), default="info", show_default=True),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help=f"Lines for people; or JSON, a line each, with time, level, logger, message, {', '.join(FIELDS)}.",
        ),
    )(function)


def log_to_stderr(level: str, form: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if level.upper() != "DEBUG":  # While a server is away the worker says so, once for each try.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def formatter(form: str) -> logging.Formatter:
    return _Json() if form == "json" else _Text()


class _Text(logging.Formatter):
    """Lines that say of which process and activity they are, and are inert: they quote what users wrote."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.rstrip()
        first = record.message.partition("\n")[0]
        about = [str(value) for value in (getattr(record, name, "") for name in ("process_id", "activity")) if value]
        if told := " ".join(value for value in about if not _names(first, value)):
            record.message = f"{told}: {record.message}"
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return inert(super().format(record), lines=True)


def _names(message: str, value: str) -> bool:
    """Is it named in a message: in quotes, or before a colon as a token or a title begins with it?"""
    return repr(value) in message or re.search(rf"(?:^|\s){re.escape(value)}:", message) is not None


class _Json(logging.Formatter):
    """One JSON object a line; what a record does not have is null."""

    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, object] = {
            "time": iso(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        row |= {name: getattr(record, name, None) or None for name in FIELDS}
        if record.exc_info:
            row["exception"] = self.formatException(record.exc_info)
        return json.dumps(row, default=str)
