"""
A child that its worker has forked ahead: it waits for one assignment, carries it out, returns the report, and ends.

Its end and its report are watched at the same time, because a program that it has started may hold the other end of its stream as well.
"""

import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

from tidegate.executors.frames import LENGTH

CHUNK = 64 * 1024

WITHOUT_NOTICE = 50
"""Milliseconds between two checks whether a child has ended, if the system does not report it by itself (`pidfd_open`)."""


class Spare:
    """A child, as its worker sees it. It has its own process group, with its id; it is ended by the template that has forked it."""

    def __init__(self, process: int, stream: socket.socket) -> None:
        self.process = process
        self._stream = stream
        self._notice = _notice_of_end(process)
        self._heard = bytearray()

    def give(self, *parts: bytes) -> None:
        """Give it its assignment."""
        with suppress(OSError):  # it has ended, which will be noticed
            self._stream.sendall(b"".join(len(part).to_bytes(LENGTH) + part for part in parts))

    def report(self, supervisor: int, has_ended: Callable[[int], bool]) -> bytes | None:
        """
        Wait for the frame of its report; None if it has ended without one. `has_ended` says so if the system does not.

        Errors: `EOFError` if the supervisor, at this descriptor, is gone; those of `has_ended`.
        """
        waiter = select.poll()
        waiter.register(supervisor, 0)
        waiter.register(self._stream, select.POLLIN)
        notice = self._notice
        if notice is not None:
            waiter.register(notice, select.POLLIN)
        open_ = True
        while True:
            ready = [each for each, _ in waiter.poll(None if notice else WITHOUT_NOTICE)]
            if supervisor in ready:
                raise EOFError
            # Checked before its stream is read, so that no report is missed.
            ended = notice in ready if notice is not None else has_ended(self.process)
            if open_ and not self._hear():
                open_ = False
                waiter.unregister(self._stream)
            if self._is_whole():
                return bytes(self._heard)
            if ended:
                return None

    def close(self) -> None:
        """Release it. If it is waiting, it ends."""
        self._stream.close()
        if self._notice is not None:
            os.close(self._notice)
            self._notice = None

    def signal(self, which: signal.Signals) -> None:
        """Signal its process group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process, which)

    def _hear(self) -> bool:
        """Read what is there; False if nothing more will come."""
        with suppress(OSError):
            while True:
                chunk = self._stream.recv(CHUNK, socket.MSG_DONTWAIT)
                if not chunk:
                    return False
                self._heard += chunk
        return True

    def _is_whole(self) -> bool:
        length = int.from_bytes(self._heard[:LENGTH])
        return len(self._heard) >= LENGTH and len(self._heard) >= LENGTH + length


def receive(stream: socket.socket) -> bytes | None:
    """In the child: wait for the next assignment; None if it is no longer needed."""
    length = _receive(stream, LENGTH)
    return None if length is None else _receive(stream, int.from_bytes(length))


def _receive(stream: socket.socket, size: int) -> bytes | None:
    heard = bytearray()
    while len(heard) < size:
        chunk = stream.recv(min(CHUNK, size - len(heard)))
        if not chunk:
            return None
        heard += chunk
    return bytes(heard)


def _notice_of_end(process: int) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except OSError:
        return None
