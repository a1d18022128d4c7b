"""The guard: what gives another answer each time (clocks, chance, sockets, threads) raises when workflow code calls it.

It stands in the way of calls from users' modules only: logging may look at the clock, and so may a debugger. A function
that was imported by its name before (`from time import time`) is not found; nothing is that was imported so.
"""

from __future__ import annotations

import math
import os
import random
import secrets
import socket
import subprocess
import sys
import sysconfig
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from types import FrameType
from typing import Any, TypeVar

from ..exceptions import NotAllowedInWorkflow

T = TypeVar("T")
_inside: ContextVar[str] = ContextVar("pyworkflow.inside", default="")

_CLOCK = "ctx.now() is the time of the process"
_NOW = "ctx.now() is the time of the process: hand it over"
_SLEEP = "`await asyncio.sleep(…)` or ctx.sleep(…) lets the process sleep"
_CHANCE = "ctx.random is chance that stays the same when the code is run again"
_SEED = "ctx.random is one; any other needs a seed that stays the same"
_UUID = "ctx.uuid4() gives one that stays the same when the code is run again"
_OUTSIDE = "talk to the world in an activity"
_THREADS = "start several activities instead, or asyncio tasks"

FORBIDDEN: tuple[tuple[Any, tuple[str, ...], str], ...] = (
    (time, ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"), _CLOCK),
    (time, ("process_time", "process_time_ns", "thread_time", "thread_time_ns"), _CLOCK),
    (time, ("localtime", "gmtime", "ctime", "asctime", "strftime"), _NOW),
    (time, ("sleep",), _SLEEP),
    (
        random,
        ("random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "gauss", "getrandbits"),
        _CHANCE,
    ),
    (random, ("randbytes", "triangular", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate"), _CHANCE),
    (random, ("betavariate", "gammavariate", "paretovariate", "weibullvariate", "seed"), _CHANCE),
    (random.SystemRandom, ("random", "getrandbits"), _CHANCE),
    (random.Random, ("__init__",), _SEED),
    (secrets, ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"), _CHANCE),
    (os, ("urandom",), _CHANCE),
    (uuid, ("uuid1", "uuid4"), _UUID),
    (socket.socket, ("__init__",), _OUTSIDE),
    (subprocess.Popen, ("__init__",), _OUTSIDE),
    (threading.Thread, ("start",), _THREADS),
)
"""Whose functions raise in workflow code, and what to use instead."""

_UNLESS_GIVEN = {"strftime": 2, "__init__": 2, "localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1}
"""Of those with these hints: what is given so many arguments, `self` among them, looks at nothing."""

_EVEN_FROM_LIBRARIES = (_OUTSIDE, _THREADS)
_MAY = ("logging", "pdb", "bdb", "pydevd", "_pydevd_bundle", "debugpy", "faulthandler")
"""Who may do these things on the way all the same: what looks on, and changes nothing."""


def run_guarded(call: Callable[[], T], module: str) -> T:
    """Call the workflow code of a module: its package is its author's, even where that was installed."""
    token = _inside.set(module.partition(".")[0])
    try:
        return call()
    finally:
        _inside.reset(token)


@contextmanager
def unguarded() -> Iterator[None]:
    """What is run here may do anything, and answers for it."""
    token = _inside.set("")
    try:
        yield
    finally:
        _inside.reset(token)


@lru_cache(maxsize=1)
def install() -> None:
    """Put the guard in front of all that is forbidden; outside of workflow code it lets everything pass."""
    for owner, names, hint in FORBIDDEN:
        for name in names:
            setattr(owner, name, _guard(getattr(owner, name), f"{_name_of(owner)}.{name}", hint))


def _guard(function: Callable[..., Any], name: str, hint: str) -> Callable[..., Any]:
    least = _UNLESS_GIVEN[function.__name__] if hint in (_NOW, _SEED) else math.inf

    @wraps(function)
    def guard(*args: Any, **kwargs: Any) -> Any:
        if _inside.get() and len(args) + len(kwargs) < least and _concerns(hint, sys._getframe(1)):
            shown = name.removesuffix(".__init__")
            raise NotAllowedInWorkflow(
                f"{shown}() in workflow code, which is run again from its history: {hint}. "
                "To do it all the same: ctx.side_effect(…), or `with ctx.unguarded():`"
            )
        return function(*args, **kwargs)

    return guard


def _concerns(hint: str, frame: FrameType) -> bool:
    """Clocks and chance count where a user's module asks itself, the world whoever asks on its behalf."""
    if hint not in _EVEN_FROM_LIBRARIES:
        return _is_authors(frame)
    caller: FrameType | None = frame
    while caller is not None and not _is_authors(caller):
        if _package(caller) in _MAY:
            return False
        caller = caller.f_back
    return True


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _is_authors(frame: FrameType) -> bool:
    return is_users(frame.f_code.co_filename) or _package(frame) == _inside.get() != "pyworkflow"


def _name_of(owner: Any) -> str:
    return getattr(owner, "__name__", str(owner))


@lru_cache(maxsize=10_000)
def is_users(filename: str) -> bool:
    """Is it a file of the user's, rather than of Python's or of an installed library?"""
    return not filename.startswith((*_LIBRARIES, "<frozen"))


_LIBRARIES = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})
