"""
Following an execution from a terminal: show its progress, ask its questions, notice answers from elsewhere.

Rule 1: it never waits silently: it says what it waits for, and how to answer that from elsewhere.
Rule 2: an invalid answer changes nothing, and is asked for again.
"""

import secrets
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TextIO

from msgspec import Struct
from msgspec.structs import replace

from tidegate.cli.pictures import show_files
from tidegate.cli.prints import Prints
from tidegate.cli.progress import Progress
from tidegate.cli.render import brief, left, line, size, styled, tell, utc_now, write
from tidegate.cli.terminal import Lines
from tidegate.cli.values import Reader
from tidegate.cli.way import Way, spelled
from tidegate.errors import InvalidValue, NoAnswer, Refused, StoreDamaged, TaskHeld
from tidegate.ir.expr import Value
from tidegate.sdk.ask import Query, ask, opening, then
from tidegate.sdk.fields import is_composite
from tidegate.wire import (
    ANSWERABLE,
    ENDED,
    Answer,
    ExecutionView,
    GetExecution,
    ListEvents,
    NodeView,
    WaitingView,
    merged,
)

LISTEN = 20.0
"""Seconds that one request waits for news."""

AGAIN = 1.0
"""Seconds after which an idle execution is checked again."""

SETTLE = 2 * AGAIN
"""Seconds that the engine has to look at what is held again, once a terminal has joined: it does so each second at the latest."""

GATHER = 0.03
"""Seconds in which news is gathered, so that a busy execution is not read for each event."""


class Until(Enum):
    """How far an execution is followed: until it has ended; until nothing more can happen without an answer; or until it waits, for an answer or a point in time."""

    ENDED = "ended"
    QUIET = "quiet"
    WAITING = "waiting"


class Prepared(Struct, frozen=True):
    """An answer given in advance: for the signal with this name, once."""

    name: str
    given: str


class _MootError(Exception):
    """The question was settled elsewhere."""


