"""A TCP proxy between a browser and a server that can be unplugged: every connection through it breaks, and new ones fail."""

import selectors
import socket
import threading
from contextlib import suppress

CHUNK = 65_536


class Cable:
    """Forwards bytes between its own port and a server's."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_out = False
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """Break every connection, and each new one."""
        with self._lock:
            self._is_out = True
            for end in self._ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def plug(self) -> None:
        """Let connections through again."""
        with self._lock:
            self._is_out = False

    def close(self) -> None:
        """Break every connection and stop listening."""
        self.pull()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(("127.0.0.1", self._to)) as far:
            with self._lock:
                if self._is_out:
                    return
                self._ends |= {near, far}
            try:
                _pass_on(near, far)
            finally:
                with self._lock:
                    self._ends -= {near, far}


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    other = {near: far, far: near}
    with selectors.DefaultSelector() as ready:
        for end in other:
            ready.register(end, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                data = key.fileobj.recv(CHUNK)
                if not data:
                    return
                other[key.fileobj].sendall(data)
