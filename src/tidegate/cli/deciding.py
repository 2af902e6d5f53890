"""The commands that decide: answer, approve, reject, abort. Their decision is stored when they return, whether or not anything runs."""

import secrets
from pathlib import Path

import click

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


# A value may start with a minus sign; it is not an option then.
@click.command("answer", context_settings={"ignore_unknown_options": True})
@click.argument("execution", metavar="ID")
@click.argument("name")
@click.argument("value", metavar="JSON")
@comment_option
@key_option
@shown_option
@json_option
@server_options
def answer_command(*, home: Path, execution: str, name: str, value: str, **options: str) -> None:
    """
    Answer a question of an execution.

    ID may be the beginning of an id. NAME is the name of the signal; if several share it, use its path or its handle.
    Text needs no extra quotes. @FILE reads the value from a file, and - from standard input.
    """
    with way_to(home, open_briefly) as way:
        id_ = full_id(way, execution)
        there = way.ask(ListSignals(id=id_)).items
        schema = next(
            (each.schema for each in there if name in (each.path, each.name, each.handle)), None
        )
        given = Reader(way.blobs).answer(schema, value, f"signal {name!r}")
        _answer(way, id_, name, given, options)


@click.command("approve")
@click.argument("execution", metavar="ID")
@click.argument("name")
@comment_option
@key_option
@shown_option
@json_option
@server_options
def approve_command(*, home: Path, execution: str, name: str, **options: str) -> None:
    """Approve what an execution asks about: NAME is the name of the signal, or its path."""
    with way_to(home, open_briefly) as way:
        _answer(way, full_id(way, execution), name, True, options)


@click.command("reject")
@click.argument("execution", metavar="ID")
@click.argument("name")
@comment_option
@key_option
@shown_option
@json_option
@server_options
def reject_command(*, home: Path, execution: str, name: str, **options: str) -> None:
    """Reject what an execution asks about; give the reason with --comment."""
    with way_to(home, open_briefly) as way:
        _answer(way, full_id(way, execution), name, False, options)


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


def _answer(way: Way, id_: str, name: str, value: Value, options: dict[str, str]) -> None:
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
