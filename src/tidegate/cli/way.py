"""
The way from a command to whoever handles its requests: the store of this machine (see `line`), or a server, over HTTP.

A command asks in the same words either way.
"""

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Protocol, Self, TypeVar

import click

from tidegate.blobs import BlobDirectory
from tidegate.bundles.archive import Archive
from tidegate.cli.line import Line, Opener
from tidegate.remote.config import SANDBOX, Config
from tidegate.wire import Request, View

V = TypeVar("V")


class Way(Protocol):
    """Where requests are handled. May be used from any thread."""

    @property
    def is_owner(self) -> bool:
        """Whether this process runs the engine."""
        ...

    @property
    def blobs(self) -> BlobDirectory:
        """Where files go that are values."""
        ...

    def ask(self, request: Request, kind: type[V]) -> V:
        """Have a request handled whose view is of this kind. Errors: those of the service."""
        ...

    def install(self, archive: Archive) -> None:
        """Bring a packed source tree to where it is run."""
        ...


class ServerWay:
    """The way to a server."""

    is_owner = False

    def __init__(self, config: Config) -> None:
        # Loaded here, for it brings the HTTP library, which a command on its own store does not need.
        from tidegate.remote.blobs import RemoteBlobs  # noqa: PLC0415
        from tidegate.remote.requests import Door  # noqa: PLC0415
        from tidegate.remote.transport import Transport  # noqa: PLC0415

        self._scratch = tempfile.mkdtemp(prefix="tidegate-")
        self._transport = Transport(config, "cli")
        self._door = Door(self._transport)
        self.blobs = RemoteBlobs(self._transport, Path(self._scratch))

    def ask(self, request: Request, kind: type[V]) -> V:
        """Have a request handled whose view is of this kind."""
        return self._door.ask(request, kind)

    def send(self, request: Request) -> View:
        """Have a request handled."""
        return self._door.send(request)

    def install(self, archive: Archive) -> None:
        """Send a packed source tree, unless it is there."""
        from tidegate.remote.registering import upload  # noqa: PLC0415 - as above

        upload(self._transport, archive)

    def __enter__(self) -> Self:
        """Enter a block at whose end the way is closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connections, and of copies of files."""
        self._transport.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def way_to(home: Path, opener: Opener) -> Line | ServerWay:
    """Return the way that the command line asks for: to a server if it names one, else to the store in `home`."""
    url = server()
    if url is None:
        return Line(home, opener)
    return ServerWay(Config.for_endpoint(url) if url else Config.auto())


def server() -> str | None:
    """Return the address of the server that the command line names: empty for the usual one, None if it names none."""
    ctx = click.get_current_context(silent=True)
    found: str | None = None if ctx is None else ctx.meta.get(SERVER)
    return found


def spelled(verb: str, *words: str) -> str:
    """Return a command that may be typed here as it stands: it is found, and it reaches the same place."""
    return " ".join([_program(), verb, *_place(), *words])


def _program() -> str:
    """Return how this command is called: by its name where that is found, else as it was called now."""
    called = Path(sys.argv[0])
    if called.name != NAME or shutil.which(NAME):
        return NAME
    return shlex.quote(min(os.path.relpath(called), str(called.absolute()), key=len))


def _place() -> list[str]:
    url = server()
    if url is not None:
        return ["--server", url] if url and url != SANDBOX else ["--remote"]
    ctx = click.get_current_context(silent=True)
    home = None if ctx is None else ctx.meta.get(HOME)
    return ["--home", shlex.quote(home)] if home else []


NAME = "tidegate"
SERVER, HOME = "tidegate.server", "tidegate.home"
"""Where click keeps what `--remote` and `--server` said, and `--home`."""
