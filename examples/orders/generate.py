"""Makes orders.csv: `python -m examples.orders.generate > examples/orders/orders.csv`; always the same."""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from .orderbook import CARD, COLUMNS, INVOICE, read_stock

Row = dict[str, str]

GOOD_CARDS = (
    *("4242424242424242", "4000056655665556", "5555555555554444", "5200828282828210"),
    *("378282246310005", "6011111111111117", "3056930009020004", "3566002020360505"),
)
NEAR, ABROAD, BY_AIR = (
    ("BE", "DE", "DE", "DE", "FR", "FR", "NL"),
    ("AT", "DK", "ES", "IT", "PL", "SE"),
    ("AU", "CA", "JP", "US"),
)
FIRST = (
    *("Ada", "Akira", "Amélie", "Anil", "Bruno", "Chloé", "Dilek", "Emil", "Fatima", "Greta", "Hugo", "Ines", "Jonas"),
    *("Katya", "Lars", "Mei", "Nadia", "Ole", "Priya", "Quentin", "Rosa", "Søren", "Teresa", "Umut", "Vera", "Yusuf"),
)
LAST = (
    *("Abe", "Bakker", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanov", "Jansen", "Kowalska"),
    *("Lindqvist", "Müller", "Nowak", "O'Brien", "Petit", "Rossi", "Schmidt", "Takahashi", "Vogel", "Weber", "Zhang"),
)
USUAL = (
    "TEA-ASSAM",
    "TEA-SENCHA",
    "COFFEE-YIRGA",
    "COFFEE-HUILA",
    "FILTER",
    "MUG",
    "CHOCOLATE",
    "TEAPOT",
    "GRINDER",
    "SCALE",
)


class Shop:
    """Draws rows; each kind of order is a method."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sellable = [article.sku for article in read_stock() if article.sku in USUAL]

    def usual(self) -> Row:
        wanted = self.random.sample(self.sellable, self.random.choice((1, 1, 2, 2, 3)))
        return {
            "customer": f"{self.random.choice(FIRST)} {self.random.choice(LAST)}",
            "country": self.random.choice(NEAR if "SCALE" in wanted else (*NEAR, *ABROAD, *BY_AIR)),
            "items": ";".join(f"{sku}:{self.random.choice((1, 1, 1, 2, 3))}" for sku in wanted),
            "payment": CARD,
            "card": self.random.choice(GOOD_CARDS),
            "customer_adds": "",
            "customer_pays": "",
        }

    def with_card(self, number: str) -> Row:
        return self.usual() | {"card": number}

    def invoice(self, letters: str) -> Row:
        return self.usual() | {"payment": INVOICE, "card": "", "customer_pays": letters}

    def adding(self, items: str) -> Row:
        return self.usual() | {"customer_adds": items}

    def ticket(self) -> Row:
        return self.usual() | {"items": "TICKET:1;CHOCOLATE:2", "country": "DE"}

    def refused(self, payment: Row) -> Row:
        goods = self.random.choice(("SCALE:1", "TEA-SENCHA:2;SCALE:1", "COFFEE-HUILA:1;TEA-ASSAM:1;SCALE:1;MUG:2"))
        return payment | {"items": goods, "country": self.random.choice(BY_AIR)}

    def sold_out(self, items: str) -> Row:
        return self.usual() | {"items": items}

    def broken(self, **fields: str) -> Row:
        return self.usual() | fields


def rows(seed: int) -> list[Row]:
    shop = Shop(seed)
    draws: list[tuple[int, Callable[[], Row]]] = [
        (167, shop.usual),
        (8, lambda: shop.with_card("4000000000000002")),
        (4, lambda: shop.with_card("4000000000009995")),
        (14, lambda: shop.with_card("4000000000000119")),
        (3, lambda: shop.with_card("4000000000000341")),
        (12, lambda: shop.invoice("1")),
        (11, lambda: shop.invoice("2")),
        (6, lambda: shop.invoice("3")),
        (9, lambda: shop.invoice("never")),
        (9, lambda: shop.adding("CHOCOLATE:2")),
        (3, lambda: shop.adding("COFFEE-YIRGA:1;FILTER:1")),
        (2, lambda: shop.adding("SAMOVAR:1")),
        (9, shop.ticket),
        (9, lambda: shop.refused(shop.usual())),
        (2, lambda: shop.refused(shop.invoice("1"))),
        (5, lambda: shop.sold_out("SAMOVAR:1;TEA-ASSAM:2")),
        (2, lambda: shop.sold_out("TEAPOT:2;GRINDER:500")),
        *_broken(shop),
    ]
    drawn = [draw() for count, draw in draws for _ in range(count)]
    shop.random.shuffle(drawn)
    return _numbered(drawn, shop.random)


def _broken(shop: Shop) -> list[tuple[int, Callable[[], Row]]]:
    faults = (
        *({"customer": ""}, {"country": "Germany"}, {"items": ""}, {"items": "TEA-ASSAM:0"}, {"items": "MUG:two"}),
        *({"items": "UNICORN:1"}, {"items": "MUG;FILTER:1"}, {"payment": "barter"}, {"payment": ""}),
        *({"card": ""}, {"card": "4242424242424241"}, {"placed": "31/11/2026"}, {"placed": ""}),
        *({"order": ""}, {"order": "S 1.200"}, {"order": "again"}, {"order": "again"}),
        *({"payment": INVOICE, "card": "", "customer_pays": "soon"},),
    )
    return [(1, partial(shop.broken, **fields)) for fields in faults]


def _numbered(drawn: list[Row], random: random.Random) -> list[Row]:
    """Number and date them; "again" takes the id of an order a little before it."""
    placed = datetime(2026, 11, 2, 7, 58)
    numbered: list[Row] = []
    for number, row in enumerate(drawn, 1001):
        placed += timedelta(minutes=random.randint(1, 9))
        row = {"order": f"S-{number}", "placed": placed.isoformat(timespec="minutes")} | row
        if row["order"] == "again":
            row["order"] = numbered[-5]["order"]
        numbered.append(row)
    return numbered


def main() -> None:
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(seed=2026))


if __name__ == "__main__":
    main()
