"""
Standard input, read line by line, that can be woken while it waits for a line.

Input typed for one question must never answer another: see `forget`.
"""

import os
import re
import select
import termios
from collections.abc import Callable
from contextlib import suppress

from tidegate.errors import InvalidValue
from tidegate.sdk.ask import LONGEST_TYPED

STDIN = 0
CHUNK = 65_536
TOO_LONG = (
    f"a terminal cuts lines at {LONGEST_TYPED:,} bytes: put the answer into a file, and type @FILE"
)


_REPLY = re.compile(rb"\x1b\[\?[0-9;]*c|\x1b_G[^\x1b]{0,200}\x1b\\")
"""What a terminal replies when it is asked what it can (see `pictures`): one that is far away does so when nobody waits any longer."""


class Lines:
    """
    The lines of standard input.

    `wake` may be called from any thread; everything else from one.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._ended = False
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)

    @property
    def is_terminal(self) -> bool:
        """Whether a person is at the terminal."""
        try:
            return os.isatty(STDIN)
        except OSError:
            return False

    def read(self, on_wake: Callable[[], None]) -> str:
        """
        Return the next line, without its end. Calls `on_wake` at each `wake`; an exception from it ends the read.

        Errors: `EOFError` at the end, `InvalidValue` for a line that the terminal has cut.
        """
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found or (self._ended and line):
                self._buffer = rest
                if self.is_terminal:
                    if len(line) >= LONGEST_TYPED:
                        raise InvalidValue(TOO_LONG)
                    line = _REPLY.sub(b"", line)
                return line.decode(errors="replace").removesuffix("\r")
            if self._ended:
                raise EOFError
            self._fill(on_wake)

    def forget(self) -> None:
        """Drop what has been typed but not read, even half a line; input from a pipe or a file is kept."""
        if self.is_terminal:
            self._buffer = b""
            with suppress(termios.error):
                termios.tcflush(STDIN, termios.TCIFLUSH)

    def wake(self) -> None:
        """Interrupt the reader."""
        try:
            os.write(self._waker, b"!")
        except (BlockingIOError, OSError):
            return  # woken often enough, or nobody reads

    def _fill(self, on_wake: Callable[[], None]) -> None:
        try:
            ready, _, _ = select.select([STDIN, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, CHUNK)
                on_wake()
            if STDIN in ready:
                chunk = os.read(STDIN, CHUNK)
                self._buffer += chunk
                self._ended = not chunk
        except OSError:
            self._ended = True  # standard input is closed
