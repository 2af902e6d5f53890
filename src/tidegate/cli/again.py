"""The commands that launch an execution again: recover, which goes on with what it had, and relaunch. What is kept is said before anything happens."""

import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.render import line, print_json, tell
from tidegate.cli.store import open_briefly
from tidegate.cli.way import Way, spelled, way_to
from tidegate.wire import ENDED, ExecutionView, GetExecution, NodeView, Recover, Relaunch

MOST_NAMED = 10
"""Names in a line of what is kept: as many as people read."""

new_id_option = click.option(
    "--id", "new_id", default="", help="The id of the new execution; the same one again finds it."
)


@click.command("recover")
@click.argument("execution", metavar="ID")
@new_id_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@server_options
def recover_command(*, home: Path, execution: str, new_id: str, yes: bool, as_json: bool) -> None:
    """
    Let an execution that failed or was aborted go on in a new one, with what it had.

    Results and answers are kept. After a failure approvals are kept too, and recorded as kept, with who gave them; after an abort they are asked
    for again. A task that is tried again keeps its idempotency key if its name, signature and inputs are the same. An execution is recovered
    once: of one that was, the last that came of it is recovered.
    """
    with way_to(home, open_briefly) as way:
        last = _last_of(way, full_id(way, execution))
        if last.phase in ENDED and last.phase != "SUCCEEDED":
            for said in what_becomes_of(last):
                tell(said)
            if sys.stdin.isatty() and not yes:
                click.confirm("Recover it?", default=True, abort=True, err=True)
        request = Recover(id=full_id(way, execution), new_id=new_id or _fresh())
        _tell_launched(way, way.ask(request), as_json=as_json)


@click.command("relaunch")
@click.argument("execution", metavar="ID")
@new_id_option
@json_option
@server_options
def relaunch_command(*, home: Path, execution: str, new_id: str, as_json: bool) -> None:
    """Launch an execution again from the beginning, with the same version and inputs. Nothing is kept, and everything is asked for again."""
    with way_to(home, open_briefly) as way:
        request = Relaunch(id=full_id(way, execution), new_id=new_id or _fresh())
        _tell_launched(way, way.ask(request), as_json=as_json)


def _fresh() -> str:
    # An id of its own makes it safe to send the request again to the next owner of the store.
    return secrets.token_hex(8)


def _last_of(way: Way, id_: str) -> ExecutionView:
    """Return the last of the executions that came of one."""
    view = way.ask(GetExecution(id=id_))
    while view.successor:
        view = way.ask(GetExecution(id=view.successor))
    return view


def _tell_launched(way: Way, view: ExecutionView, *, as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        click.echo(view.id)
    if way.is_owner:
        tell(f"not running; continue with `{spelled('resume', view.id)}`")


def what_becomes_of(view: ExecutionView) -> list[str]:
    """Say what a recovery keeps of an execution, and what it does again: a line for each kind of thing there is."""
    aborted = view.phase == "ABORTED"
    said = [
        f"{line(view.id)} {'was aborted' if aborted else 'failed'}; a new execution goes on with it"
    ]
    tasks = [each for each in view.nodes if each.kind == "task"]
    approved = [each for each in view.nodes if each.kind == "approve" and _is_given(each)]
    answered = [each for each in view.nodes if each.kind == "input" and _is_given(each)]
    tried = [each for each in tasks if each.phase != "SUCCEEDED" and each.attempts]
    said += _kept("results", (line(each.name) for each in tasks if each.phase == "SUCCEEDED"))
    said += _kept("answers", (_by(each) for each in answered))
    if aborted:
        said += _listed("asked for again, because it was aborted", [_by(each) for each in approved])
    else:
        said += _kept("approvals", (_by(each) for each in approved))
    same = "run again, with the same idempotency key if their inputs are the same"
    said += _listed(same, [line(each.name) for each in tried])
    return said


def _is_given(node: NodeView) -> bool:
    kept = node.phase in ("SUCCEEDED", "ABORTED", "SKIPPED")
    return node.answer is not None and kept


def _by(node: NodeView) -> str:
    assert node.answer is not None
    by = "the timeout" if node.answer.by_timeout else line(node.answer.who, 40)
    return f"{line(node.name)} (by {by})"


def _kept(what: str, names: Iterator[str]) -> list[str]:
    return _listed(f"{what} kept", list(names))


def _listed(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [f"  {what}: {', '.join(names[:MOST_NAMED])}{more}"]
