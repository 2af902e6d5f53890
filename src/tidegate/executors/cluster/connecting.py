"""Becoming a driver of a Ray cluster, or saying in one line why that is not possible."""

import os
import re
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

import ray
from ray import _raylet

from tidegate.executors.cluster.settings import Linked

REACH = 3.0
"""Seconds in which a cluster must accept a connection. Ray itself tries for two minutes (measured)."""
ASK = 20.0
"""Seconds for finding out whether a cluster lets everybody in: a second, most of it for importing Ray."""


class Unusable(Exception):
    """The cluster cannot be used; `refused`: waiting does not help."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.refused = refused


def connect(given: Linked) -> None:
    """Connect this process to the cluster. Errors: `Unusable`."""
    address = given.address
    reach(address)
    if not given.open_ and lets_everybody_in(address):
        raise Unusable(
            f"the Ray cluster at {address} lets everybody in who reaches it: start it with RAY_AUTH_MODE=token, or give --insecure-ray",
            refused=True,
        )
    try:
        _knock(address)
        ray.init(
            address=address,
            namespace=given.namespace,
            log_to_driver=False,
            configure_logging=False,
        )
    except BaseException as error:  # noqa: BLE001 - Ray raises even SystemExit here
        raise _explained(address, error) from None


def reach(address: str) -> None:
    """Find out whether anything listens where the cluster should be. Errors: `Unusable`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH).close()
    except OSError as error:
        why = f"no Ray cluster answers at {address} ({error.strerror or error})"
        raise Unusable(why) from None


def _knock(address: str) -> None:
    """Find out whether a cluster accepts our token: with a wrong one, `ray.init` tries for 20 s, and then says that nobody answers (measured). Errors: Ray's."""
    compiled: Any = _raylet  # untyped
    try:
        compiled.GcsClient(address=address).get_all_node_info(timeout=5)
    except Exception as error:
        if "Auth" in type(error).__name__:
            raise
        # Whatever else is wrong, `ray.init` explains it better.


def lets_everybody_in(address: str) -> bool:
    """Return whether a cluster answers somebody without a token. Asked by another process, because a process has one token for good."""
    question = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1]).get_all_node_info(timeout=5)"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH")}
    with suppress(subprocess.TimeoutExpired):
        asked = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", question, address],
            env={**environment, "RAY_AUTH_MODE": "disabled"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=ASK,
            check=False,
        )
        return asked.returncode == 0
    return False


def _explained(address: str, error: BaseException) -> Unusable:
    said = " ".join(f"{error} {error.__cause__ or ''}".split())
    if "Version mismatch" in said:
        there = re.search(r"cluster was started with: *(.*?) *(This process|The process|$)", said)
        what = there[1].rstrip(" .") if there else "other versions"
        here = f"Ray: {ray.__version__} Python: {sys.version.split()[0]}"
        return Unusable(
            f"the Ray cluster at {address} has {what}; this is {here}: both must be the same",
            refused=True,
        )
    if "Auth" in type(error).__name__ or "InvalidAuthToken" in said or "token" in said.lower():
        return Unusable(
            f"the Ray cluster at {address} refuses this token: put the cluster's into ~/.ray/auth_token, or into RAY_AUTH_TOKEN",
            refused=True,
        )
    if "this node" in said.lower() or "Can't find" in said or "No node" in said:
        return Unusable(
            f"this machine is not a node of the Ray cluster at {address}: join it with `ray start --address={address} --num-cpus=0`"
        )
    return Unusable(f"the Ray cluster at {address} cannot be used: {said[:300]}")
