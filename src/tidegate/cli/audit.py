"""The command for the audit log: `tidegate audit`."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from tidegate.cli.options import json_option, server_options
from tidegate.cli.render import line, moment, table, tell
from tidegate.cli.store import open_reader
from tidegate.cli.way import Way, way_to
from tidegate.wire import AuditLine, ListAudit

PAGE = 1000


@click.command("audit")
@click.option(
    "--kind", default="", metavar="KIND", help="Only lines of this kind, such as decision."
)
@click.option("--who", "who_did", default="", metavar="NAME", help="Only what this person did.")
@click.option("--execution", default="", metavar="ID", help="Only lines about this execution.")
@click.option(
    "--since", default="", metavar="TIME", help="Not before this time: 2026-01-31T12:00:00Z."
)
@click.option("--until", default="", metavar="TIME", help="Before this time.")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="Show at most this many lines.",
)
@json_option
@server_options
def audit_command(*, home: Path, limit: int, as_json: bool, **narrowed: str) -> None:
    """
    Show who decided, signed in, made tokens or was refused, newest first.

    With --json, the output is JSON Lines: an object per line.
    """
    wanted = ListAudit(limit=min(limit, PAGE), **narrowed)
    with way_to(home, open_reader) as way:
        found = []
        for each in _lines(way, wanted):
            if as_json:
                click.echo(msgspec.json.encode(each).decode())
            found.append(each)
            if len(found) == limit:
                break
    if as_json:
        return
    if found:
        heads = ("TIME", "KIND", "WHO", "ABOUT", "CREDENTIAL", "OUTCOME", "ADDRESS", "COUNT")
        # What users type to request these lines again, or to revoke a token.
        click.echo(table(heads, map(_row, found), whole=5))
    else:
        tell("nothing was recorded")


def _lines(way: Way, wanted: ListAudit) -> Iterator[AuditLine]:
    while True:
        page = way.ask(wanted)
        yield from page.items
        if not page.next:
            return
        wanted = msgspec.structs.replace(wanted, cursor=page.next)


def _row(each: AuditLine) -> tuple[str, ...]:
    about = f"{each.execution} {each.about}".strip()
    return (
        moment(each.at),
        each.kind,
        line(each.who),
        line(about),
        line(each.credential),
        each.outcome,
        line(each.address),
        str(each.count),
    )
