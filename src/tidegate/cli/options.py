"""What the subcommands share: their options, and shortened execution ids."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tidegate.cli.way import DATABASE, HOME, INSECURE, SERVER, Way, spelled
from tidegate.errors import StoreError, UnknownExecution, UnknownWorkflow
from tidegate.home import BLOBS_VARIABLE, STORE_VARIABLE, find_home
from tidegate.wire import ListExecutions, ListWorkflows

Decorated = Callable[..., Any]

detach_option = click.option(
    "--detach", is_flag=True, help="Return once nothing more can happen without an answer."
)
no_wait_option = click.option(
    "--no-wait",
    is_flag=True,
    help="Exit with code 7 as soon as it waits for an answer or a point in time.",
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
    help="Hold tasks whose code imports different packages here than at launch.",
)


def executor_options(function: Decorated) -> Decorated:
    """Add the options that say where tasks run; they arrive as one, `workers`: how many there are, or on which cluster."""

    @functools.wraps(function)
    def with_ray(
        *args: Any,
        executor: str | None,
        ray_address: str,
        insecure_ray: bool,
        workers: int | None,
        **given: Any,
    ) -> Any:
        on_ray = executor == "ray" or (executor is None and bool(ray_address))
        if not on_ray and (ray_address or insecure_ray):
            raise click.UsageError("--ray-address and --insecure-ray are for --executor ray")
        if not on_ray:
            return function(*args, workers=workers, **given)
        # Imported only where it is used.
        from tidegate.runtime import ray_cluster  # noqa: PLC0415

        cluster = ray_cluster(ray_address, insecure_ray, workers)
        return function(*args, workers=cluster, **given)

    options = (
        click.option(
            "--workers",
            type=click.IntRange(1, 1000),
            help="Number of worker processes (default: one per processor).",
        ),
        click.option(
            "--executor",
            type=click.Choice(["process", "ray"]),
            help="Where tasks run: in processes of this machine (the default), or on a Ray cluster.",
        ),
        click.option(
            "--ray-address",
            default="",
            metavar="HOST:PORT",
            help="The Ray cluster; without it, --executor ray starts one of this machine alone.",
        ),
        click.option(
            "--insecure-ray",
            is_flag=True,
            help="Use a Ray cluster that lets everybody in who reaches it.",
        ),
    )
    for option in reversed(options):
        with_ray = option(with_ray)
    return with_ray


def shared_options(function: Decorated) -> Decorated:
    """Add the options that may stand before and after every subcommand."""
    options = (
        click.option("--home", metavar="DIR", callback=_home, help="The directory of the store."),
        click.option(
            "--store",
            metavar="URL",
            expose_value=False,
            callback=use_store,
            help="The database of the store: postgresql://USER@HOST/DATABASE; the directory has its files.",
        ),
        click.option(
            "--blobs",
            metavar="URL",
            expose_value=False,
            callback=use_blobs,
            help="The object store for the files of a new store: s3://BUCKET/PREFIX, gs://, az:// or file:///DIR.",
        ),
        click.option(
            "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
        ),
    )
    for option in options:
        function = option(function)
    return function


def server_options(function: Decorated) -> Decorated:
    """Add the shared options, and those that select a server instead of the store of this machine."""
    options = (
        click.option(
            "--remote",
            is_flag=True,
            expose_value=False,
            callback=_remote,
            help="Use a server: the one of $TIDEGATE_URL, else the one on this machine.",
        ),
        click.option(
            "--server",
            metavar="URL",
            expose_value=False,
            callback=_server,
            help="Use this server.",
        ),
        click.option(
            "--insecure",
            is_flag=True,
            expose_value=False,
            callback=_insecure,
            help="Allow http:// to another machine, where others can read the traffic.",
        ),
    )
    for option in options:
        function = option(function)
    return shared_options(function)


def use_store(ctx: click.Context, _: click.Parameter, address: str | None) -> None:
    """Use this database for the store while the command runs."""
    if address:
        ctx.meta[DATABASE] = address
    _set_meanwhile(ctx, STORE_VARIABLE, address)


def use_blobs(ctx: click.Context, _: click.Parameter, address: str | None) -> None:
    """Use this object store for the files while the command runs."""
    _set_meanwhile(ctx, BLOBS_VARIABLE, address)


def _set_meanwhile(ctx: click.Context, variable: str, text: str | None) -> None:
    if text is None:
        return
    before = os.environ.get(variable)
    os.environ[variable] = text

    @ctx.call_on_close
    def restore() -> None:
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before


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
        return Path(os.devnull)  # a server has the store: nothing is looked up here


MIN_BEGINNING = 4
"""Shortest id prefix: with fewer characters, a typo could mean another execution."""


def full_id(line: Way, given: str) -> str:
    """Return the id of the execution that an id or an id prefix means. Errors: `UnknownExecution`."""
    page = line.ask(ListExecutions(text=given, limit=1000))
    ids = [each.id for each in page.items]
    if given in ids or page.next:
        # If more match than can be searched, it counts as a full id.
        return given
    beginning = [id_ for id_ in ids if id_.startswith(given)]
    if len(beginning) > 1:
        raise UnknownExecution(
            f"{len(beginning)} executions have an id that starts with {given!r}: {', '.join(beginning[:5])}"
        )
    if not beginning:
        raise UnknownExecution(f"no execution {given[:80]!r}; run `{spelled('list')}` to see them")
    if len(given) < MIN_BEGINNING:
        raise UnknownExecution(
            f"{given!r} is too short; give at least {MIN_BEGINNING} characters of the id {beginning[0]}"
        )
    return beginning[0]


def full_workflow(way: Way, given: str) -> str:
    """Return the workflow with this name, or with this last part of a name. Errors: `UnknownWorkflow`."""
    names = [each.name for each in way.ask(ListWorkflows()).items]
    meant = [name for name in names if given in (name, name.rpartition(".")[2])]
    if given in meant or len(meant) == 1:
        return given if given in meant else meant[0]
    if meant:
        raise UnknownWorkflow(f"{given!r} may mean any of: {', '.join(meant[:20])}")
    # Loaded here: the service is heavy, and this is rare.
    from tidegate.service.registry import no_such_workflow  # noqa: PLC0415

    raise no_such_workflow(given, names)
