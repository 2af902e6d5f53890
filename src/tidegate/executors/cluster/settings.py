"""What a link is started with, and how the environment of attempts is named."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.json import Decoder

from tidegate.home import STORE_VARIABLE
from tidegate.ports.objects import ObjectsKey


class OnRay(Struct, frozen=True):
    """
    Run attempts on a Ray cluster: the one at an address, or one of this machine alone. `open_`: also if it lets everybody in.

    `local` is how many workers this machine has for what is not an attempt.
    """

    address: str = ""
    open_: bool = False
    local: int | None = None


class Linked(Struct, frozen=True):
    """
    A store and its cluster. `identity` is the store's, `home` its directory, `owner` one of its owners, `session` one link of it.

    `open_`: a cluster may be used that anybody may use.
    """

    address: str
    identity: str
    home: str
    owner: str
    session: str
    open_: bool = False
    objects: ObjectsKey | None = None
    """The object store with the files of the store, if they are in one."""

    @property
    def namespace(self) -> str:
        """Return the namespace of the store's keepers."""
        return f"tidegate-{self.identity}"


def surroundings(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program of Ray: that of this process, without the address of the database, and what is given."""
    known = {k: v for k, v in os.environ.items() if k != STORE_VARIABLE}
    return {**known, "RAY_USAGE_STATS_ENABLED": "0", **given}


linked: Decoder[Linked] = Decoder(Linked)


def environment_key(runtime_env: Mapping[str, Any]) -> str:
    """Return the name of an environment; empty for that of the cluster."""
    if not runtime_env:
        return ""
    return hashlib.sha256(msgspec.json.encode(runtime_env, order="deterministic")).hexdigest()[:16]
