"""The command for servers that share a store: `tidegate replicas`."""

from pathlib import Path

import click

from tidegate.cli.options import json_option, server_options
from tidegate.cli.render import line, moment, print_json, table, tell
from tidegate.cli.store import open_reader
from tidegate.cli.way import way_to
from tidegate.wire import ListReplicas, ReplicaView


@click.command("replicas")
@json_option
@server_options
def replicas_command(*, home: Path, as_json: bool) -> None:
    """
    Show the servers that share a store on Postgres, and how much of it each owns.

    A store has 64 shards, and each shard one owner. A server that leaves gives its shards up as soon as nothing of them runs there.
    """
    with way_to(home, open_reader) as way:
        found = way.ask(ListReplicas()).items
    if as_json:
        print_json(found)
    elif found:
        heads = ("SERVER", "ADDRESS", "SHARDS", "NEWEST", "SINCE", "VERSION", "")
        click.echo(table(heads, map(_row, found), whole=2))
    else:
        tell("no server shares this store: start `tidegate serve` with its address on Postgres")


def _row(each: ReplicaView) -> tuple[str, ...]:
    said = "leaving" if each.leaving else "replies" if each.here else ""
    newest = moment(each.newest) if each.newest else ""
    version = line(each.version)
    return (
        line(each.name),
        line(each.address),
        str(len(each.shards)),
        newest,
        moment(each.since),
        version,
        said,
    )
