"""How the server can be reached, and the start-up checks: a configuration that would expose it is refused before anything listens."""

import ipaddress
import os
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from tidegate.errors import InvalidValue

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  named to be refused


class Settings(Struct, frozen=True, kw_only=True):
    """
    How the server can be reached.

    `allow_hosts` are further names by which it may be called. `failures` is how many wrong tokens per minute one address may send. After `heartbeat` seconds of silence an event stream gets a
    comment, so that a dead connection is noticed.
    """

    host: str = "127.0.0.1"
    """An address, or a name that resolves to one; without the brackets of an IPv6 address in a URL."""
    port: int = 8433
    allow_hosts: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    failures: int = 10
    heartbeat: float = 15.0
    advertise: str = ""
    """Where other servers of the same store reach it, if not at that address, or by the first of those names if that is every address."""
    localhost: bool = True
    """Whether `localhost` is a name of this server: not where it may lead to another program."""

    @property
    def page(self) -> str:
        """The public URL of the page, where it differs from the listening address: behind a proxy, or under another name."""
        if not self.allow_hosts or (is_loopback(self.host) and not self.behind_proxy):
            return ""
        port = "" if self.behind_proxy else f":{self.port}"
        return f"https://{self.allow_hosts[0]}{port}"

    def address(self, port: int, *, for_others: bool = False) -> str:
        """Return the URL of what listens at this port; `for_others`: the one by which servers on other machines reach it."""
        if for_others and self.advertise:
            return self.advertise
        host = self.host
        if for_others and host in EVERY_ADDRESS and self.allow_hosts:
            # On another machine that address would be the machine itself.
            host = self.allow_hosts[0]
        shown = f"[{host}]" if ":" in host else host
        return f"{'http' if self.tls_cert is None else 'https'}://{shown}:{port}"

    def __post_init__(self) -> None:
        """Remove the brackets."""
        if self.host.startswith("[") and self.host.endswith("]") and ":" in self.host:
            structs.force_setattr(self, "host", self.host[1:-1])

    @property
    def is_secure(self) -> bool:
        """Whether all clients reach the server by https."""
        return self.tls_cert is not None or self.behind_proxy

    @property
    def hosts(self) -> frozenset[str]:
        """The names by which the server may be called, in lower case and without a port."""
        own = {_as_name(name) for name in (self.host, *self.allow_hosts)}
        loopback = LOOPBACK_NAMES if self.localhost else LOOPBACK_NAMES - {"localhost"}
        return loopback | (own - {_as_name(name) for name in EVERY_ADDRESS})


def check_exposure(settings: Settings) -> None:
    """Raise `InvalidValue` if the server would be exposed, or could not be reached at all; the message says what to do."""
    cert, key = settings.tls_cert, settings.tls_key
    if (cert is None) != (key is None):
        raise InvalidValue("--tls-cert and --tls-key belong together: give both, or neither")
    for path in (cert, key):
        if path is not None and not os.access(path, os.R_OK):
            raise InvalidValue(f"{path}: cannot be read; --tls-cert and --tls-key name PEM files")
    for name in settings.allow_hosts:
        if not name or any(sign in name for sign in "/*@ ") or _as_name(name) != name.lower():
            raise InvalidValue(
                f"--allow-host {name!r}: give a bare name such as flows.example.org, without scheme and port"
            )
    if is_loopback(settings.host):
        if settings.behind_proxy and not settings.allow_hosts:
            raise InvalidValue(
                "--behind-proxy needs --allow-host NAME: the name by which browsers call the proxy"
            )
        return
    if not settings.is_secure:
        raise InvalidValue(
            f"--host {settings.host} exposes the server to the network, where tokens could be read in transit: give --tls-cert and --tls-key,"
            " or --behind-proxy if a proxy in front terminates TLS"
        )
    if settings.host in EVERY_ADDRESS and not settings.allow_hosts:
        raise InvalidValue(
            f"--host {settings.host or repr('')} needs --allow-host NAME: the name by which clients call this server"
        )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _as_name(host: str) -> str:
    """Return a host as it appears in a Host header, without the port."""
    bare = host.lower().strip("[]")
    return f"[{bare}]" if ":" in bare else bare
