"""
How a process that owns a store ends: not before the store is fully opened, and in any case once its engine has failed.

A failed engine is reported to everybody who waits for it, here too: the next request of the command raises `EngineFailed`, which ends it with one line. If
the command is idle (somebody is typing), the line is printed for it.
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

import click

from tidegate.cli.render import line
from tidegate.errors import EngineFailed, TidegateError

BUG = 70
"""The exit code of an internal error: EX_SOFTWARE of sysexits.h."""

LINGER = 5.0
"""Seconds in which replies about it can be sent, and the command can end by itself. It takes milliseconds."""


class Owner(Protocol):
    """A store that this process owns."""

    @property
    def failure(self) -> TidegateError | None:
        """Return why its engine no longer runs."""
        ...

    def on_end(self, call: Callable[[], None]) -> None:
        """Call this once when its engine has ended."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


R = TypeVar("R", bound=Owner)


def opened(opening: Callable[[], R]) -> R:
    """
    Open a store. SIGTERM and Ctrl-C are deferred meanwhile, and then raise `KeyboardInterrupt`: started attempts are given back when the store is closed, and only then.

    If the engine has failed, this process ends some time later, unless it has ended by then.
    """
    if threading.current_thread() is not threading.main_thread():
        return _watched(opening())
    came: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: came.append(number))
    try:
        owner = _watched(opening())
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
    if came:
        owner.close()
        raise KeyboardInterrupt
    return owner


def _watched(owner: R) -> R:
    owner.on_end(lambda: _end_soon(owner.failure))
    return owner


def _end_soon(error: TidegateError | None) -> None:
    if isinstance(error, EngineFailed):
        timer = threading.Timer(LINGER, _end_now, (error,))
        timer.daemon = True
        timer.start()


def _end_now(error: TidegateError) -> None:
    click.echo(f"error: {line(error.message)}", err=True)
    os._exit(BUG)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
