"""A whole terminal: the command's input, output and errors are one pseudo-terminal, which may reply to what it is asked, as emulators do."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.serving import program

LONGEST = 30.0
"""Seconds after which something that was promised has not happened."""

STYLE = re.compile(rb"\x1b\[[0-9;]*m")

CONTROLLED = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
"""What makes standard input the terminal that signals its processes."""

Replies = Callable[[bytes], bytes]
"""What a terminal says to a piece of output that asks for something."""


def silent(_: bytes) -> bytes:
    return b""


class Screen:
    """Runs `tidegate`, or another program, in a terminal of 80 columns and 24 lines."""

    def __init__(
        self,
        place: Path,
        environment: dict[str, str],
        *words: str,
        replies: Replies = silent,
        argv: Sequence[str] = (),
    ) -> None:
        self._replies = replies
        self._handle, screen = pty.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 800, 480))
        self.process = subprocess.Popen(
            [*(argv or program(CONTROLLED)), *words],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            cwd=place,
            env=environment,
            start_new_session=True,
        )
        os.close(screen)
        self.raw = b""
        self._seen = 0
        self._more = threading.Condition()
        self._leaving, self._leave = os.pipe()
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._handle, self._leaving], [], [])
            if self._leaving in ready:
                return
            try:
                piece = os.read(self._handle, 65_536)
            except OSError:
                return
            if not piece:
                return
            if reply := self._replies(piece):
                os.write(self._handle, reply)
            with self._more:
                self.raw += piece
                self._more.notify_all()

    @property
    def text(self) -> str:
        """What was written, without styles, and with the line ends of a text."""
        return STYLE.sub(b"", self.raw).decode(errors="replace").replace("\r\n", "\n")

    def says(self, words: str) -> None:
        """Wait until it has said this since the last time."""
        with self._more:
            found = self._more.wait_for(lambda: words in self.text[self._seen :], LONGEST)
            assert found, f"{words!r} was not said, but: {self.text[self._seen :]!r}"
            self._seen = self.text.index(words, self._seen) + len(words)

    def type(self, words: str) -> None:
        os.write(self._handle, words.encode())

    def ends(self) -> int:
        """Wait for its end; return its exit code."""
        code = self.process.wait(LONGEST)
        self._reader.join(LONGEST)
        return code

    def hang_up(self) -> int:
        """Close the terminal, as a lost connection does; return the exit code."""
        # Nothing is hung up while a read of it goes on.
        self._stop_reading()
        os.close(self._handle)
        return self.process.wait(LONGEST)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LONGEST)
        if not self._closed:
            self._closed = True
            self._stop_reading()
            os.close(self._leaving)
            os.close(self._leave)

    def _stop_reading(self) -> None:
        os.write(self._leave, b".")
        self._reader.join(LONGEST)
