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

KEY = "a key such as an arrow put control characters into the line: type it again (Backspace deletes), or type @FILE"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What no key for a character types: arrows, function keys and marks of a paste arrive as such. A tab may be meant."""

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

        Errors: `EOFError` at the end, `InvalidValue` for a line that the terminal has cut, or that is not what a person can have meant.
        """
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found or (self._ended and line):
                self._buffer = rest
                if self.is_terminal:
                    if len(line) >= LONGEST_TYPED:
                        raise InvalidValue(TOO_LONG)
                    line = _REPLY.sub(b"", line)
                return self._text(line)
            if self._ended:
                raise EOFError
            self._fill(on_wake)

    def _text(self, line: bytes) -> str:
        """Return a line as text, unchanged: an answer is stored as it was typed, or refused."""
        try:
            text = line.decode().removesuffix("\r")
        except UnicodeDecodeError as error:
            raise InvalidValue(f"the line is not valid UTF-8, at byte {error.start + 1}") from None
        if self.is_terminal and _CONTROL.search(text):
            raise InvalidValue(KEY)
        return text

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
