"""The command that opens the page in a browser, signed in as the user who types it: `tidegate open`."""

import os
import sys
import webbrowser
from pathlib import Path

import click

from tidegate.cli.options import shared_options
from tidegate.cli.render import tell
from tidegate.errors import StoreError
from tidegate.remote.local import connect
from tidegate.remote.requests import ask
from tidegate.wire import MakeCode


@click.command("open")
@click.option("--print", "only_print", is_flag=True, help="Print the link, and open nothing.")
@shared_options
def open_command(*, home: Path, only_print: bool) -> None:
    """
    Open the page, signed in as you.

    The link is good once, and for a minute. Where there is no browser, it is printed. It is made by the server of this store, which knows you by your user:
    no token is in it.
    """
    connection = connect(home)
    if connection is None:
        raise StoreError(f"no server has the store in {home}: start one with tidegate serve")
    with connection:
        made = ask(connection, MakeCode())
    click.echo(made.link)
    if not only_print and in_browser(made.link):
        tell("opened in your browser; the link is good once, within a minute")
    else:
        tell("good once, within a minute")


def in_browser(link: str) -> bool:
    """Open an address in a browser, and return whether it was; without a screen it is not, for a browser in the terminal would take it over."""
    return _has_a_screen() and webbrowser.open(link)


def _has_a_screen() -> bool:
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
