"""The command that opens the page in a browser, signed in as the current user: `tidegate open`."""

import os
import sys
import webbrowser
from contextlib import closing
from pathlib import Path

import click

from tidegate.cli.options import shared_options
from tidegate.cli.render import tell
from tidegate.cli.store import StoreDoor
from tidegate.errors import StoreError
from tidegate.remote.local import connect
from tidegate.remote.requests import ask
from tidegate.wire import MakeCode


@click.command("open")
@click.option("--print", "only_print", is_flag=True, help="Print the link instead of opening it.")
@shared_options
def open_command(*, home: Path, only_print: bool) -> None:
    """
    Open the web page, signed in as you.

    The link works once, within a minute. If there is no browser, it is printed. The server of this store issues it to your operating-system user;
    it contains no token.
    """
    door = StoreDoor(home)
    with closing(door):
        connection = connect(home)
        if connection is None and door.open(only_looks=False):
            connection = door.connect()
        if connection is None:
            raise StoreError(
                f"no server runs on the store in {home}: start one with tidegate serve"
            )
        with connection:
            made = ask(connection, MakeCode())
    click.echo(made.link)
    if not only_print and in_browser(made.link):
        tell("opened in your browser; the link works once, within a minute")
    else:
        tell("works once, within a minute")


def in_browser(link: str) -> bool:
    """Open a URL in a browser, and return whether that worked; not without a display, because a text browser would take over the terminal."""
    return _has_a_screen() and webbrowser.open(link)


def _has_a_screen() -> bool:
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