class Follower:
    """Follows one execution. `lines` is where answers are read from; None: nobody is asked. Output printed before `since` is not shown."""

    def __init__(
        self,
        way: Way,
        execution: str,
        prepared: Sequence[Prepared],
        lines: Lines | None,
        *,
        since: datetime | None = None,
    ) -> None:
        self._way = way
        self._id = execution
        self._prepared = list(prepared)
        self._asks = lines is not None
        self._lines = lines if lines is not None else Lines()
        self._reader = Reader(way.blobs)
        self._prints = Prints(way, execution)
        if since is not None:
            self._prints.skip(since)
        self._seen = 0
        self._view: ExecutionView | None = None
        self._is_told = False
        self._news = threading.Event()
        self._trouble: Exception | None = None
        self._announced: set[str] = set()
        self._stopped = False

    def follow(self, until: Until = Until.ENDED) -> ExecutionView:
        """Return the execution once it has ended or reached `until`. Errors: `StoreDamaged`, `TaskHeld` if nothing can start."""
        detach, settled = until is not Until.ENDED, time.monotonic() + SETTLE
        threading.Thread(target=self._listen, name="tidegate-news", daemon=True).start()
        progress = Progress()
        try:
            while True:
                self._news.clear()
                if self._trouble is not None:
                    raise self._trouble
                view = self._look()
                self._tell_prints(progress)
                progress.show(view)
                open_gates = [each for each in view.waiting if each.kind in ANSWERABLE]
                if view.phase in ENDED:
                    return view
                if any(self._answer_prepared(gate) for gate in open_gates):
                    continue
                if detach and (is_quiet(view) or is_too_large(view)):
                    return view
                if until is Until.WAITING and view.phase == "WAITING":
                    return view
                if view.damaged and is_held(view):
                    raise StoreDamaged(view.damaged)
                # What the workers of the store could not start, those of this terminal may.
                if (why := hindrance(view)) and is_held(view) and time.monotonic() > settled:
                    raise TaskHeld(
                        f"{why}; once that is fixed, continue with: {spelled('resume', self._id)}"
                    )
                if self._asks and not detach and open_gates:
                    progress.pause()
                    self._ask(open_gates[0])
                    continue
                if not detach:
                    self._announce(open_gates, progress)
                self._wait(progress)
        finally:
            self._stopped = True
            progress.pause()

    def _tell_prints(self, progress: Progress) -> None:
        """Show what tasks have printed since."""
        for said in self._prints.lines():
            progress.pause()
            tell(said)
        if complaint := self._prints.complaint():
            progress.pause()
            tell(complaint)

    def _look(self) -> ExecutionView:
        """Return the execution as it is now; only changes are requested."""
        seen = self._view
        news = self._way.ask(GetExecution(id=self._id, after=seen.seq if seen is not None else 0))
        view = self._view = news if seen is None else merged(seen, news)
        if view.damaged:
            if not view.nodes:
                raise StoreDamaged(view.damaged)
            if not self._is_told:
                tell(line(view.damaged))
                self._is_told = True
        return view

    # ---- news ----

    def _listen(self) -> None:
        """Notify the follower whenever something has happened."""
        while not self._stopped:
            try:
                # One event is enough to read it again; what was read before is not news.
                seen = max(self._seen, self._view.seq if self._view is not None else 0)
                request = ListEvents(id=self._id, after=seen, limit=1, wait=LISTEN)
                events = self._way.ask(request).items
            except Exception as error:  # noqa: BLE001 - whatever it is, the follower must get it
                self._trouble = error
                events = []
            if events or self._trouble:
                self._seen = events[-1].seq if events else self._seen
                self._news.set()
                self._lines.wake()
            if self._trouble:
                return
            time.sleep(GATHER)

    def _wait(self, progress: Progress) -> None:
        """Wait for news; without any, read it again from time to time all the same."""
        # An attempt that waits for a worker, or is held, causes no event: check for it.
        pause = AGAIN if self._view is not None and is_held(self._view) else LISTEN
        until = time.monotonic() + pause
        runs = self._view is not None and any(each.phase == "RUNNING" for each in self._view.nodes)
        while not self._news.wait(progress.tick) and time.monotonic() < until:
            if runs:
                self._tell_prints(progress)
            progress.refresh()

    # ---- answers ----

    def _answer_prepared(self, gate: WaitingView) -> bool:
        for prepared in self._prepared:
            if prepared.name in (gate.name, gate.path):
                self._prepared.remove(prepared)
                try:
                    what = f"--answer {gate.name}"
                    value = self._reader.answer(gate.schema, prepared.given, what)
                except InvalidValue as error:
                    tell(f"{line(error.message)}")
                    return False
                return self._send(gate, value, shown=False)
        return False

    def _ask(self, gate: WaitingView) -> None:
        """Ask a question until its answer is accepted, the question is settled, or input ends."""

        def read() -> str:
            raw = self._lines.read(lambda: self._check_open(gate))
            if not self._lines.is_terminal:
                tell(line(raw))
            return raw

        try:
            show_files(self._way, gate, sys.stderr)
            self._lines.forget()
            asked = replace(query(gate, sys.stderr), by_field=self._lines.is_terminal)
            fits = False
            while not fits:
                value = ask(
                    asked,
                    read,
                    write,
                    now=utc_now().astimezone(),
                    blobs=self._reader.blobs,
                    meant=self._reader.at_prompt,
                )
                fits = self._send(gate, value, shown=True)
                if is_composite(gate.schema):
                    # Nobody types nine fields again because the tenth does not fit.
                    asked = replace(asked, suggested=value)
        except _MootError:
            return
        except NoAnswer:
            self._asks = False

    def _check_open(self, gate: WaitingView) -> None:
        """Raise if a gate that is being asked about is no longer waiting."""
        self._news.clear()
        if self._trouble is not None:
            raise self._trouble
        view = self._look()
        if any(each.node == gate.node for each in view.waiting):
            return
        self._lines.forget()
        tell("")
        tell(f"{line(gate.path)}: {outcome(view, gate)}")
        raise _MootError

    def _send(self, gate: WaitingView, value: Value, *, shown: bool) -> bool:
        """Give an answer, to a question that was shown or not; return False if it is invalid."""
        request = Answer(
            id=self._id,
            name=gate.handle,
            value=value,
            key=f"cli-{secrets.token_hex(8)}",
            shown=gate.digest if shown else "",
        )
        try:
            self._way.ask(request)
        except InvalidValue as error:
            faults = "; ".join(str(fault) for fault in error.faults)
            tell(f"  invalid answer: {line(faults or error.message)}")
            return False
        except Refused as error:
            tell(f"  {line(error.message)}")
        return True

    def _announce(self, gates: Sequence[WaitingView], progress: Progress) -> None:
        fresh = [gate for gate in gates if gate.path not in self._announced]
        if fresh:
            progress.pause()
        for gate in fresh:
            self._announced.add(gate.path)
            tell(f"waiting for {line(gate.path)}: {gate.expects}; {line(until(gate))}")
            tell(f"  answer with: {how_to_answer(gate)}")


