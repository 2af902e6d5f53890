"""The command that registers workflows: their source is packed, and goes to the store of this machine, or to a server."""

from functools import partial
from pathlib import Path

import click

from tidegate.bundles.archive import pack
from tidegate.bundles.trees import Tree, find_trees
from tidegate.cli.options import json_option, server_options
from tidegate.cli.render import line, print_json, table, tell
from tidegate.cli.store import open_engine
from tidegate.cli.way import Way, way_to
from tidegate.errors import AuthoringError, CodeError
from tidegate.wire import Register, WorkflowView


@click.command("register")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--version", default="", help="What to call this version (else: the beginning of its digest)."
)
@click.option(
    "--only",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Pack only the named files, what they import, and this; repeatable.",
)
@json_option
@server_options
def register_command(
    *, home: Path, paths: tuple[Path, ...], version: str, only: tuple[Path, ...], as_json: bool
) -> int:
    """
    Register the workflows of Python files, of packages, or of all files below a directory.

    Their names are dotted, from the directory where Python would begin to import: that above the outermost package, or the directory itself.
    Executions that wait go on with the code they were launched with.
    """
    found: list[WorkflowView] = []
    broken: list[str] = []
    with way_to(home, partial(open_engine, workers=1)) as way:
        for tree in find_trees(paths, only):
            if tree.sources.note:
                tell(f"note: {tree.sources.note}")
            _register(way, tree, version, found, broken)
    if as_json:
        print_json(found)
    elif found:
        click.echo(table(("WORKFLOW", "VERSION"), [(line(w.name), line(w.version)) for w in found]))
    if len(broken) == 1 and not found:
        raise CodeError(broken[0])
    for message in broken:
        tell(f"not registered: {line(message)}")
    if broken:
        raise CodeError(f"not all could be registered: {len(broken)} could not")
    return 0


def _register(
    way: Way, tree: Tree, version: str, found: list[WorkflowView], broken: list[str]
) -> None:
    """Register the modules of one tree. One that cannot be imported does not keep the others out."""
    archive = pack(tree.sources)
    way.install(archive)
    for module in tree.modules:
        request = Register(bundle=archive.digest, module=module, version=version)
        try:
            there = way.ask(request)
            found += there.items
            broken += [f"{each.name}: {each.error}" for each in there.broken]
        except AuthoringError as error:
            broken.append(error.message)
