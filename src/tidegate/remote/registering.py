"""Bringing source code to a server: packed here, sent if it is not there, registered there."""

from collections.abc import Sequence
from pathlib import Path

from tidegate.bundles.archive import Archive, pack
from tidegate.bundles.trees import find_trees
from tidegate.errors import UnknownThing
from tidegate.remote.requests import API, Door
from tidegate.remote.transport import HttpCall, Transport
from tidegate.wire import Register, WorkflowList, WorkflowView


def register(
    door: Door, paths: Sequence[Path], version: str, only: Sequence[str]
) -> list[WorkflowView]:
    """Register the workflows of files and directories. Errors: `CodeError`."""
    found: list[WorkflowView] = []
    for tree in find_trees(paths):
        archive = pack(tree.sources)
        upload(door.transport, archive)
        for module in tree.modules:
            request = Register(
                bundle=archive.digest, module=module, version=version, only=list(only)
            )
            found += door.ask(request, WorkflowList).items
    return found


def upload(transport: Transport, archive: Archive) -> bool:
    """Bring a packed source tree to the server; return whether it had to be sent."""
    try:
        transport.send(HttpCall(method="GET", path=f"{API}/bundles/{archive.digest}"))
    except UnknownThing:
        transport.send(
            HttpCall(
                method="POST",
                path=f"{API}/bundles",
                content=archive.body,
                headers={"content-type": "application/x-tar"},
            )
        )
        return True
    return False
