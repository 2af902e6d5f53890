"""
The engine's side of the fork server (see `forker`): requests workers, has it signal them, and learns of their starts and ends.

An order or a notice is three numbers: what, which worker, and a signal, a process or an exit code. A fork order carries a worker's descriptors.
The first notice of a fork server says that it is up.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from tidegate.executors.fence import MARK, Mark
from tidegate.executors.surroundings import Surroundings

NOTICE = struct.Struct("=iii")
FORK, SIGNAL = 1, 2
BORN, ENDED, UP = 3, 4, 5
EVERYTHING = Surroundings()
LONGEST = 5.0
"""Seconds that a fork server may take to end."""


class ForkServer:
    """A running fork server. Its own output, if it cannot start, goes to a file."""

    def __init__(
        self, scratch: Path, mark: Mark, now: float, surroundings: Surroundings = EVERYTHING
    ) -> None:
        self._scratch = scratch
        self._rest = b""
        self.since = now
        """When it was started, by the monotonic clock."""
        self.is_up = False
        # Whatever is exhausted (descriptors, disk, processes), what was opened before is released: this is retried again and again.
        with ExitStack() as undo:
            self.printed = os.open(
                scratch, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600
            )
            undo.callback(scratch.unlink, missing_ok=True)
            undo.callback(os.close, self.printed)
            self.control, theirs = socket.socketpair()
            undo.callback(self.control.close)
            self.control.setblocking(False)
            with theirs:
                self._process = self._start(theirs.fileno(), mark, surroundings)
            undo.pop_all()

    def _start(
        self, control: int, mark: Mark, surroundings: Surroundings
    ) -> "subprocess.Popen[bytes]":
        # -P: the directory we were started in is not the author's source tree; the bundle is.
        command = [sys.executable, "-P", "-m", "tidegate.executors.forker", str(control)]
        # A separate session: the terminal's interrupt reaches neither it nor the workers.
        return subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.printed,
            stderr=self.printed,
            pass_fds=(control,),
            env={**surroundings.variables(), MARK: str(mark)},
            start_new_session=True,
        )

    def fork(self, number: int, given: Sequence[int]) -> None:
        """Fork a worker, with a stream, permits, and a file for its output. Errors: `OSError`."""
        socket.send_fds(self.control, [NOTICE.pack(FORK, number, 0)], given)

    def signal(self, number: int, which: signal.Signals) -> None:
        """Signal a worker and its descendants; nothing if it has ended."""
        with suppress(OSError):  # the fork server is gone, which will be noticed
            self.control.send(NOTICE.pack(SIGNAL, number, which))

    def hear(self) -> list[tuple[int, int, int]]:
        """Return the notices received since. Errors: `EOFError` if the fork server has ended."""
        try:
            chunk = self.control.recv(64 * 1024)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            raise EOFError
        chunk = self._rest + chunk
        whole = len(chunk) - len(chunk) % NOTICE.size
        self._rest = chunk[whole:]
        return list(NOTICE.iter_unpack(chunk[:whole]))

    def close(self) -> int:
        """End the fork server, which ends what is left of its workers; return its exit code."""
        self.control.close()
        try:
            code = self._process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.wait()
        self._let_go()
        return code

    def kill(self) -> None:
        """End a fork server that hangs."""
        self._process.kill()

    def _let_go(self) -> None:
        self.control.close()
        os.close(self.printed)
        self._scratch.unlink(missing_ok=True)
