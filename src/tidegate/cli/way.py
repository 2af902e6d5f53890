"""
The way from a command to where its requests are handled: the store of this machine (see `store`), or a server, over HTTP.

Commands are the same for both.
"""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from tidegate.bundles.archive import Archive
from tidegate.cli.store import Opener, StoreWay
from tidegate.remote.client import Remote
from tidegate.remote.config import SANDBOX, Config
from tidegate.types.values import FileStore
from tidegate.wire import Ask

V = TypeVar("V")


class Way(Protocol):
    """Where requests are handled. May be used from any thread."""

    @property
    def is_owner(self) -> bool:
        """Whether this process runs the engine."""
        ...

    @property
    def blobs(self) -> FileStore:
        """Where files used as values are stored."""
        ...

    def ask(self, request: Ask[V]) -> V:
        """Handle a request, and return its view. Errors: those of the service."""
        ...

    def install(self, archive: Archive) -> None:
        """Bring a packed source tree to where it is run."""
        ...


class ServerWay(Remote):
    """The way to a server."""

    is_owner = False

    def install(self, archive: Archive) -> None:
        """Send a packed source tree, unless the server has it."""
        self.upload(archive)


def way_to(home: Path, opener: Opener) -> StoreWay | ServerWay:
    """Return the way that the command line selects: a server if it names one, else the store in `home`."""
    url = server()
    if url is None:
        return StoreWay(home, opener)
    insecure = bool(_said(INSECURE))
    if url:
        return ServerWay(Config.for_endpoint(url, insecure=insecure))
    return ServerWay(Config.auto(insecure=insecure))


def server() -> str | None:
    """Return the URL of the server that the command line names: empty for the default, None if it names none."""
    found: str | None = _said(SERVER)
    return found


def _said(what: str) -> Any:
    ctx = click.get_current_context(silent=True)
    return None if ctx is None else ctx.meta.get(what)


def spelled(verb: str, *words: str) -> str:
    """Return a command that can be typed here unchanged: it is found, and it reaches the same store."""
    return " ".join([_program(), verb, *_whereabouts(), *words])


def _program() -> str:
    """Return how to call this command: by its name if that is found, else as it was called now."""
    called = Path(sys.argv[0])
    if called.name != NAME or shutil.which(NAME):
        return NAME
    return shlex.quote(min(os.path.relpath(called), str(called.absolute()), key=len))


def _whereabouts() -> list[str]:
    url = server()
    if url is not None:
        way = ["--server", url] if url and url != SANDBOX else ["--remote"]
        return [*way, "--insecure"] if _said(INSECURE) else way
    home, store = _said(HOME), _said(DATABASE)
    return [
        *(["--home", shlex.quote(home)] if home else []),
        *(["--store", shlex.quote(_without_password(store))] if store else []),
    ]


def _without_password(address: str) -> str:
    """Return the address of a database as it may be shown: a password can be in `TIDEGATE_STORE`, or where Postgres's programs look for one."""
    return re.sub(r"(?<=[?&])password=[^&]*&?", "", re.sub(r"(//[^/@:]*):[^/@]*@", r"\1@", address))


NAME = "tidegate"
SERVER, HOME, INSECURE = "tidegate.server", "tidegate.home", "tidegate.insecure"
DATABASE = "tidegate.store"
"""Where click keeps `--remote` and `--server`, `--home`, `--insecure`, and `--store`."""
