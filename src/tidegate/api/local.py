"""
The door for commands of the same user on the same machine: a Unix socket in the home of the store.

Whoever owns the store opens it, so there is never more than one; a file left behind by a killed owner is replaced.
Only the owner of the home may use it: the socket has mode 0600, and the system is asked who is at the other end.
"""

import logging
import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from tidegate.errors import InvalidValue, Overloaded, StoreError, TidegateError
from tidegate.remote.local import SOCKET, Envelope, address, read_message, write_message
from tidegate.remote.problems import problem_of
from tidegate.wire import Problem, Request, View

MAX_CONNECTIONS = 256

log = logging.getLogger(__name__)


class LocalDoor:
    """Listens on the socket in a home and hands each request to `handle`, each connection in a thread of its own."""

    def __init__(self, home: Path, handle: Callable[[Request], View]) -> None:
        self._home = home
        self._handle = handle
        self._requests = msgspec.json.Decoder(Request)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._lines: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._open = False

    def open(self) -> None:
        """
        Begin to listen. Only for the owner of the store, and after it has become that.

        Errors: `StoreError` if there can be no socket in this place.
        """
        try:
            (self._home / SOCKET).unlink(missing_ok=True)
            with address(self._home) as where:
                self._listener.bind(where)
                Path(where).chmod(0o600)
            self._listener.listen(64)
        except OSError as error:
            self._listener.close()
            raise StoreError(
                f"{self._home / SOCKET}: cannot listen there: {error.strerror}"
            ) from None
        self._open = True
        threading.Thread(target=self._accept, name="tidegate-door", daemon=True).start()

    def close(self) -> None:
        """Stop to listen, and hang up on everybody. Only while the store is still owned."""
        with self._lock:
            was_open, self._open = self._open, False
            lines = list(self._lines)
        if not was_open:
            return
        (self._home / SOCKET).unlink(missing_ok=True)
        for line in (self._listener, *lines):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("a connection was gone already")
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._open:
                    line.close()
                    return
                full = len(self._lines) >= MAX_CONNECTIONS
                self._lines.add(line)
            threading.Thread(
                target=self._serve,
                args=(line,),
                kwargs={"full": full},
                name="tidegate-line",
                daemon=True,
            ).start()

    def _serve(self, line: socket.socket, *, full: bool) -> None:
        try:
            if not _same_user(line):
                return
            body = read_message(line)
            if body is not None:
                write_message(line, self._overloaded() if full else self._reply(body))
        except (OSError, ValueError) as error:
            log.debug("a connection broke: %s", error)
        finally:
            with self._lock:
                self._lines.discard(line)
            line.close()

    def _overloaded(self) -> bytes:
        error = Overloaded(
            f"more than {MAX_CONNECTIONS} commands at once; try again", retry_after=1
        )
        return msgspec.json.encode(Envelope(problem=problem_of(error)))

    def _reply(self, body: bytes) -> bytes:
        try:
            view = self._handle(self._requests.decode(body))
            return msgspec.json.encode(Envelope(view=msgspec.Raw(msgspec.json.encode(view))))
        except TidegateError as error:
            problem = problem_of(error)
        except msgspec.MsgspecError as error:
            problem = problem_of(InvalidValue(f"the request cannot be read: {error}"))
        except Exception:
            # The outermost edge: a bug of ours in one request must not end the owner of the store.
            log.exception("a request could not be handled")
            problem = Problem(
                code="internal", status=500, message="internal error; the log of the owner has more"
            )
        return msgspec.json.encode(Envelope(problem=problem))


def _same_user(line: socket.socket) -> bool:
    credentials = getattr(socket, "SO_PEERCRED", None)
    if credentials is None:
        return True  # systems without it check the mode of the socket
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, credentials, size))
    return bool(user == os.getuid() or os.getuid() == 0)
