"""The command that shows the report of a task: as text in the terminal, or as an HTML page in a file."""

import sys
from pathlib import Path

import click

from tidegate.cli.opening import in_browser
from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.page_text import words_of
from tidegate.cli.render import line, print_json, tell, text
from tidegate.cli.store import open_reader
from tidegate.cli.way import way_to
from tidegate.errors import CodeError
from tidegate.wire import GetDeck


@click.command("deck")
@click.argument("execution", metavar="ID")
@click.argument("node")
@click.option("--attempt", type=click.IntRange(1), help="This attempt instead of the last.")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the page to FILE.",
)
@click.option(
    "--open",
    "opened",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the page to FILE, and open it in a browser if there is one.",
)
@json_option
@server_options
def deck_command(
    *,
    home: Path,
    execution: str,
    node: str,
    attempt: int | None,
    as_json: bool,
    **files: Path | None,
) -> None:
    """
    Show the report of a task; NODE is the name of its node, or the node's id.

    The terminal shows its text. Use -o FILE or --open FILE for the page itself; it also goes to standard output if that is not a terminal.
    """
    with way_to(home, open_reader) as way:
        id_ = full_id(way, execution)
        found = way.ask(GetDeck(id=id_, node=node, attempt=attempt or 0))
    if as_json:
        print_json(found)
    elif wanted := files["opened"] or files["file"]:
        _write(wanted, found.html)
        shown = files["opened"] is not None and in_browser(wanted.absolute().as_uri())
        tell(f"wrote {line(wanted)}{', and opened it in your browser' if shown else ''}")
    elif sys.stdout.isatty():
        click.echo(text(words_of(found.html)))
    else:
        click.echo(found.html)


def _write(file: Path, html: str) -> None:
    try:
        file.write_text(html)
    except OSError as error:
        raise CodeError(f"{file}: cannot be written: {error.strerror}") from None
