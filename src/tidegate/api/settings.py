"""How the server is to be reached, and the start-up checks: what would be open to strangers is refused before anything listens."""

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
    How the server is reached.

    `allow_hosts` are the names by which it may be called besides its own. `failures` is how many wrong tokens a minute one address may show. After `heartbeat` seconds of silence a stream of events gets a
    comment, so that a connection that has died is noticed.
    """

    host: str = "127.0.0.1"
    """An address, or a name that has one; without the brackets that an IPv6 address has in a URL."""
    port: int = 8433
    allow_hosts: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    failures: int = 10
    heartbeat: float = 15.0
    localhost: bool = True
    """Whether the server is called `localhost`: not where that may lead to somebody else."""

    @property
    def page(self) -> str:
        """The address at which browsers call the page, where that is not the one that is listened on: behind a proxy, and where others call it by a name."""
        if not self.allow_hosts or (is_loopback(self.host) and not self.behind_proxy):
            return ""
        port = "" if self.behind_proxy else f":{self.port}"
        return f"https://{self.allow_hosts[0]}{port}"

    def __post_init__(self) -> None:
        """Take the brackets off."""
        if self.host.startswith("[") and self.host.endswith("]") and ":" in self.host:
            structs.force_setattr(self, "host", self.host[1:-1])

    @property
    def is_secure(self) -> bool:
        """Whether whoever reaches the server does so by https."""
        return self.tls_cert is not None or self.behind_proxy

    @property
    def hosts(self) -> frozenset[str]:
        """The names by which the server may be called, in lower case and without a port."""
        own = {_as_name(name) for name in (self.host, *self.allow_hosts)}
        loopback = LOOPBACK_NAMES if self.localhost else LOOPBACK_NAMES - {"localhost"}
        return loopback | (own - {_as_name(name) for name in EVERY_ADDRESS})


def check_exposure(settings: Settings) -> None:
    """Raise `InvalidValue` if the server would be open to strangers, or reachable by nobody; its message says what to do."""
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
            f"--host {settings.host} is reachable by others, who could read tokens on the way: give --tls-cert and --tls-key,"
            " or --behind-proxy if a proxy in front speaks TLS"
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
    """Return a host as it stands in a Host header, without the port."""
    bare = host.lower().strip("[]")
    return f"[{bare}]" if ":" in bare else bare
