"""The commands that only read: list, inbox, logs, events. They change nothing, and need no running engine."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click
from msgspec import UNSET

from tidegate.cli.failing import has_traceback, trace
from tidegate.cli.options import full_id, full_workflow, json_option, server_options
from tidegate.cli.prints import follow_prints
from tidegate.cli.render import (
    ago,
    brief,
    left,
    line,
    moment,
    phase,
    print_json,
    printed,
    size,
    table,
    tell,
    utc_now,
)
from tidegate.cli.showing import waiting_lines
from tidegate.cli.store import open_reader
from tidegate.cli.way import Way, server, spelled, way_to
from tidegate.errors import Refused, StoreDamaged
from tidegate.sdk.ask import figure
from tidegate.sdk.exhibit import cells_wide
from tidegate.types.values import named_blobs
from tidegate.wire import (
    INTERRUPTED,
    EventView,
    ExecutionLine,
    ExecutionView,
    FailureView,
    GetExecution,
    GetLogs,
    GetQuestion,
    ListEvents,
    ListExecutions,
    ListInbox,
    WaitingView,
)

PAGE = 500
DAMAGED = "(damaged)"
NAMES_ROOM = 12
"""Cells that a list leaves for the names of open questions, however narrow the terminal."""
MOST_DAMAGED = 5
"""Damaged executions that a list explains; more than that, and it is the disk."""
SOON = timedelta(hours=1)
"""Time left below which a question is urgent."""


@click.command("list")
@click.option(
    "--phase",
    "phases",
    multiple=True,
    metavar="PHASE",
    help="Only executions in this phase; repeatable.",
)
@click.option(
    "--workflow",
    default="",
    help="Only executions of this workflow; the last part of its name is enough.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many."
)
@click.option("--all", "everything", is_flag=True, help="Show all of them.")
@json_option
@server_options
def list_command(
    *,
    home: Path,
    phases: tuple[str, ...],
    workflow: str,
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """List executions, newest first."""
    found: list[ExecutionLine] = []
    cursor = ""
    with way_to(home, open_reader) as way:
        workflow = workflow and full_workflow(way, workflow)
        while everything or len(found) < limit:
            size = PAGE if everything else min(PAGE, limit - len(found))
            request = ListExecutions(
                phases=list(phases), workflow=workflow, cursor=cursor, limit=size
            )
            page = way.ask(request)
            found += page.items
            cursor = page.next
            if not cursor:
                break
    if as_json:
        print_json(found)
    elif found:
        click.echo(_listed(found))
        _tell_damage([each.damaged for each in found])
    elif phases or workflow:
        tell(f"no such executions; run `{spelled('list')}` to see all")
    else:
        where = home if server() is None else server() or "the store that is served here"
        tell(f"no executions in {where}")
    if cursor:
        tell("there are more: use --limit N, or --all")


def _listed(found: Sequence[ExecutionLine]) -> str:
    now, names = utc_now(), short_names(each.workflow for each in found)
    rows = [
        (each.id, names[each.workflow], phase(each.phase), ago(each.launched, now))
        for each in found
    ]
    room = sys.maxsize
    if sys.stdout.isatty():
        taken = sum(max(cells_wide(click.unstyle(row[at])) + 2 for row in rows) for at in range(4))
        room = max(NAMES_ROOM, shutil.get_terminal_size().columns - taken)
    head = ["ID", "WORKFLOW", "PHASE", "LAUNCHED", "WAITING FOR"]
    notes = [_note(each) for each in found]
    whole = [[*row, whole_names(each.waiting, room)] for row, each in zip(rows, found, strict=True)]
    if any(notes):
        head.append("NOTE")
        whole = [[*row, note] for row, note in zip(whole, notes, strict=True)]
    return table(head, whole, whole=5)


def _note(each: ExecutionLine) -> str:
    if each.damaged:
        return DAMAGED
    said = line(each.held, 200)
    return said if said.startswith(INTERRUPTED) or not said else f"held: {said}"


def whole_names(names: Sequence[str], room: int) -> str:
    """Return the first of some names, at least one, and how many more there are; none of them is cut, so that each can be typed."""
    shown = [line(name) for name in names]
    kept = len(shown)
    while kept > 1 and cells_wide(_counted(shown, kept)) > room:
        kept -= 1
    return _counted(shown, kept)


def _counted(names: Sequence[str], kept: int) -> str:
    more = [f"+{len(names) - kept}"] if kept < len(names) else []
    return ", ".join([*names[:kept], *more])


def short_names(names: Iterable[str]) -> Mapping[str, str]:
    """Return the name to show for each workflow: at a terminal the last part, which identifies it unless two share it."""
    whole = {*names}
    if not sys.stdout.isatty():
        return {each: line(each) for each in whole}
    times = Counter(each.rpartition(".")[2] for each in whole)
    return {
        each: line(each if times[last] > 1 else last)
        for each in whole
        for last in [each.rpartition(".")[2]]
    }


def _tell_damage(said: Iterable[str]) -> None:
    """Report what is damaged, once each."""
    damage = list(dict.fromkeys(each for each in said if each))
    for each in damage[:MOST_DAMAGED]:
        tell(line(each))
    if len(damage) > MOST_DAMAGED:
        tell(f"and {len(damage) - MOST_DAMAGED} more are damaged")


@click.command("inbox")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many."
)
@click.option("--all", "everything", is_flag=True, help="Show all of them.")
@click.option("--full", is_flag=True, help="Include each full question.")
@json_option
@server_options
def inbox_command(*, home: Path, limit: int, everything: bool, full: bool, as_json: bool) -> None:
    """Show everything that waits for an answer, in all executions, earliest due first."""
    found: list[WaitingView] = []
    cursor = ""
    with way_to(home, open_reader) as way:
        while everything or len(found) < limit:
            size = PAGE if everything else min(PAGE, limit - len(found))
            page = way.ask(ListInbox(cursor=cursor, limit=size))
            found += page.items
            cursor = page.next
            if not cursor:
                break
        whole = [whole_question(way, each) for each in found] if full and not as_json else []
    if as_json:
        print_json(found)
    elif not found:
        tell("nothing waits for an answer")
    elif full:
        for number, each in enumerate(found):
            if number:
                click.echo("")
            click.echo(f"{each.execution}  {line(each.workflow)}")
            for said in waiting_lines(whole[number]):
                click.echo(said)
    else:
        now = utc_now()
        head = ("ID", "NAME", "WORKFLOW", "LEFT", "TAKES", "QUESTION")
        names = short_names(each.workflow for each in found)
        click.echo(table(head, [_asked(each, names, now) for each in found], whole=3))
        _tell_damage([each.damaged for each in found])
        tell(f"see a full question: {spelled('show', 'ID')}")
        tell(f"answer one: {spelled('answer', 'ID', 'NAME', 'VALUE')}, or approve, or reject")
    if cursor:
        tell("there are more: use --limit N, or --all")


def whole_question(way: Way, each: WaitingView) -> WaitingView:
    """Return a question with all its values, which a list shortens if they are large, and with what the server knows of its files."""
    values = (v for v in (each.value, each.suggested, *each.show.values()) if v is not UNSET)
    if not each.preview and not any(True for v in values for _ in named_blobs(v)):
        return each
    try:
        return way.ask(GetQuestion(id=each.execution, name=each.path))
    except (Refused, StoreDamaged):
        return each  # it was answered meanwhile, or cannot be read: the list has all there is


def _asked(each: WaitingView, names: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    takes = "approval" if each.kind == "approve" else each.expects
    rest = left(each.due, now).removesuffix(" left")
    soon = each.due is not None and each.due - now < SOON
    return (
        each.execution,
        line(each.path),
        names[each.workflow],
        click.style(rest, fg="yellow") if soon else rest,
        line(takes, 28),
        _in_short(each),
    )


def _in_short(each: WaitingView) -> str:
    """Return what the inbox shows of a question: its title or text, its figures, and what is too large for a list."""
    cut = ", ".join(f"{line(part, 40)}: {size(view.size)}" for part, view in each.preview.items())
    said = line(each.prompt if each.title == each.name else each.title, 200)
    figures = ", ".join(
        f"{line(name, 40)} {line(figure(value))}"
        for name, value in each.figures.items()
        if not each.preview.keys() & {name, f"show.{name}"}
    )
    said = " · ".join(part for part in (said, figures) if part)
    parts = [DAMAGED if each.damaged else "", said, f"({cut})" if cut else ""]
    return " ".join(part for part in parts if part)


@click.command("logs")
@click.argument("execution", metavar="ID")
@click.argument("node", required=False, default="")
@click.option(
    "-f", "--follow", "follows", is_flag=True, help="Follow the output until the execution ends."
)
@json_option
@server_options
def logs_command(*, home: Path, execution: str, node: str, follows: bool, as_json: bool) -> None:
    """Show what the tasks of an execution printed; NODE is the name of a node, or its id."""
    with way_to(home, open_reader) as way:
        id_ = full_id(way, execution)
        if follows:
            follow_prints(way, id_, node)
            return
        page = way.ask(GetLogs(id=id_, node=node))
        failed = {} if as_json else _failures(way.ask(GetExecution(id=id_)), node)
    found = page.items
    if page.missing:
        tell(line(page.missing))
    if as_json:
        print_json(found)
        return
    if not (found or failed or page.missing):
        tell("nothing was printed")
    last = {each.node: each.attempt for each in found}
    for each in found:
        attempt = f", attempt {each.attempt}" if each.attempt > 1 else ""
        click.echo(click.style(f"--- {line(each.name)} ({line(each.node)}{attempt})", bold=True))
        click.echo(printed(each.text).rstrip("\n"))
        if each.attempt == last[each.node]:
            _show_failure(failed.pop(each.node, None))
    for id_, failure in failed.items():
        click.echo(click.style(f"--- {line(failure.name)} ({line(id_)})", bold=True))
        _show_failure(failure)


def _failures(view: ExecutionView, node: str) -> dict[str, FailureView]:
    """Return the failures with a traceback, by node; or that of one node."""
    return {
        each.id: each.failure
        for each in view.nodes
        if each.kind == "task" and node in ("", each.id, each.name)
        if each.failure is not None and has_traceback(each.failure)
    }


def _show_failure(failure: FailureView | None) -> None:
    if failure is not None:
        for each in trace(failure):
            click.echo(each)
        click.echo(click.style(f"  {line(failure.message)}", fg="red"))


@click.command("events")
@click.argument("execution", metavar="ID")
@json_option
@server_options
def events_command(*, home: Path, execution: str, as_json: bool) -> None:
    """Show the history of an execution."""
    events: list[EventView] = []
    with way_to(home, open_reader) as way:
        id_ = full_id(way, execution)
        while True:
            after = events[-1].seq if events else 0
            page = way.ask(ListEvents(id=id_, after=after)).items
            events += page
            if not page:
                break
    if as_json:
        print_json(events)
        return
    rows = [_line(each) for each in events]
    click.echo(table(("#", "EVENT", "NODE", "AT", ""), rows, whole=3))


def _line(event: EventView) -> tuple[str, ...]:
    details = dict(event.details)
    node = line(details.pop("node", ""))
    return (str(event.seq), event.kind, node, moment(event.at), brief(details, 160))
