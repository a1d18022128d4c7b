"""Rows to a table for people, or to JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from .rows import Row
from .text import inert
from .times import iso

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GAP = "  "
NARROWEST = 12
WIDEST_IN_A_PIPE = 200


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _unstyled(row: Row) -> str:
    return ""


@dataclass(frozen=True)
class Column:
    """A column of a table. One that is `elastic` may be cut to fit the terminal; ids never are.

    `least` is its width in a stream, where the rows to come are not known.
    """

    field: str
    title: str
    show: Callable[[Any], str] = _plain
    elastic: bool = False
    right: bool = False
    least: int = 0
    style: Callable[[Row], str] = _unstyled


def emit(rows: Iterable[Row], columns: Sequence[Column], form: str, nothing: str) -> None:
    """Print rows as a table (`nothing` on stderr where there are none), a JSON array, or a line of JSON each."""
    if form == "jsonl":
        for row in rows:
            click.echo(to_json(row))
    elif form == "json":
        click.echo(to_json(list(rows), indent=2))
    elif found := list(rows):
        console().print(table(found, columns, width()), soft_wrap=True)
    else:
        click.echo(nothing, err=True)


def emit_one(row: Row, form: str, show: Callable[[], None]) -> None:
    """Print one thing: as JSON, or by `show` for people."""
    if form == "table":
        show()
    else:
        click.echo(to_json(row, indent=2 if form == "json" else None))


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON in ASCII: valid whatever the encoding of stdout, and no terminal obeys it."""
    return json.dumps(value, indent=indent, default=_foreign)


def _foreign(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else str(value)


def console(**settings: Any) -> Console:
    """Prints to the stdout of now, in colours only where that is a terminal that has them."""
    from rich.console import Console

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1

    return _Console(highlight=False, markup=False, emoji=False, **settings)


def width() -> int | None:
    """The width of the terminal; None where stdout is none, and nothing needs to fit."""
    return console().width if sys.stdout.isatty() else None


def table(rows: Sequence[Row], columns: Sequence[Column], width: int | None) -> Text:
    """A table as text that is never parsed for markup. Columns that are empty throughout are left out."""
    from rich.text import Text

    cells = _cells(rows, columns)
    cells = {column: texts for column, texts in cells.items() if any(texts)}
    widths = _widths(cells, dict.fromkeys(cells, 0), width)
    return Text("\n").join([_head(widths), *_lines(rows, cells, widths)])


class Stream:
    """A table that is printed as its rows come: no column is left out, and widths only grow."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._widths = {column: column.least for column in columns}
        self._begun = False

    def print(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        cells = _cells(rows, self._columns)
        self._widths = _widths(cells, self._widths, width())
        lines = _lines(rows, cells, self._widths)
        console().print(*(lines if self._begun else [_head(self._widths), *lines]), sep="\n", soft_wrap=True)
        self._begun = True


def _cells(rows: Sequence[Row], columns: Sequence[Column]) -> dict[Column, list[str]]:
    return {column: [inert(column.show(row.get(column.field))) for row in rows] for column in columns}


def _head(widths: dict[Column, int]) -> Text:
    from rich.text import Text

    return Text(GAP.join(_fit(column.title, width, column.right) for column, width in widths.items()).rstrip(), "bold")


def _lines(rows: Sequence[Row], cells: dict[Column, list[str]], widths: dict[Column, int]) -> list[Text]:
    from rich.text import Text

    lines = []
    for number, row in enumerate(rows):
        line = Text()
        for column, width in widths.items():
            line.append(_fit(cells[column][number], width, column.right), column.style(row)).append(GAP)
        line.rstrip()
        lines.append(line)
    return lines


def _widths(cells: dict[Column, list[str]], least: dict[Column, int], width: int | None) -> dict[Column, int]:
    """The columns' widths: what their cells need; the widest elastic one gives way until all fit, as far as it can."""
    from rich.cells import cell_len

    widths = {column: max(least[column], *map(cell_len, [column.title, *texts])) for column, texts in cells.items()}
    elastic = [column for column in cells if column.elastic]
    if width is None:
        return widths | {column: min(widths[column], WIDEST_IN_A_PIPE) for column in elastic}
    excess = sum(widths.values()) + len(GAP) * (len(widths) - 1) - width
    while excess > 0 and elastic:
        widest = max(elastic, key=widths.__getitem__)
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def _fit(text: str, width: int, right: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    space = width - cell_len(text)
    if space < 0:
        return set_cell_size(text, width - 1) + "…"
    return " " * space + text if right else text + " " * space
