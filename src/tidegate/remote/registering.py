"""Bringing source code to a server: packed here, sent if it is missing there, registered there."""

from collections.abc import Sequence
from pathlib import Path

from tidegate.bundles.archive import Archive, pack
from tidegate.bundles.trees import find_trees
from tidegate.errors import UnknownThing
from tidegate.remote.requests import HttpCall, Transport, ask
from tidegate.wire import Register, WorkflowView
from tidegate.wire.bindings import API


def register(
    transport: Transport,
    paths: Sequence[Path],
    version: str,
    only: Sequence[str],
    *,
    include: Sequence[Path] = (),
) -> list[WorkflowView]:
    """Register the workflows of files and directories, packed with what is included. Errors: `CodeError`."""
    found: list[WorkflowView] = []
    for tree in find_trees(paths, include=include):
        archive = pack(tree.sources)
        upload(transport, archive)
        for module in tree.modules:
            request = Register(
                bundle=archive.digest, module=module, version=version, only=list(only)
            )
            found += ask(transport, request).items
    return found


def upload(transport: Transport, archive: Archive) -> bool:
    """Bring a packed source tree to the server; return whether it had to be sent."""
    try:
        transport.reply(HttpCall(method="GET", path=f"{API}/bundles/{archive.digest}"))
    except UnknownThing:
        transport.reply(
            HttpCall(
                method="POST",
                path=f"{API}/bundles",
                content=archive.body,
                headers={"content-type": "application/x-tar"},
            )
        )
        return True
    return False
