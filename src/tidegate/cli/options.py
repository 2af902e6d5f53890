"""What the subcommands share: their options, and the meaning of an execution's id that is cut short."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tidegate.cli.way import HOME, INSECURE, SERVER, Way, spelled
from tidegate.errors import StoreError, UnknownExecution
from tidegate.home import find_home
from tidegate.wire import ListExecutions

Decorated = Callable[..., Any]

detach_option = click.option(
    "--detach", is_flag=True, help="Return once nothing more can happen without an answer."
)
no_wait_option = click.option(
    "--no-wait",
    is_flag=True,
    help="Return with exit code 7 once it waits, for an answer or a time.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
include_option = click.option(
    "--include",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Pack this file or directory as well; repeatable.",
)
strict_option = click.option(
    "--strict-environment",
    "strict",
    is_flag=True,
    help="Hold tasks whose code imports something else here than when they were launched.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 1000),
    help="Processes that run tasks (else one a processor).",
)


def shared_options(function: Decorated) -> Decorated:
    """Add the options that may stand before and after every subcommand."""
    options = (
        click.option("--home", metavar="DIR", callback=_home, help="Where the store is."),
        click.option(
            "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
        ),
    )
    for option in options:
        function = option(function)
    return function


def server_options(function: Decorated) -> Decorated:
    """Add the shared options, and those that lead to a server instead of the store of this machine."""
    options = (
        click.option(
            "--remote",
            is_flag=True,
            expose_value=False,
            callback=_remote,
            help="Ask the server: that of $TIDEGATE_URL, else the one on this machine.",
        ),
        click.option(
            "--server",
            metavar="URL",
            expose_value=False,
            callback=_server,
            help="Ask this server.",
        ),
        click.option(
            "--insecure",
            is_flag=True,
            expose_value=False,
            callback=_insecure,
            help="Ask it by http:// though it is another machine, where others can read along.",
        ),
    )
    for option in options:
        function = option(function)
    return shared_options(function)


def _remote(ctx: click.Context, _: click.Parameter, wanted: object) -> None:
    if wanted:
        ctx.meta.setdefault(SERVER, "")


def _server(ctx: click.Context, _: click.Parameter, url: str | None) -> None:
    if url is not None:
        ctx.meta[SERVER] = url


def _insecure(ctx: click.Context, _: click.Parameter, wanted: object) -> None:
    if wanted:
        ctx.meta[INSECURE] = True


def _home(ctx: click.Context, _: click.Parameter, given: str | None) -> Path:
    given = given or (ctx.find_root().obj or {}).get("home")
    if given:
        ctx.meta[HOME] = given
    try:
        return find_home(given)
    except StoreError:
        if ctx.meta.get(SERVER) is None:
            raise
        return Path(os.devnull)  # a server has the store: nothing is looked for here


MIN_BEGINNING = 4
"""How many characters of an id are enough: with fewer, a slip of the hand would mean another execution."""


def full_id(line: Way, given: str) -> str:
    """Return the id of the execution that is meant by an id or by the beginning of one. Errors: `UnknownExecution`."""
    page = line.ask(ListExecutions(text=given, limit=1000))
    ids = [each.id for each in page.items]
    if given in ids or page.next:
        # Where more fit than can be looked through, it counts as a whole id.
        return given
    beginning = [id_ for id_ in ids if id_.startswith(given)]
    if len(beginning) > 1:
        raise UnknownExecution(
            f"{len(beginning)} executions have an id that begins with {given!r}: {', '.join(beginning[:5])}"
        )
    if not beginning:
        raise UnknownExecution(
            f"there is no execution {given[:80]!r}; `{spelled('list')}` shows those there are"
        )
    if len(given) < MIN_BEGINNING:
        raise UnknownExecution(
            f"{given!r} is too short; give at least {MIN_BEGINNING} characters of the id {beginning[0]}"
        )
    return beginning[0]
