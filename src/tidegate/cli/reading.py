"""The commands that only look: list, show, inbox, logs, events. They change nothing, and need nobody to run."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import click
from msgspec import UNSET

from tidegate.cli.failing import explained, has_traceback, trace
from tidegate.cli.follow import how_to_answer, question
from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.prints import follow_prints
from tidegate.cli.render import (
    ago,
    brief,
    failure_line,
    left,
    line,
    moment,
    phase,
    print_json,
    printed,
    result,
    size,
    span,
    table,
    tell,
    utc_now,
)
from tidegate.cli.store import open_reader
from tidegate.cli.tree import tree
from tidegate.cli.way import Way, server, spelled, way_to
from tidegate.errors import Refused, StoreDamaged, UnknownWorkflow
from tidegate.types.values import named_blobs
from tidegate.wire import (
    ENDED,
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
    ListWorkflows,
    WaitingView,
)

PAGE = 500
WIDEST_NAME = 40
DAMAGED = "(damaged)"
MOST_DAMAGED = 5
"""Damaged executions of which a list says what is wrong; with more, it is the disk."""
SOON = timedelta(hours=1)
"""What waits for less than this is in a hurry."""


@click.command("list")
@click.option(
    "--phase",
    "phases",
    multiple=True,
    metavar="PHASE",
    help="Only those in this phase; repeatable.",
)
@click.option(
    "--workflow",
    default="",
    help="Only those of this workflow; the last part of its name is enough.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many."
)
@click.option("--all", "everything", is_flag=True, help="All of them.")
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
    """List executions, the newest first."""
    found: list[ExecutionLine] = []
    cursor = ""
    with way_to(home, open_reader) as way:
        workflow = workflow and _full_name(way, workflow)
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
        now = utc_now()
        head = ("ID", "WORKFLOW", "PHASE", "LAUNCHED", "WAITING FOR")
        click.echo(table(head, [_row(each, now) for each in found]))
        _tell_damage([each.damaged for each in found])
    elif phases or workflow:
        tell(f"no such executions; `{spelled('list')}` shows those there are")
    else:
        where = home if server() is None else server() or "the store that is served here"
        tell(f"no executions in {where}")
    if cursor:
        tell("there are more: --limit N, or --all")


def _full_name(way: Way, given: str) -> str:
    """Return the workflow that is meant by its name, or by the last part of it. Errors: `UnknownWorkflow`."""
    names = [each.name for each in way.ask(ListWorkflows()).items]
    meant = [name for name in names if given in (name, name.rpartition(".")[2])]
    if given in meant or len(meant) == 1:
        return given if given in meant else meant[0]
    if meant:
        raise UnknownWorkflow(f"{given!r} may mean any of: {', '.join(meant[:20])}")
    # Loaded here: the service is heavy, and this is seldom.
    from tidegate.service.registry import no_such_workflow  # noqa: PLC0415

    raise no_such_workflow(given, names)


def _row(each: ExecutionLine, now: datetime) -> tuple[str, ...]:
    waiting = ", ".join(line(name, 40) for name in each.waiting[:5])
    if each.damaged:
        waiting = f"{DAMAGED} {waiting}".rstrip()
    name = line(each.workflow)
    if len(name) > WIDEST_NAME:
        name = f"…{name[1 - WIDEST_NAME :]}"  # its end is what tells it from others
    return (each.id, name, phase(each.phase), ago(each.launched, now), waiting)


def _tell_damage(said: Iterable[str]) -> None:
    """Say what is damaged, once each."""
    damage = list(dict.fromkeys(each for each in said if each))
    for each in damage[:MOST_DAMAGED]:
        tell(line(each))
    if len(damage) > MOST_DAMAGED:
        tell(f"and {len(damage) - MOST_DAMAGED} more are damaged")


@click.command("show")
@click.argument("execution", metavar="ID")
@json_option
@server_options
def show_command(*, home: Path, execution: str, as_json: bool) -> None:
    """Show an execution: its nodes as a tree, and what it waits for. Of one that is damaged, what is known, and an error."""
    with way_to(home, open_reader) as way:
        view = way.ask(GetExecution(id=full_id(way, execution)))
        said = [] if as_json else explained(way, view)
    if as_json:
        print_json(view)
    else:
        _show(view)
        for each in said:
            click.echo(each)
    if view.damaged and not view.nodes:
        raise StoreDamaged(view.damaged)


def _show(view: ExecutionView) -> None:
    now = utc_now()
    click.echo(
        f"{click.style(view.id, bold=True)}  {line(view.workflow)} {line(view.version)}  {phase(view.phase)}"
    )
    ended = view.phase in ENDED
    until = f", ended after {span(view.changed - view.launched)}" if ended else ""
    click.echo(
        f"launched {moment(view.launched)}, {ago(view.launched, now)}, by {line(view.who)}{until}"
    )
    if view.damaged and not view.nodes:
        return
    if view.damaged:
        click.echo(click.style(line(view.damaged), fg="red"))
    if view.differs:
        how = "went on" if ended else "goes on"
        said = f"{how} in another environment than it was launched in: {view.differs}"
        click.echo(click.style(line(said), fg="yellow"))
    for name, value in ({} if view.inputs is UNSET else view.inputs).items():
        click.echo(f"  {line(name)} = {brief(value)}")
    click.echo("")
    for shown in tree(view.nodes, now):
        click.echo(shown)
    for each in view.waiting:
        click.echo("")
        _show_waiting(each)
    if any(each.held is not None and each.held.code == INTERRUPTED for each in view.nodes):
        click.echo("")
        click.echo(f"interrupted; continue with `{spelled('resume', view.id)}`")
    if ended:
        click.echo("")
    if view.phase == "SUCCEEDED":
        click.echo(f"result: {brief(result(view.outputs), 2000)}")
    elif ended:
        click.echo(f"error: {line(failure_line(view))}")


def _show_waiting(each: WaitingView) -> None:
    if each.kind in {"sleep", "retry"}:
        click.echo(f"{line(each.name)} goes on at {moment(each.due)} ({left(each.due, utc_now())})")
        return
    click.echo(question(each))
    click.echo(f"  $ {how_to_answer(each, shown=True)}")


@click.command("inbox")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many."
)
@click.option("--all", "everything", is_flag=True, help="All of it.")
@click.option("--full", is_flag=True, help="Each with its whole question.")
@json_option
@server_options
def inbox_command(*, home: Path, limit: int, everything: bool, full: bool, as_json: bool) -> None:
    """Show everything that waits for an answer, over all executions, the soonest due first."""
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
        whole = [_whole(way, each) for each in found] if full and not as_json else []
    if as_json:
        print_json(found)
    elif not found:
        tell("nothing waits for an answer")
    elif full:
        for number, each in enumerate(found):
            if number:
                click.echo("")
            click.echo(f"{each.execution}  {line(each.workflow)}")
            _show_waiting(whole[number])
    else:
        now = utc_now()
        head = ("ID", "NAME", "TAKES", "LEFT", "WORKFLOW", "QUESTION")
        click.echo(table(head, [_asked(each, now) for each in found]))
        _tell_damage([each.damaged for each in found])
        tell(f"a whole question: {spelled('show', 'ID')}")
        tell(f"answer it: {spelled('answer', 'ID', 'NAME', 'VALUE')}, or approve, or reject")
    if cursor:
        tell("there are more: --limit N, or --all")


def _whole(way: Way, each: WaitingView) -> WaitingView:
    """Return a question with all its values, which a list cuts if they are large, and with what the server finds of its files."""
    values = (v for v in (each.value, each.suggested, *each.show.values()) if v is not UNSET)
    if not each.preview and not any(True for v in values for _ in named_blobs(v)):
        return each
    try:
        return way.ask(GetQuestion(id=each.execution, name=each.path))
    except (Refused, StoreDamaged):
        return each  # it was answered meanwhile, or cannot be read: the list has all there is


def _asked(each: WaitingView, now: datetime) -> tuple[str, ...]:
    takes = "approval" if each.kind == "approve" else each.expects
    rest = left(each.due, now).removesuffix(" left")
    soon = each.due is not None and each.due - now < SOON
    return (
        each.execution,
        line(each.path, 40),
        line(takes, 28),
        click.style(rest, fg="yellow") if soon else rest,
        line(each.workflow.rpartition(".")[2], 30),
        _in_short(each),
    )


def _in_short(each: WaitingView) -> str:
    """Return what the table of the inbox says of a question: its title or text, and what is too large to be shown in a list."""
    cut = ", ".join(f"{line(part, 40)}: {size(view.size)}" for part, view in each.preview.items())
    said = line(each.title or each.prompt, 200)
    parts = [DAMAGED if each.damaged else "", said, f"({cut})" if cut else ""]
    return " ".join(part for part in parts if part)


@click.command("logs")
@click.argument("execution", metavar="ID")
@click.argument("node", required=False, default="")
@click.option(
    "-f", "--follow", "follows", is_flag=True, help="Go on until it ends, as it is printed."
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
        found = way.ask(GetLogs(id=id_, node=node)).items
        failed = {} if as_json else _failures(way.ask(GetExecution(id=id_)), node)
    if as_json:
        print_json(found)
        return
    if not (found or failed):
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
    """Return why tasks failed that have a traceback, by node; of one node, if it is named."""
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
    rows = [
        (str(each.seq), moment(each.at), each.kind, brief(each.details, 160)) for each in events
    ]
    click.echo(table(("#", "AT", "EVENT", ""), rows))
