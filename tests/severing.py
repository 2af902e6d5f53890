"""A wire to a Postgres server that breaks in the middle of a commit: before the server has heard of it, or before its reply."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"


class Wire:
    """Passes bytes between a socket in `place` and that of the server, until a commit is to break."""

    def __init__(self, place: Path, server: Path) -> None:
        self.lead(server)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place / SOCKET))
        self._listener.listen()
        self.breaks: Literal["", "before", "after"] = ""
        self.broke = 0
        self.taken = 0
        """Connections that were taken."""
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens before the client notices."""
        threading.Thread(target=self._accept, daemon=True).start()

    def lead(self, server: Path) -> None:
        """Lead to another server, for who connects from now on."""
        self._server = str(server / SOCKET)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.taken += 1
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self._server)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for each in ready:
                    piece = each.recv(1 << 16)
                    if not piece:
                        return
                    if each is server:
                        client.sendall(piece)
                        continue
                    breaks = self.breaks if b"COMMIT" in piece else ""
                    if breaks != "before":
                        server.sendall(piece)
                    if breaks:
                        self.breaks = ""
                        self.broke += 1
                        if breaks == "after":
                            # What the server says is what is lost.
                            server.recv(1)
                        self.meanwhile()
                        return

    def passes_on(self, connections: int) -> None:
        """Wait until this many more connections were taken."""
        wanted, end = self.taken + connections, time.monotonic() + 30
        while self.taken < wanted:
            assert time.monotonic() < end
            threading.Event().wait(0.02)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()
