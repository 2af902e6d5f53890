"""The command that shows the report of a task: as text in the terminal, or whole, as a page in a file."""

import sys
from pathlib import Path

import click

from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.page_text import words_of
from tidegate.cli.render import print_json, tell, text
from tidegate.cli.store import open_reader
from tidegate.cli.way import way_to
from tidegate.errors import CodeError
from tidegate.wire import GetDeck


@click.command("deck")
@click.argument("execution", metavar="ID")
@click.argument("node")
@click.option("--attempt", type=click.IntRange(1), help="Of this attempt, not the last.")
@click.option(
    "--open",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the page to FILE, to be opened in a browser.",
)
@json_option
@server_options
def deck_command(
    *,
    home: Path,
    execution: str,
    node: str,
    attempt: int | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """
    Show the report that a task has made; NODE is the name of its node, or the node's id.

    In the terminal its text is shown. The page itself comes with --open FILE, or on standard output where that is no terminal.
    """
    with way_to(home, open_reader) as way:
        id_ = full_id(way, execution)
        found = way.ask(GetDeck(id=id_, node=node, attempt=attempt or 0))
    if as_json:
        print_json(found)
    elif file is not None:
        _write(file, found.html)
        tell(f"wrote {file}")
    elif sys.stdout.isatty():
        click.echo(text(words_of(found.html)))
    else:
        click.echo(found.html)


def _write(file: Path, html: str) -> None:
    try:
        file.write_text(html)
    except OSError as error:
        raise CodeError(f"{file}: cannot be written: {error.strerror}") from None
