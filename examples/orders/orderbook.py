"""Reading the files that the business starts with: the stock, and the orders with their bad rows set apart."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent
ORDERS, STOCK = HERE / "orders.csv", HERE / "stock.csv"
COLUMNS = (
    *("order", "placed", "customer", "country", "items", "payment", "card"),
    *("customer_adds", "customer_pays"),
)
CARD, INVOICE = "card", "invoice"

Items = dict[str, int]


class BadFile(Exception):
    """The file as a whole cannot be used."""


class BadRow(ValueError):
    """A row is no order; the message says why."""


@dataclass(frozen=True)
class Article:
    """Something to sell: its price, and how many there are in which warehouse."""

    sku: str
    name: str
    cents: int
    warehouse: str
    quantity: int


@dataclass(frozen=True)
class Order:
    """A row of the file.

    The last two say what the customer is going to do: add something while the order runs, and pay after how many
    letters (None: never). Nobody in the shop reads them.
    """

    id: str
    placed: str
    customer: str
    country: str
    items: Items
    payment: str
    card: str
    adds: Items
    pays: int | None


@dataclass(frozen=True)
class Rejected:
    """A row that was not made an order."""

    line: int
    order: str
    reason: str


def read_stock(path: Path = STOCK) -> list[Article]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Article(row["sku"], row["name"], int(row["cents"]), row["warehouse"], int(row["quantity"]))
            for row in csv.DictReader(file)
        ]


def read_orders(path: Path, skus: Iterable[str]) -> tuple[list[Order], list[Rejected]]:
    """The orders of a file for articles among `skus`, and the rows that cannot be orders. Raises BadFile."""
    orders: dict[str, Order] = {}
    rejected = []
    known = frozenset(skus)
    for line, row in _rows(path):
        try:
            order = _order(row, known)
            if order.id in orders:
                raise BadRow("the order id is already taken")
            orders[order.id] = order
        except BadRow as error:
            rejected.append(Rejected(line, (row.get("order") or "").strip(), str(error)))
    return list(orders.values()), rejected


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", restkey="too much")
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise BadFile(f"{path} is no order file: it has no column {', '.join(missing)}")
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path} is no CSV file in UTF-8: {error}") from error


def _order(row: dict[str, str], skus: frozenset[str]) -> Order:
    if "too much" in row:
        raise BadRow("too many fields: is a quote missing?")
    field = {name: row[name].strip() for name in COLUMNS}
    return Order(
        id=_matching(field["order"], r"[A-Z0-9][A-Z0-9-]{0,30}", "order id"),
        placed=_placed(field["placed"]),
        customer=_matching(field["customer"], r".{1,100}", "customer"),
        country=_matching(field["country"], r"[A-Z]{2}", "country"),
        items=_items(field["items"], skus),
        payment=_payment(field["payment"]),
        card=_card(field["card"], field["payment"]),
        adds=_items(field["customer_adds"], skus) if field["customer_adds"] else {},
        pays=_pays(field["customer_pays"], field["payment"]),
    )


def _matching(text: str, pattern: str, what: str) -> str:
    if not text:
        raise BadRow(f"no {what}")
    if not re.fullmatch(pattern, text):
        raise BadRow(f"{text!r} is no {what}")
    return text


def _placed(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat(timespec="minutes")
    except ValueError:
        raise BadRow(f"{text!r} is no date" if text else "no date") from None


def _items(text: str, skus: frozenset[str]) -> Items:
    """The items of "sku:quantity;…"; the same article twice is added up."""
    items: Items = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        sku, _, quantity = part.partition(":")
        if sku not in skus:
            raise BadRow(f"no such article: {sku!r}")
        if not re.fullmatch(r"[1-9][0-9]{0,3}", quantity):
            raise BadRow(f"{quantity!r} is no quantity of {sku}" if quantity else f"no quantity of {sku}")
        items[sku] = items.get(sku, 0) + int(quantity)
    if not items:
        raise BadRow("no items")
    return items


def _payment(text: str) -> str:
    if text not in (CARD, INVOICE):
        raise BadRow(f"{text!r} is no way to pay" if text else "no way to pay")
    return text


def _card(text: str, payment: str) -> str:
    if payment != CARD:
        return ""
    number = _matching(text.replace(" ", ""), r"[0-9]{13,19}", "card number")
    if not _luhn(number):
        raise BadRow("the card number has a typing error")
    return number


def _luhn(number: str) -> bool:
    """The check digit that every card number ends with."""
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(number)))
    return sum(digit - 9 * (digit > 9) for digit in doubled) % 10 == 0


def _pays(text: str, payment: str) -> int | None:
    if payment != INVOICE or text == "never":
        return None
    return int(_matching(text, "[123]", "number of letters"))