def is_quiet(view: ExecutionView) -> bool:
    """Return whether nothing more can happen without an answer."""
    return view.phase == "WAITING" and all(each.kind in ANSWERABLE for each in view.waiting)


def is_too_large(view: ExecutionView) -> bool:
    """Return whether everything left in an execution, except for open questions, requests more than this machine has."""
    live = [each for each in _leaves(view) if _is_live(each)]
    return (
        bool(live)
        and all(each.held is not None and each.held.code == "too_large" for each in live)
        and all(each.kind in ANSWERABLE for each in view.waiting)
    )


def hindrance(view: ExecutionView) -> str:
    """Return why a task cannot start here, if a person must fix it; a full disk and busy workers do not count."""
    held = (each.held for each in view.nodes if each.held is not None)
    return next((each.message for each in held if each.code in ("missing", "environment")), "")


def is_held(view: ExecutionView) -> bool:
    """Return whether everything left in an execution is attempts that have not started."""
    leaves = _leaves(view)
    return any(each.phase == "QUEUED" and each.attempts for each in leaves) and not any(
        each.phase in ("RUNNING", "WAITING") for each in leaves
    )


def _leaves(view: ExecutionView) -> list[NodeView]:
    parents = {each.parent for each in view.nodes}
    return [each for each in view.nodes if each.id not in parents]


def _is_live(node: NodeView) -> bool:
    return node.phase == "RUNNING" or (node.phase == "QUEUED" and node.attempts > 0)


def how_to_answer(gate: WaitingView, *, shown: bool = False) -> str:
    """Return the command that answers a gate; `shown`: the question is shown beside it, so the command includes its digest."""
    # A name that cannot be typed as it is shown has an address that can.
    path = gate.path if line(gate.path) == gate.path else gate.handle
    words = [*(["--"] if path.startswith("-") else []), shlex.quote(path)]
    what = ["--shown", gate.digest] if shown else []
    if gate.kind == "approve":
        return spelled("approve", gate.execution, *what, *words)
    return spelled("answer", gate.execution, *what, *words, "VALUE")


def query(gate: WaitingView, stream: TextIO) -> Query:
    """Return the question of a gate in the form in which people are asked on a stream. A value shortened by a list is shown in part, with its size."""
    cut = {
        part.removeprefix("show."): f"{view.text}… ({size(view.size)} in all)"
        for part, view in gate.preview.items()
    }
    return Query(
        name=line(gate.path),
        kind=gate.kind,
        schema=gate.schema,
        title="" if gate.title == gate.name else gate.title,
        figures=gate.figures,
        prompt=gate.prompt,
        show={line(name): value for name, value in (gate.show | cut).items()},
        value=gate.value,
        value_schema=gate.value_schema,
        suggested=gate.suggested,
        until=until(gate),
        whole=spelled("show", gate.execution, "--json"),
        files={each.digest: (each.size, each.media) for each in gate.files.values()},
        columns=shutil.get_terminal_size().columns if stream.isatty() else 0,
    )


def until(gate: WaitingView) -> str:
    """Say how much time is left for an answer, and what happens after that."""
    if gate.due is None:
        return left(None, utc_now())
    return f"{left(gate.due, utc_now())}, {then(gate.on_timeout, approval=gate.kind == 'approve')}"


def question(gate: WaitingView) -> str:
    """Return a question as a person reads it."""
    return styled("\n".join(opening(query(gate, sys.stdout))))


def outcome(view: ExecutionView, gate: WaitingView) -> str:
    """Say what became of a gate that is no longer open."""
    for node in view.nodes:
        if node.id == gate.node:
            if node.answer is not None:
                by = "the timeout" if node.answer.by_timeout else line(node.answer.who)
                return f"answered by {by} meanwhile: {brief(node.answer.value)}"
            if node.phase == "TIMED_OUT":
                return "timed out meanwhile"
    return f"no longer asked (the execution is {view.phase})"
