"""The order business, unchanged, on Amazon SWF: its orders end as they do on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from examples.orders.app import workflows
from examples.orders.audit import is_clean
from examples.orders.ledger import BUSY, CARDS, Ledger
from examples.orders.orderbook import CARD, Order, read_orders, read_stock
from examples.orders.shop import Shop
from examples.orders.tally import take
from pyworkflow import Manager
from pyworkflow.backend.amazonswf import AmazonSWFBackend
from tests.examples.test_orders import EXPECTED, FEW, ROOT, TICKETS
from tests.servers.moto import KEYS, at_the_time_of

APP = "examples.orders.app:workflows"
PATIENCE = 90.0


def orders(simple: bool) -> list[Order]:
    """Those of the example's test; the simple ones need no child, no addition and no second try, moto's gaps."""
    found, _ = read_orders(FEW, [article.sku for article in read_stock()])
    busy = {card for card, answers in CARDS.items() if BUSY in answers}
    return [it for it in found if not simple or (it.payment == CARD and not it.adds and it.card not in busy)]


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("ORDERS_LEDGER", str(path))
    with Ledger.create(path, read_stock()) as ledger:
        yield ledger


def run(manager: Manager, ledger: Ledger, orders: list[Order], tmp_path: Path) -> None:
    """Let the shop do its business with whatever workers there are, and see how its orders ended."""
    ledger.accept(orders)
    staff = SimpleNamespace(turn=list, kills=0, log=tmp_path / "log")
    shop = Shop(manager, ledger, staff)  # type: ignore[arg-type]
    until = time.monotonic() + PATIENCE
    while not shop.turn():
        assert time.monotonic() < until, f"{shop.left()} orders are open"
        shop.rest()
    tally = take(manager, ledger)
    assert is_clean(tally.findings)
    ended = tally.as_json()["by_order"]
    expected = {order.id: EXPECTED[order.id] for order in orders if order.id not in TICKETS}
    assert {order: outcome for order, outcome in ended.items() if order not in TICKETS} == expected
    assert Counter(ended[order] for order in TICKETS) == {"shipped": 2, "out of stock": 1}


@contextmanager
def programs(url: str, number: int, let_go: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Worker processes at work; all must end well, when what they wait for is let go."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with ExitStack() as all:
        workers = [all.enter_context(program("-b", url, "-A", APP, "worker", **keys)) for _ in range(number)]
        yield
        for worker in workers:
            worker.terminate()
        let_go()
        errors = [worker.communicate(timeout=PATIENCE)[1] for worker in workers]
        assert [worker.returncode for worker in workers] == [0] * number, errors


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The command line at work, killed at the end where it has not ended."""
    command = [sys.executable, "-m", "pyworkflow.cli", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_all_orders_end_as_ever_through_our_server(ledger: Ledger, tmp_path: Path) -> None:
    with program("-b", f"sqlite:///{tmp_path}/work.db", "swf-server", "--port", "0") as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        backend = AmazonSWFBackend(**KEYS, domain="shop", endpoint_url=address, ensure_domain=True)
        with closing(backend), programs(f"swf://shop?endpoint_url={address}&polls=2", 2, server.terminate):
            run(Manager(backend, workflows), ledger, orders(simple=False), tmp_path)


def test_simple_orders_end_as_ever_on_moto(ledger: Ledger, tmp_path: Path, moto: str) -> None:
    url = f"swf://shop?region={KEYS['region']}&endpoint_url={moto}&polls=2"
    with at_the_time_of(time.time, timeouts=False):
        backend = AmazonSWFBackend(**KEYS, domain="shop", endpoint_url=moto, ensure_domain=True)
        backend.exchange()
        with programs(url, 2):
            run(Manager(backend, workflows), ledger, orders(simple=True), tmp_path)
