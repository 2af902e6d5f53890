"""
Recovering with the code of a directory: it is packed and sent to where it runs, inspected, and registered only if nothing speaks against it.

This works in the same way against a server and against the store of this machine.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from tidegate.bundles.archive import Archive, pack
from tidegate.bundles.trees import find_module
from tidegate.errors import InvalidValue, NotRecoverable, RecoveredAlready
from tidegate.remote.answering import RecoverOptions, check_known, fresh
from tidegate.wire import (
    Ask,
    ExecutionView,
    GetExecution,
    GetWorkflow,
    PreviewRecovery,
    Recover,
    RecoveryView,
    Register,
)

V = TypeVar("V")


class Code(Struct, frozen=True):
    """
    Code that has been brought to where it runs, and is not registered yet. `note` says why it is less than the whole tree, if it is.

    `terminal` is the secret of the terminal that imports it; empty if the workers of the store do.
    """

    bundle: str
    module: str
    note: str = ""
    terminal: str = ""


class Asks(Protocol):
    """Accepts requests."""

    def ask(self, request: Ask[V], /) -> V:
        """Handle a request."""
        ...


def code_in(
    way: Asks,
    install: Callable[[Archive], object],
    execution: str,
    directory: Path,
    only: Sequence[Path] = (),
    include: Sequence[Path] = (),
) -> Code:
    """Pack the module of an execution's workflow from a directory, and send it to where it runs. Errors: `CodeError`."""
    view = way.ask(GetExecution(id=execution))
    workflow = way.ask(GetWorkflow(name=view.workflow, version=view.version)).workflow
    sources = find_module(workflow.module, directory, only, include)
    archive = pack(sources)
    install(archive)
    return Code(archive.digest, workflow.module, sources.note)


def previewed(way: Asks, wanted: Recover, code: Code | None) -> RecoveryView:
    """Return what a recovery would do, without writing anything."""
    request = PreviewRecovery(
        id=wanted.id,
        version=wanted.version,
        rerun=wanted.rerun,
        keep_approvals=wanted.keep_approvals,
        bundle="" if code is None else code.bundle,
        module="" if code is None else code.module,
        terminal="" if code is None else code.terminal,
    )
    return way.ask(request)


def version_of(way: Asks, code: Code, workflow: str) -> str:
    """Register one workflow of code that was looked at, and return its version."""
    request = Register(
        bundle=code.bundle, module=code.module, only=[workflow], terminal=code.terminal
    )
    return way.ask(request).items[0].version


def recovered(way: Asks, wanted: Recover, code: Code | None) -> ExecutionView:
    """Recover an execution. New code is inspected first, so that an error in it changes nothing."""
    if code is None:
        return way.ask(wanted)
    try:
        found = previewed(way, wanted, code)
    except (NotRecoverable, RecoveredAlready):
        # If the id is that of its successor, the successor is found; if not, this is refused as well.
        return way.ask(wanted)
    return way.ask(replace(wanted, version=version_of(way, code, found.workflow)))


class Server(Asks, Protocol):
    """A server that accepts code."""

    def upload(self, archive: Archive, /) -> bool:
        """Bring a packed source tree to it."""
        ...


def recover(server: Server, execution: str, options: RecoverOptions) -> ExecutionView:
    """Recover an execution as the options say. Errors: `InvalidValue`, `CodeError`, `TypeError` for an option that does not exist."""
    check_known("recover", options, RecoverOptions)
    return recovered(server, _wanted(execution, options), _code_of(server, execution, options))


def preview(server: Server, execution: str, options: RecoverOptions) -> RecoveryView:
    """Return what a recovery would do. Errors: those of `recover`."""
    check_known("preview_recovery", options, RecoverOptions)
    return previewed(server, _wanted(execution, options), _code_of(server, execution, options))


def _wanted(execution: str, options: RecoverOptions) -> Recover:
    if options.get("here") and options.get("version"):
        raise InvalidValue("recover: `here` and `version` exclude each other")
    return Recover(
        id=execution,
        # An id generated here makes it safe to retry when no reply comes.
        new_id=options.get("id") or fresh(),
        version=options.get("version", ""),
        rerun=list(options.get("rerun", ())),
        keep_approvals=options.get("keep_approvals", False),
    )


def _code_of(server: Server, execution: str, options: RecoverOptions) -> Code | None:
    here = options.get("here", False)
    if here is False:
        return None
    directory = Path() if here is True else Path(here)
    include = [Path(each) for each in options.get("include", ())]
    return code_in(server, server.upload, execution, directory, include=include)
