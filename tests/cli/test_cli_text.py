"""Text made inert, times read and written, and tables that fit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click
import pytest

from pyworkflow.cli.output import NARROWEST, Column, table
from pyworkflow.cli.text import compact, inert, pretty
from pyworkflow.cli.times import Length, Moment, iso, span


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 茶 🍵", "plain ünïcode 茶 🍵"),
        ("[red]markup[/red]", "[red]markup[/red]"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\x9b2J", "\\u009b2J"),
        ("a\nb\tc\rd\x00", "a\\nb\\tc\\rd\\u0000"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("line\u2028separator", "line\\u2028separator"),
        ("lone \ud800", "lone \\ud800"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_inert(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_inert_keeps_lines_where_it_is_told() -> None:
    assert inert("one\ntwo\x1b", lines=True) == "one\ntwo\\u001b"


@pytest.mark.parametrize("value", ["\x1b]0;title\x07", "\x9b", "\u202e", {"a\nb": [1, None, "\U000e0041"]}])
def test_json_for_people_is_inert_and_still_means_the_same(value: object) -> None:
    for text in (compact(value), pretty(value)):
        assert text.replace("\n", "").isprintable()
        assert json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("1.5", 1.5), ("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("1d12h", 129_600)],
)
def test_lengths(text: str, seconds: float) -> None:
    assert Length().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "7 d", "5y", "1e3", "nan", "inf"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a length of time"):
        Length().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-25T08:30:00+02:00", datetime(2026, 11, 25, 6, 30, tzinfo=UTC)),
        ("2026-11-25T08:30:00Z", datetime(2026, 11, 25, 8, 30, tzinfo=UTC)),
        ("2026-11-25T08:30", datetime(2026, 11, 25, 8, 30).astimezone()),
        ("2026-11-25", datetime(2026, 11, 25).astimezone()),
    ],
)
def test_moments(text: str, time: datetime) -> None:
    assert Moment().convert(text, None, None) == time


def test_an_age_is_a_moment() -> None:
    before = datetime.now(UTC) - timedelta(days=7)
    assert before <= Moment().convert("7d", None, None) <= datetime.now(UTC) - timedelta(days=7)


@pytest.mark.parametrize("text", ["", "yesterday", "7", "99999999d", "2026-13-01"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(click.BadParameter, match="neither a time"):
        Moment().convert(text, None, None)


def test_times_for_programs_sort_as_text() -> None:
    assert iso(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (9.94, "9.9s"), (59, "59s"), (200, "3m 20s"), (3_600, "1h"), (187_200, "2d 4h")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


ID, NUMBER, DATA = Column("id", "ID"), Column("number", "NO", right=True), Column("data", "DATA", elastic=True)


def lines_of(rows: list[dict[str, object]], *columns: Column, width: int | None) -> list[str]:
    return table(rows, columns, width).plain.split("\n")


def test_a_table_aligns_and_leaves_empty_columns_out() -> None:
    rows: list[dict[str, object]] = [{"id": "a", "number": 7}, {"id": "long", "number": 12}]
    assert lines_of(rows, ID, NUMBER, DATA, width=None) == ["ID    NO", "a      7", "long  12"]


def test_only_elastic_columns_are_cut() -> None:
    rows: list[dict[str, object]] = [{"id": "i" * 50, "data": "d" * 50}]
    assert lines_of(rows, ID, DATA, width=72)[1] == "i" * 50 + "  " + "d" * 19 + "…"
    narrow = lines_of(rows, ID, DATA, width=20)[1]
    assert narrow == "i" * 50 + "  " + "d" * (NARROWEST - 1) + "…"


def test_wide_characters_count_twice() -> None:
    head, first, second = lines_of([{"id": "茶", "number": 1}, {"id": "tea", "number": 2}], ID, NUMBER, width=None)
    assert (head, first, second) == ("ID   NO", "茶    1", "tea   2")
