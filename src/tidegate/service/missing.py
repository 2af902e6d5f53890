"""
What an execution needs beside its history: its code, and the files that its questions show. Without them it can be read, but it cannot continue or be judged.

Their presence is checked on each read; and an attempt does not start without them (`Needs`).
"""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, structs

from tidegate.engine.damage import Damage
from tidegate.engine.folds import Snapshot
from tidegate.engine.programs import Program, Programs
from tidegate.errors import CodeError, ObjectsAway, UnknownBlob
from tidegate.ir.expr import Value
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.blobs import Blobs
from tidegate.ports.bundles import Bundles
from tidegate.ports.executor import Job
from tidegate.service.findings import Findings
from tidegate.types.values import BLOB, is_reference
from tidegate.wire import ENDED, ExecutionView, WaitingView

_MARK = f'"{BLOB}"'.encode()
_encode = msgspec.json.Encoder().encode


class Missing:
    """Looks for what the executions of a store need."""

    def __init__(self, artifacts: Artifacts, programs: Programs, damage: Damage) -> None:
        self._blobs = artifacts.blobs
        self.bundles = artifacts.bundles
        self._programs = programs
        self._damage = damage
        self.findings = Findings(artifacts.blobs)

    def told(self, view: ExecutionView, now: Snapshot | None) -> ExecutionView:
        """Return the execution with what it lacks, if anything, and note that for lists."""
        if now is None:
            return view
        key = now.row.key
        noted = self._damage.why(key)
        waiting = [self.told_of(each) for each in view.waiting]
        why = ""
        if view.phase not in ENDED:
            why = self._code(now) or next((each.damaged for each in waiting if each.damaged), "")
            why = why or self._damage.holds.get(key, "")
            if not why and view.inputs is UNSET:
                # This view holds only changes; nodes that have not changed, and are not checked again, lack what they lacked before.
                why = noted
        if why or noted:
            self._damage.lacks(key, why)
        if why or any(each.files for each in waiting):
            return structs.replace(view, waiting=waiting, damaged=why)
        return view

    def told_of(self, view: WaitingView) -> WaitingView:
        """Return a question with what is known of the files it shows, or which of them are missing."""
        values = [v for v in (view.value, view.suggested, *view.show.values()) if v is not UNSET]
        try:
            gone = [name for value in values for name in absent(self._blobs, value)]
        except ObjectsAway as error:
            why = f"the files shown by question {view.path!r} of execution {view.execution} cannot be read now: {error.message}"
            return structs.replace(view, damaged=why)
        else:
            for name in gone[:1]:
                why = (
                    f"the file {name}, shown by question {view.path!r} of execution {view.execution}, is missing:"
                    " upload the same file again, or restore an earlier copy of the store"
                )
                return structs.replace(view, damaged=why)
        files = self.findings.among(values)
        return structs.replace(view, files=files) if files else view

    def _code(self, now: Snapshot) -> str:
        return self.codes().lacks(now.row.workflow, now.row.id)

    def codes(self) -> "Codes":
        """Return an object that checks for the code of the executions of one list."""
        return Codes(self.bundles, self._programs)


class Codes:
    """Checks for code, once per bundle; it reads nothing of it, so it takes microseconds."""

    def __init__(self, bundles: Bundles, programs: Programs) -> None:
        self._bundles = bundles
        self._programs = programs
        self._there: dict[str, bool] = {"": True}

    def lacks(self, workflow: int, execution: str) -> str:
        """Say that the code of an execution of this version is missing; empty if it is stored."""
        bundle = self._programs.bundle(workflow)
        if bundle not in self._there:
            self._there[bundle] = self._bundles.is_there(bundle)
        if self._there[bundle]:
            return ""
        return (
            f"the code of execution {execution}, bundle {bundle[:12]}, is missing:"
            " register the same source again, or restore an earlier copy of the store"
        )


KNOWN = 10_000
"""Bundles known to be complete; each is a digest of 64 characters."""


class Needs:
    """Checks what an attempt cannot start without: its code, undamaged, and its input files. For use in one thread."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._blobs = artifacts.blobs
        self._bundles = artifacts.bundles
        self._whole: set[str] = set()

    def lacks(self, job: Job) -> str:
        """Return what is missing; empty if nothing is."""
        if job.bundle and (why := self._code(job.bundle)):
            return why
        missing = (f for value in job.inputs.values() for f in absent(self._blobs, value))
        name = next(missing, "")
        return name and (
            f"the file {name}, an input of node {job.node} of execution {job.id}, is missing:"
            " upload the same file again, or restore it from a backup; the node then continues by itself"
        )

    def _code(self, bundle: str) -> str:
        # The whole bundle is read once, which takes as long as it takes a worker; its presence is checked each time, in microseconds.
        if bundle in self._whole and self._bundles.is_there(bundle):
            return ""
        try:
            self._bundles.tree(bundle)
        except CodeError as error:
            self._whole.discard(bundle)
            return error.message
        if len(self._whole) >= KNOWN:
            self._whole.clear()
        self._whole.add(bundle)
        return ""


def lacking(artifacts: Artifacts, program: Program, now: Snapshot) -> Iterator[str]:
    """Yield what a running execution lacks: its code, and the files that its history names."""
    bundle, state = program.bundle, now.state
    if state.phase.is_terminal:
        return
    if bundle and not artifacts.bundles.is_there(bundle):
        yield f"its code, bundle {bundle}, is missing: register the same source again"
    if (recorded := state.setting.recorded) and not _is_there(artifacts.blobs, recorded):
        yield f"the record of what its code imports, blob {recorded[:12]}, is missing: restore it from a backup"
    for node_id, decks in state.decks.items():
        for attempt, digest in decks.items():
            if not _is_there(artifacts.blobs, digest):
                yield f"the deck of attempt {attempt} of node {node_id}, blob {digest[:12]}, is missing: restore it from a backup"
    values: list[Value] = [state.inputs]
    for node in state.nodes.values():
        values += [] if node.outputs is None else [node.outputs]
        values += [] if node.answer is None else [node.answer.value]
    # A value written in a graph, such as the default of an input, may be a file, too.
    values += [msgspec.to_builtins(graph) for graph in now.plan.scopes.values()]
    for name in dict.fromkeys(each for value in values for each in absent(artifacts.blobs, value)):
        yield f"the file {name} is missing: upload the same file again"


def _is_there(blobs: Blobs, digest: str) -> bool:
    try:
        blobs.size(digest)
    except UnknownBlob:
        return False
    return True


def absent(blobs: Blobs, value: Value) -> Iterator[str]:
    """Yield the names of the files that a value refers to and that are not stored."""
    if _MARK not in _encode(value):
        return
    todo = [value]
    while todo:
        each = todo.pop()
        if is_reference(each):
            try:
                blobs.size(each[BLOB])
            except UnknownBlob:
                yield str(each.get("name") or each[BLOB][:12])
        elif isinstance(each, dict):
            todo.extend(each.values())
        elif isinstance(each, list):
            todo.extend(each)
