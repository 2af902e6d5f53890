"""The command that shows one execution: its nodes as a tree, its open questions, and how it ended; once, or as it changes."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from msgspec import UNSET

from tidegate.cli.failing import explained
from tidegate.cli.follow import how_to_answer, question
from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.pictures import show_files
from tidegate.cli.render import (
    ago,
    brief,
    failure_line,
    json_text,
    left,
    line,
    moment,
    phase,
    print_json,
    result,
    span,
    utc_now,
)
from tidegate.cli.store import open_reader
from tidegate.cli.tree import tree
from tidegate.cli.way import Way, spelled, way_to
from tidegate.errors import StoreDamaged
from tidegate.sdk.exhibit import cells_wide
from tidegate.wire import (
    ENDED,
    INTERRUPTED,
    ExecutionView,
    GetExecution,
    ListEvents,
    WaitingView,
    merged,
)

TICK = 1.0
"""Seconds after which a watched execution is redrawn even if nothing has happened, because it shows times."""

CLEAR = "\x1b[H\x1b[J"
"""Go to the upper left, and erase everything below (ECMA-48)."""


@click.command("show")
@click.argument("execution", metavar="ID")
@click.option(
    "-w", "--watch", "watches", is_flag=True, help="Keep showing it as it changes, until it ends."
)
@json_option
@server_options
def show_command(*, home: Path, execution: str, watches: bool, as_json: bool) -> None:
    """
    Show an execution: its nodes as a tree, and its open questions. If it is damaged, show what is known, and an error.

    Each line of the tree has a node's phase, id and name, and the inputs of a task in short form. With --watch the screen is redrawn; if
    output is not a terminal, each change is printed as a line, or with --json as the whole execution.
    """
    with way_to(home, open_reader) as way:
        view = way.ask(GetExecution(id=full_id(way, execution)))
        if watches:
            view = _watch(way, view, as_json=as_json)
        said = [] if as_json else explained(way, view)
        if as_json and not watches:
            print_json(view)
        elif not (as_json or (watches and not sys.stdout.isatty())):
            for each in (*execution_lines(view), *said):
                click.echo(each)
            for gate in view.waiting:
                show_files(way, gate, sys.stdout)
    if view.damaged and not view.nodes:
        raise StoreDamaged(view.damaged)


def _watch(way: Way, view: ExecutionView, *, as_json: bool) -> ExecutionView:
    """Show an execution as it changes; return it once it has ended."""
    is_drawn = sys.stdout.isatty() and not as_json
    before = None
    while True:
        if is_drawn and view.phase not in ENDED:
            click.echo(CLEAR + "\n".join(_fitting(view)), nl=False)
        elif as_json and (before is None or view.seq != before.seq):
            click.echo(json_text(view))
        elif not is_drawn:
            for each in changes(before, view):
                click.echo(each)
        if view.phase in ENDED or (view.damaged and not view.nodes):
            if is_drawn:
                click.echo(CLEAR, nl=False)
            return view
        way.ask(ListEvents(id=view.id, after=view.seq, limit=1, wait=TICK))
        before = view
        view = merged(view, way.ask(GetExecution(id=view.id, after=view.seq)))


def _fitting(view: ExecutionView) -> list[str]:
    """Return what fits on the screen: in a tall tree, finished nodes are left out first, and counted."""
    size = shutil.get_terminal_size()
    room = size.lines - 1
    lines = [one for each in execution_lines(view) for one in each.split("\n")]
    if _tall(lines, size.columns) > room:
        left_out = ("SUCCEEDED", "SKIPPED")
        rest = [each for each in view.nodes if each.phase not in left_out]
        counted = f"… {len(view.nodes) - len(rest):,} nodes are done"
        lines = [*_head(view), "", counted, *tree(rest, utc_now())]
    while _tall(lines, size.columns) > room:
        lines = [*lines[:-2], "…"]
    return lines


def _tall(lines: Sequence[str], width: int) -> int:
    """Return how many screen lines some lines take."""
    return sum(max(1, -(-cells_wide(click.unstyle(each)) // width)) for each in lines)


def changes(before: ExecutionView | None, view: ExecutionView) -> Iterator[str]:
    """Yield a line for each node, and for the execution, whose phase has changed."""
    known = {} if before is None else {each.id: each.phase for each in before.nodes}
    now = moment(utc_now())
    for each in view.nodes:
        if known.get(each.id, "QUEUED") != each.phase:
            yield f"{now}  {line(each.id)}  {line(each.name)}  {each.phase}"
    if before is None or before.phase != view.phase:
        yield f"{now}  {view.id}  {line(view.workflow)}  {view.phase}"


def execution_lines(view: ExecutionView) -> Iterator[str]:
    """Yield an execution in human-readable form."""
    yield from _head(view)
    if view.damaged and not view.nodes:
        return
    ended = view.phase in ENDED
    yield ""
    yield from tree(view.nodes, utc_now())
    for each in view.waiting:
        yield ""
        yield from waiting_lines(each)
    if any(each.held is not None and each.held.code == INTERRUPTED for each in view.nodes):
        yield ""
        yield f"interrupted; continue with `{spelled('resume', view.id)}`"
    if ended:
        yield ""
    if view.phase == "SUCCEEDED":
        yield f"result: {brief(result(view.outputs), 2000)}"
    elif ended:
        yield f"error: {line(failure_line(view))}"


def _head(view: ExecutionView) -> Iterator[str]:
    now = utc_now()
    yield (
        f"{click.style(view.id, bold=True)}  {line(view.workflow)} {line(view.version)}  {phase(view.phase)}"
    )
    ended = view.phase in ENDED
    until = f", ended after {span(view.changed - view.launched)}" if ended else ""
    yield (
        f"launched {moment(view.launched)}, {ago(view.launched, now)}, by {line(view.who)}{until}"
    )
    if view.damaged and not view.nodes:
        return
    if view.damaged:
        yield (click.style(line(view.damaged), fg="red"))
    if view.differs:
        how = "continued" if ended else "continues"
        said = f"{how} in another environment than it was launched in: {view.differs}"
        yield (click.style(line(said), fg="yellow"))
    for name, value in ({} if view.inputs is UNSET else view.inputs).items():
        yield (f"  {line(name)} = {brief(value)}")


def waiting_lines(each: WaitingView) -> Iterator[str]:
    """Yield what an execution waits for, and how to answer it."""
    if each.kind in {"sleep", "retry"}:
        yield f"{line(each.name)} ends at {moment(each.due)} ({left(each.due, utc_now())})"
        return
    yield question(each)
    if each.due is not None and each.due <= utc_now():
        resume = spelled("resume", each.execution)
        yield f"  overdue: no answer is accepted any longer; the timeout takes effect with `{resume}`, or once a server runs it"
    else:
        yield f"  $ {how_to_answer(each, shown=True)}"
