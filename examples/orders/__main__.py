"""The demo's main program: `python -m examples.orders`, or `python3 run demo`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from . import report
from .audit import is_clean
from .files import Files, Opened, open_files
from .orderbook import ORDERS, BadFile, Order, Rejected, read_orders, read_stock
from .screen import screen_for
from .shop import Shop, Stuck
from .staff import Staff, WorkersCrash
from .tally import Tally, take

INTERRUPTED = 130


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="demo",
        description="An order business: one process per order of a file, with workers as processes of their own.",
        epilog="A finished run in FILE is replaced, an unfinished one goes on.",
    )
    parser.add_argument("--chaos", action="store_true", help="kill workers with SIGKILL all the while")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the chaos (default: 1)")
    parser.add_argument("--workers", type=_positive, default=2, metavar="N", help="processes of each kind (default: 2)")
    parser.add_argument("--orders", type=Path, default=ORDERS, metavar="CSV", help="the orders (default: 293 rows)")
    parser.add_argument("--file", type=Path, default=Path("orders.db"), help="the processes' file (default: orders.db)")
    parser.add_argument("--fresh", action="store_true", help="begin anew where FILE has an unfinished run")
    parser.add_argument("--plain", action="store_true", help="lines instead of a live display")
    parser.add_argument("--json", action="store_true", help="print nothing but the result, as JSON")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 16:
        raise argparse.ArgumentTypeError("1 to 16, please")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    chosen = options(arguments)
    # Whoever ends us politely gets the same as Ctrl-C: workers stop, the file can be gone on with.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        orders, rejected = read_orders(chosen.orders, [article.sku for article in read_stock()])
        opened = open_files(Files(chosen.file), chosen.fresh)
    except BadFile as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    try:
        return _run(chosen, opened, orders, rejected)
    finally:
        opened.close()


def _run(chosen: argparse.Namespace, opened: Opened, orders: list[Order], rejected: list[Rejected]) -> int:
    opened.ledger.accept(orders)
    files = Files(chosen.file)
    staff = Staff(files.url, files.ledger, files.log, chosen.workers, chosen.seed if chosen.chaos else None)
    shop = Shop(opened.manager, opened.ledger, staff)
    if not chosen.json:
        _say_hello(chosen, opened, shop, rejected, len(orders) + len(rejected))
    try:
        _work(chosen, shop)
    except KeyboardInterrupt:
        print(
            f"demo: stopped with {shop.left()} of {shop.orders} orders open. The same command goes on.", file=sys.stderr
        )
        return INTERRUPTED
    except (Stuck, WorkersCrash) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return _close(chosen, opened, shop, rejected)


def _say_hello(chosen: argparse.Namespace, opened: Opened, shop: Shop, rejected: list[Rejected], rows: int) -> None:
    out = report.console(chosen.plain)
    if opened.resumed:
        out.print(
            f"{chosen.file} has an unfinished run, with {shop.left()} orders open: going on. (--fresh begins anew.)"
        )
    elif opened.replaced:
        out.print(f"{chosen.file} had a finished run: replaced.", style="dim")
    chaos = f", and somebody who kills them (seed {chosen.seed})" if chosen.chaos else ""
    out.print(f"{shop.orders} orders, a process for each; {len(shop.staff)} workers to do them{chaos}.")
    report.say_rejected(out, rejected, rows)


def _work(chosen: argparse.Namespace, shop: Shop) -> None:
    with screen_for(chosen.json, chosen.plain) as screen:
        try:
            shop.staff.start()
            done = False
            while not done:
                done = shop.turn()
                screen.show(shop.progress())
                shop.rest()
        finally:
            shop.staff.stop()


def _close(chosen: argparse.Namespace, opened: Opened, shop: Shop, rejected: list[Rejected]) -> int:
    """Count, audit and tell; the exit code."""
    tally: Tally = take(opened.manager, opened.ledger)
    tally.kills, tally.seconds, tally.resumed = shop.staff.kills, shop.seconds, opened.resumed
    if chosen.json:
        print(json.dumps(tally.as_json() | {"rejected": [asdict(row) for row in rejected]}, indent=2))
    else:
        out = report.console(chosen.plain)
        report.say_tally(out, tally)
        report.say_next(out, tally, chosen.file)
    return 0 if is_clean(tally.findings) else 1


if __name__ == "__main__":
    sys.exit(main())
