"""The command that moves a store: `tidegate store copy`."""

import os
from pathlib import Path

import click

from tidegate.cli.options import json_option, shared_options
from tidegate.cli.progress import counting
from tidegate.cli.render import counted, print_json, table, tell
from tidegate.cli.way import spelled
from tidegate.home import BLOBS_VARIABLE


@click.group("store")
def store_command() -> None:
    """Move the store: its history into Postgres or into a file, its files into an object store or a directory."""


@store_command.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@json_option
@shared_options
def copy_command(*, home: Path, source: str, target: str, as_json: bool) -> int:
    """
    Copy the store FROM into the empty place TO, compare every row, and mark FROM as moved.

    Each is a directory, or the address of a database, postgresql://USER@HOST/DATABASE, whose files are in --home. Everything is copied: executions that
    wait, workflows, tokens, files and code. The files go into the directory of TO, or with --blobs into an object store. If FROM and TO are the same,
    only the files move.

    Nothing may run on either meanwhile. If it is interrupted, run it again: FROM is still usable then, and TO is not.
    """
    # Loaded here: no other command needs it.
    from tidegate.moving import move, store_at  # noqa: PLC0415

    ends = store_at(source, home), store_at(target, home)
    blobs = os.environ.get(BLOBS_VARIABLE, "")
    made = move(*ends, blobs, counting("lines copied"))
    if as_json:
        rows = {
            name: {"rows": each.count, "sha256": each.digest} for name, each in made.rows.items()
        }
        print_json({"rows": rows, "blobs": made.blobs, "bytes": made.size, "bundles": made.bundles})
        return 0
    if made.rows:
        shown = [(name, f"{each.count:,}", each.digest[:16]) for name, each in made.rows.items()]
        click.echo(table(("ROWS OF", "COUNT", "SHA-256 IN BOTH"), shown))
    tell(
        f"{counted(made.blobs, 'file')} ({made.size:,} bytes) and {counted(made.bundles, 'bundle')} copied"
    )
    if ends[0] != ends[1]:
        where = ends[1]
        words = ["--home", str(where.home)] + (["--store", "URL"] if where.address else [])
        tell(f"the original is marked as moved; start the copy: {spelled('serve', *words)}")
    return 0
