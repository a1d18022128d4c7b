"""Progress while the business runs: a calm live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from .activities import PARCEL_REFUSED
from .shop import Progress
from .workflows import SHIPPED, UNPAID

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

LINES = 4
EVERY = 2.0  # seconds between plain lines


def style_of(outcome: str) -> str:
    return {SHIPPED: "green", UNPAID: "yellow", str(PARCEL_REFUSED.reason): "magenta"}.get(outcome, "red")


class Screen(AbstractContextManager["Screen"]):
    """Shows nothing: what a program wants that reads the result."""

    def show(self, progress: Progress) -> None:
        """Show how far things are."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""


class PlainScreen(Screen):
    """A line every other second."""

    def __init__(self) -> None:
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        if progress.seconds < self._next and progress.ended < progress.orders:
            return
        self._next = progress.seconds + EVERY
        killed = f", {progress.kills} workers killed" if progress.kills else ""
        print(
            f"{progress.seconds:5.1f} s: {progress.started} of {progress.orders} orders started, "
            f"{progress.ended} ended, {progress.outcomes[SHIPPED]} of them shipped{killed}",
            flush=True,
        )


class LiveScreen(Screen):
    """A bar of the outcomes, and the latest news."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._news: deque[tuple[str, str]] = deque(maxlen=LINES)

    def __enter__(self) -> LiveScreen:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        self._news.extend((time.strftime("%H:%M:%S"), line) for line in progress.news)
        self._live.update(self._picture(progress), refresh=True)

    def _picture(self, progress: Progress) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        width = min(self._console.width, 100) - 4
        lines = [Text(), _numbers(progress), _bar(progress, width), _legend(progress), Text()]
        for at, news in self._news:
            lines.append(Text(f"  {at}  ", "dim", no_wrap=True, overflow="ellipsis").append(news, _news_style(news)))
        lines += [Text()] * (LINES - len(self._news))
        return Group(*lines)


def _numbers(progress: Progress) -> Text:
    from rich.text import Text

    text = Text("  ", no_wrap=True, overflow="ellipsis").append(f"{progress.ended}", "bold")
    text.append(f" of {progress.orders} orders have ended")
    text.append(f"   {progress.started - progress.ended} under way   {progress.seconds:.0f} s", "dim")
    return text.append(f"   {progress.kills} workers killed", "red") if progress.kills else text


def _bar(progress: Progress, width: int) -> Text:
    """One line: a stretch for each outcome, then for those under way, then for those to come."""
    from rich.text import Text

    parts = [(count, "━", style_of(outcome)) for outcome, count in _in_order(progress)]
    parts.append((progress.started - progress.ended, "━", "bright_black"))
    bar, done, drawn = Text("  ", no_wrap=True), 0, 0
    for count, character, style in parts:
        done += count
        end = round(width * done / max(progress.orders, 1))
        bar.append(character * (end - drawn), style)
        drawn = max(end, drawn)
    return bar.append("─" * (width - drawn), "bright_black dim")


def _legend(progress: Progress) -> Text:
    from rich.text import Text

    legend = Text("  ", no_wrap=True, overflow="ellipsis")
    for outcome, count in _in_order(progress):
        legend.append("━ ", style_of(outcome)).append(f"{count} {outcome}   ", "dim")
    return legend


def _in_order(progress: Progress) -> list[tuple[str, int]]:
    styles = ["green", "magenta", "yellow", "red"]
    return sorted(progress.outcomes.items(), key=lambda item: (styles.index(style_of(item[0])), item[0]))


def _news_style(news: str) -> str:
    return "red" if news.startswith("kill") else ""


def screen_for(json: bool, plain: bool) -> Screen:
    """What suits where the output goes."""
    if json:
        return Screen()
    return PlainScreen() if plain or not sys.stdout.isatty() else LiveScreen()
