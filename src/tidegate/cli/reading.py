"""The commands that only look: list, show, inbox, logs, events. They change nothing, and need nobody to run."""

from collections.abc import Sequence
from pathlib import Path

import click

from tidegate.cli.follow import how_to_answer, question
from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.render import (
    brief,
    line,
    moment,
    phase,
    print_json,
    result,
    span,
    table,
    tell,
    text,
)
from tidegate.cli.run import failure_line
from tidegate.cli.way import way_to
from tidegate.runtime import open_reader
from tidegate.wire import (
    EventList,
    EventView,
    ExecutionLine,
    ExecutionPage,
    ExecutionView,
    GetExecution,
    GetLogs,
    InboxPage,
    ListEvents,
    ListExecutions,
    ListInbox,
    LogList,
    NodeView,
    WaitingView,
)

PAGE = 500


@click.command("list")
@click.option(
    "--phase",
    "phases",
    multiple=True,
    metavar="PHASE",
    help="Only those in this phase; repeatable.",
)
@click.option("--workflow", default="", help="Only those of this workflow.")
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many."
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
        while everything or len(found) < limit:
            size = PAGE if everything else min(PAGE, limit - len(found))
            request = ListExecutions(
                phases=list(phases), workflow=workflow, cursor=cursor, limit=size
            )
            page = way.ask(request, ExecutionPage)
            found += page.items
            cursor = page.next
            if not cursor:
                break
    if as_json:
        print_json(found)
    elif found:
        click.echo(table(("ID", "WORKFLOW", "PHASE", "LAUNCHED", "WAITING FOR"), map(_row, found)))
    else:
        tell(f"no executions in {home}")
    if cursor:
        tell("there are more: --limit N, or --all")


def _row(each: ExecutionLine) -> tuple[str, ...]:
    waiting = ", ".join(line(name, 40) for name in each.waiting[:5])
    return (each.id, line(each.workflow, 60), phase(each.phase), moment(each.launched), waiting)


@click.command("show")
@click.argument("execution", metavar="ID")
@json_option
@server_options
def show_command(*, home: Path, execution: str, as_json: bool) -> None:
    """Show an execution: its nodes as a tree, and what it waits for."""
    with way_to(home, open_reader) as way:
        view = way.ask(GetExecution(id=full_id(way, execution)), ExecutionView)
    if as_json:
        print_json(view)
        return
    click.echo(
        f"{click.style(view.id, bold=True)}  {line(view.workflow)} {line(view.version)}  {phase(view.phase)}"
    )
    ended = view.phase in {"SUCCEEDED", "FAILED", "ABORTED"}
    until = (
        f", ended {moment(view.changed)} after {span(view.changed - view.launched)}"
        if ended
        else ""
    )
    click.echo(f"launched {moment(view.launched)} by {line(view.who)}{until}")
    for name, value in view.inputs.items():
        click.echo(f"  {line(name)} = {brief(value)}")
    for shown in tree(view.nodes):
        click.echo(shown)
    for each in view.waiting:
        click.echo("")
        _show_waiting(each)
    if view.phase == "SUCCEEDED":
        click.echo(f"result: {brief(result(view.outputs), 2000)}")
    elif ended:
        click.echo(f"error: {line(failure_line(view))}")


def tree(nodes: Sequence[NodeView]) -> list[str]:
    """Return nodes as an indented tree, each below the one it stands in."""
    children: dict[str, list[NodeView]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node)
    lines: list[str] = []
    # A stack and not recursion: how deep nodes lie in each other is up to the author.
    stack = [(node, 0) for node in reversed(children.get("", []))]
    while stack:
        node, depth = stack.pop()
        lines.append("  " * depth + _node(node))
        stack.extend((child, depth + 1) for child in reversed(children.get(node.id, [])))
    return lines


def _node(node: NodeView) -> str:
    parts = [phase(node.phase, 9), line(node.name, 60)]
    if node.kind != "task":
        parts.append(f"({node.kind})")
    if node.attempts > 1:
        parts.append(f"attempt {node.attempts}")
    if node.began and node.ended:
        parts.append(span(node.ended - node.began))
    if node.deck:
        parts.append("(deck)")
    if node.answer is not None:
        by = "the timeout" if node.answer.by_timeout else line(node.answer.who, 40)
        parts.append(f"← {brief(node.answer.value, 60)} by {by}")
        if node.answer.comment:
            parts.append(f"“{line(node.answer.comment, 80)}”")
    if node.failure is not None:
        parts.append(click.style(line(node.failure.message, 120), fg="red"))
    return "  ".join(parts)


def _show_waiting(each: WaitingView) -> None:
    if each.kind in {"sleep", "retry"}:
        click.echo(f"{line(each.name)} goes on at {moment(each.due)}")
        return
    click.echo(question(each))
    click.echo(f"  takes {line(each.expects)}; {how_to_answer(each)}")


@click.command("inbox")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many."
)
@click.option("--all", "everything", is_flag=True, help="All of it.")
@json_option
@server_options
def inbox_command(*, home: Path, limit: int, everything: bool, as_json: bool) -> None:
    """Show everything that waits for an answer, over all executions, the soonest due first."""
    found: list[WaitingView] = []
    cursor = ""
    with way_to(home, open_reader) as way:
        while everything or len(found) < limit:
            size = PAGE if everything else min(PAGE, limit - len(found))
            page = way.ask(ListInbox(cursor=cursor, limit=size), InboxPage)
            found += page.items
            cursor = page.next
            if not cursor:
                break
    if as_json:
        print_json(found)
    elif not found:
        tell("nothing waits for an answer")
    else:
        for number, each in enumerate(found):
            if number:
                click.echo("")
            click.echo(f"{each.execution}  {line(each.workflow)}")
            _show_waiting(each)
    if cursor:
        tell("there are more: --limit N, or --all")


@click.command("logs")
@click.argument("execution", metavar="ID")
@click.argument("node", required=False, default="")
@json_option
@server_options
def logs_command(*, home: Path, execution: str, node: str, as_json: bool) -> None:
    """Show what the tasks of an execution printed; NODE is the name of a node, or its id."""
    with way_to(home, open_reader) as way:
        found = way.ask(GetLogs(id=full_id(way, execution), node=node), LogList).items
    if as_json:
        print_json(found)
        return
    if not found:
        tell("nothing was printed")
    for each in found:
        attempt = f", attempt {each.attempt}" if each.attempt > 1 else ""
        click.echo(click.style(f"--- {line(each.name)} ({line(each.node)}{attempt})", bold=True))
        click.echo(text(each.text).rstrip("\n"))


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
            page = way.ask(ListEvents(id=id_, after=after), EventList).items
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
