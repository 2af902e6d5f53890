"""
Where a server is, and how to authenticate there.

Rule 1: a program of this machine that names no server and no token uses the local door, where the operating system identifies it. No token is needed.
Rule 2: the token of this machine's store is sent only to this machine; nothing is sent to another machine in clear text without explicit permission.
Rule 3: a token is never displayed, not even in the `repr` of its configuration.
"""

import ipaddress
import os
from typing import Final, Self
from urllib.parse import urlsplit

from msgspec import Struct

from tidegate.errors import InvalidValue, StoreError
from tidegate.home import LONGEST_ADDRESS, TOKEN_FILE, find_home
from tidegate.remote.local import SOCKET, is_owned

SANDBOX: Final = "http://127.0.0.1:8433"
"""The default address of `tidegate serve`."""


class Config(Struct, frozen=True):
    """
    The URL of a server, as `http(s)://host:port`, and the token to send there; an empty one means none.

    `socket` is the path of a local door, which is used instead of the URL. `insecure` permits `http://` to another machine.
    """

    url: str
    token: str = ""
    socket: str = ""
    insecure: bool = False

    @classmethod
    def for_sandbox(cls, *, insecure: bool = False) -> Self:
        """
        Return the configuration for the server on this machine.

        It is that of `TIDEGATE_URL`; or the local door of the store, if a server has opened it and `TIDEGATE_TOKEN` is not set; else port 8433, with the
        token of the store's owner.
        """
        url = os.environ.get("TIDEGATE_URL")
        if not url and not os.environ.get("TIDEGATE_TOKEN") and (door := _own_door()):
            return cls("http://localhost", socket=door)
        return cls.for_endpoint(url or SANDBOX, insecure=insecure)

    @classmethod
    def auto(cls, *, insecure: bool = False) -> Self:
        """Return the configuration for the server named by `TIDEGATE_URL` and `TIDEGATE_TOKEN`, else for the one on this machine."""
        return cls.for_sandbox(insecure=insecure)

    @classmethod
    def for_endpoint(cls, url: str, token: str = "", *, insecure: bool = False) -> Self:
        """
        Return the configuration for a server by its address; a bare host means https, or http with `insecure`, which `http://` to another machine requires, too.

        The token defaults to `TIDEGATE_TOKEN`; on this machine, if that is not set, to the one in the file `token` of the store's directory.
        Errors: `InvalidValue` for an invalid address.
        """
        address = _checked(url, insecure=insecure)
        found = token or os.environ.get("TIDEGATE_TOKEN", "")
        if not found and is_local(address):
            found = _own_token()
        made = cls(address, found.strip(), insecure=insecure)
        refuse_clear(made)
        return made

    def __repr__(self) -> str:
        door = f", socket={self.socket!r}" if self.socket else ""
        return f"Config({self.url!r}, token={'...' if self.token else ''!r}{door})"


def refuse_clear(config: Config) -> None:
    """Refuse `http://` to another machine, unless it is permitted. Errors: `InvalidValue`."""
    if config.url.startswith("http:") and not (config.insecure or is_local(config.url)):
        raise InvalidValue(
            "http:// to another machine sends tokens and answers in clear text: use https://, or allow it with --insecure (in Python: insecure=True)"
        )


def is_local(url: str) -> bool:
    """Return whether an address leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(url: str, *, insecure: bool) -> str:
    given = url.strip()
    scheme = "http" if insecure or is_local(f"//{given}") else "https"
    whole = given if "://" in given else f"{scheme}://{given}"
    if not _is_address(whole):
        # Not the address itself: it may contain a secret.
        raise InvalidValue(
            "this is not the address of a server; give one such as http://127.0.0.1:8433"
        )
    return whole.rstrip("/")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and parts.username is None and not parts.query and not parts.fragment


def _own_door() -> str:
    """Return the path of the local door of this machine's store, if it is open; empty if it is not."""
    try:
        home = find_home()
    except StoreError:
        return ""
    path = str(home / SOCKET)
    # Longer paths do not fit a socket address: the server is reached over HTTP.
    return path if len(os.fsencode(path)) <= LONGEST_ADDRESS and is_owned(home) else ""


def _own_token() -> str:
    try:
        home = find_home()
        return (home / TOKEN_FILE).read_text()
    except (OSError, UnicodeDecodeError, StoreError):
        return ""  # there is no server yet, or it belongs to another user; the server reports that
