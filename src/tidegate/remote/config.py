"""
Where a server is, and how one is known there.

Rule 1: the token of this machine's store is sent to this machine only.
Rule 2: a token is shown nowhere, not even in the `repr` of its configuration.
"""

import ipaddress
import os
from typing import Final, Self
from urllib.parse import urlsplit

from msgspec import Struct

from tidegate.errors import InvalidValue, StoreError
from tidegate.home import find_home

SANDBOX: Final = "http://127.0.0.1:8433"
"""Where `tidegate serve` listens if nobody says otherwise."""

TOKEN_FILE: Final = "token"


class Config(Struct, frozen=True):
    """The address of a server, as `http(s)://host:port`, and the token that is shown there; an empty one is none."""

    url: str
    token: str = ""

    @classmethod
    def for_sandbox(cls) -> Self:
        """Return the way to the server on this machine: at `TIDEGATE_URL` or port 8433, with the token of the store's owner."""
        return cls.for_endpoint(os.environ.get("TIDEGATE_URL") or SANDBOX)

    @classmethod
    def auto(cls) -> Self:
        """Return the way to the server that the environment names by `TIDEGATE_URL` and `TIDEGATE_TOKEN`, else to that on this machine."""
        return cls.for_sandbox()

    @classmethod
    def for_endpoint(cls, url: str, token: str = "", *, insecure: bool = False) -> Self:
        """
        Return the way to a server by its address; a bare host means https, or http with `insecure`.

        Without a token it is that of `TIDEGATE_TOKEN`; on this machine, if that is not set, the one in the file `token` of the store's directory.
        Errors: `InvalidValue` for what is no address.
        """
        address = _checked(url, insecure=insecure)
        found = token or os.environ.get("TIDEGATE_TOKEN", "")
        if not found and is_local(address):
            found = _own_token()
        return cls(address, found.strip())

    def __repr__(self) -> str:
        return f"Config({self.url!r}, token={'...' if self.token else ''!r})"


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
        # Not the address itself: it may hold a secret.
        raise InvalidValue("this is no address of a server; give one such as http://127.0.0.1:8433")
    return whole.rstrip("/")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and parts.username is None and not parts.query and not parts.fragment


def _own_token() -> str:
    try:
        home = find_home()
        return (home / TOKEN_FILE).read_text()
    except (OSError, UnicodeDecodeError, StoreError):
        return ""  # there is no server yet, or it is somebody else's; the server says so
