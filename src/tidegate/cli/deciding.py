"""The commands that decide: answer, approve, reject, abort. Their decision is stored when they return, whether or not anything runs."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from tidegate.cli.bulk import Wanted, decide_all, open_approvals, read_answers
from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.render import line, print_json, tell
from tidegate.cli.store import open_briefly
from tidegate.cli.values import Reader
from tidegate.cli.way import Way, spelled, way_to
from tidegate.ir.expr import Value
from tidegate.wire import (
    ENDED,
    Abort,
    Answer,
    GetExecution,
    ListSignals,
)

comment_option = click.option("--comment", default="", help="The reason; kept with the answer.")
key_option = click.option(
    "--key", default="", help="Idempotency key: the same key again changes nothing."
)

shown_option = click.option(
    "--shown",
    default="",
    metavar="DIGEST",
    help="The digest of the question as you saw it: refused if it has changed. Without it, the record says that nothing was shown.",
)


yes_option = click.option("--yes", is_flag=True, help="With several: do not ask for confirmation.")


# A value may start with a minus sign; it is not an option then.
@click.command("answer", context_settings={"ignore_unknown_options": True})
@click.argument("execution", metavar="[ID]", default="")
@click.argument("name", default="")
@click.argument("value", metavar="[JSON]", required=False)
@click.option(
    "--from", "file", metavar="FILE", help="Many answers, from a file of JSON Lines, or from -."
)
@yes_option
@comment_option
@key_option
@shown_option
@json_option
@server_options
def answer_command(
    *,
    home: Path,
    execution: str,
    name: str,
    value: str | None,
    file: str | None,
    yes: bool,
    **options: str,
) -> int:
    """
    Answer a question of an execution.

    ID may be the beginning of an id. NAME is the name of the signal; if several share it, use its path or its handle.
    Text needs no extra quotes. @FILE reads the value from a file, and - from standard input.

    With --from, each line of FILE is {"execution": ID, "signal": NAME, "value": JSON}, optionally with comment, key and shown. All are listed
    first, and sent after you confirm; each has its own result. The exit code is that of the first answer that was not accepted.
    """
    with way_to(home, open_briefly) as way:
        if file is not None:
            _check_alone(options, execution)
            items = read_answers(way, file, options["comment"])
            return decide_all(way, items, "answer", yes=yes, as_json=bool(options["as_json"]))
        if not name or value is None:
            raise click.UsageError("give ID, NAME and JSON, or --from FILE")
        id_ = full_id(way, execution)
        there = way.ask(ListSignals(id=id_)).items
        schema = next(
            (each.schema for each in there if name in (each.path, each.name, each.handle)), None
        )
        given = Reader(way.blobs).answer(schema, value, f"signal {name!r}")
        return _answer(way, id_, name, given, options)


def _check_alone(options: dict[str, str], execution: str = "") -> None:
    if execution or options["key"] or options["shown"]:
        raise click.UsageError(
            "ID, NAME, JSON, --key and --shown are of one answer; leave them out"
        )


def all_options(function: Any) -> Any:
    """Add the options of a decision about many approvals."""
    for option in (
        click.option(
            "--all",
            "everything",
            is_flag=True,
            help="Every open approval; with ID or NAME, only theirs.",
        ),
        click.option("--workflow", default="", help="With --all: only those of this workflow."),
        click.option("--full", is_flag=True, help="With --all: show each question in full first."),
        yes_option,
    ):
        function = option(function)
    return function


class Decision(Struct, frozen=True, kw_only=True):
    """What `approve` and `reject` were told."""

    execution: str
    name: str
    everything: bool
    workflow: str
    full: bool
    yes: bool
    comment: str
    key: str
    shown: str
    as_json: bool


@click.command("approve")
@click.argument("execution", metavar="[ID]", default="")
@click.argument("name", default="")
@all_options
@comment_option
@key_option
@shown_option
@json_option
@server_options
def approve_command(*, home: Path, **told: Any) -> int:
    """
    Approve what an execution asks about: NAME is the name of the signal, or its path.

    With --all, every open approval (of a workflow, of an execution, or of all) is listed, and approved after you confirm; each has its own result. The exit
    code is that of the first that was not accepted.
    """
    return _decide(home, Decision(**told), value=True)


@click.command("reject")
@click.argument("execution", metavar="[ID]", default="")
@click.argument("name", default="")
@all_options
@comment_option
@key_option
@shown_option
@json_option
@server_options
def reject_command(*, home: Path, **told: Any) -> int:
    """Reject what an execution asks about; give the reason with --comment. --all works as in `approve`."""
    return _decide(home, Decision(**told), value=False)


def _decide(home: Path, told: Decision, *, value: bool) -> int:
    options = {"comment": told.comment, "key": told.key, "shown": told.shown}
    with way_to(home, open_briefly) as way:
        if told.everything or told.workflow:
            if not told.everything:
                raise click.UsageError("--workflow is for --all: add it, or name one approval")
            _check_alone(options)
            wanted = Wanted(told.workflow, told.execution, told.name)
            items = open_approvals(way, wanted, told.comment, value=value, full=told.full)
            verb = "approve" if value else "reject"
            return decide_all(way, items, verb, yes=told.yes, as_json=told.as_json)
        if not told.name:
            raise click.UsageError("give ID and NAME, or --all")
        id_ = full_id(way, told.execution)
        return _answer(way, id_, told.name, value, {**options, "as_json": told.as_json})


@click.command("abort")
@click.argument("execution", metavar="ID")
@click.option("--reason", default="", help="The reason; kept with the execution.")
@json_option
@server_options
def abort_command(*, home: Path, execution: str, reason: str, as_json: bool) -> None:
    """End an execution; its open questions leave the inbox."""
    with way_to(home, open_briefly) as way:
        done = way.ask(Abort(id=full_id(way, execution), reason=reason))
    if as_json:
        print_json(done)
    else:
        tell(f"aborted {done.execution}")


def _answer(way: Way, id_: str, name: str, value: Value, options: Mapping[str, Any]) -> int:
    # With a key chosen here it is safe to resend the request to the store's next owner.
    key = options["key"] or f"cli-{secrets.token_hex(8)}"
    comment, shown = options["comment"], options["shown"]
    request = Answer(id=id_, name=name, value=value, comment=comment, key=key, shown=shown)
    reply = way.ask(request)
    if options["as_json"]:
        print_json(reply)
    else:
        early = " (early: it is kept until the gate opens)" if reply.early else ""
        tell(f"answered {line(reply.signal)} of {reply.execution}{early}")
    if way.is_owner:
        phase = way.ask(GetExecution(id=id_)).phase
        if phase not in ENDED:
            tell(f"not running; continue with `{spelled('resume', reply.execution)}`")
    return 0
