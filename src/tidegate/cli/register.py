"""The command that registers workflows: their source is packed, and goes to the store of this machine, or to a server."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from tidegate.bundles.archive import pack
from tidegate.bundles.trees import Tree, find_trees
from tidegate.cli.options import include_option, json_option, server_options
from tidegate.cli.render import line, print_json, size, table, tell
from tidegate.cli.store import Staff, open_engine
from tidegate.cli.way import Way, way_to
from tidegate.errors import AuthoringError, CodeError
from tidegate.wire import Register, WorkflowView


@click.command("register")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--version", default="", help="A name for this version (default: the beginning of its digest)."
)
@click.option(
    "--only",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Pack only the named files, what they import, and this path; repeatable.",
)
@include_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="List what would be packed, with sizes, and register nothing.",
)
@json_option
@server_options
def register_command(
    *,
    home: Path,
    paths: tuple[Path, ...],
    version: str,
    dry_run: bool,
    as_json: bool,
    **chosen: tuple[Path, ...],
) -> int:
    """
    Register the workflows of Python files, of packages, or of all files below a directory.

    Their names are dotted, relative to the directory from which Python would import them: the parent of the outermost package, or the directory itself.
    Executions in progress continue with the code they were launched with.
    """
    if dry_run:
        return _list_packed(find_trees(paths, **chosen), as_json=as_json)
    found: list[WorkflowView] = []
    broken: list[str] = []
    with way_to(home, partial(open_engine, staff=Staff())) as way:
        for tree in find_trees(paths, **chosen):
            if tree.sources.note:
                tell(f"note: {tree.sources.note}")
            _register(way, tree, version, found, broken)
    if as_json:
        print_json(found)
    elif found:
        click.echo(
            table(
                ("WORKFLOW", "VERSION"), [(line(w.name), line(w.version)) for w in found], whole=2
            )
        )
    if len(broken) == 1 and not found:
        raise CodeError(broken[0])
    for message in broken:
        tell(f"not registered: {line(message)}")
    if broken:
        raise CodeError(f"not everything was registered: {len(broken)} failed")
    return 0


def _register(
    way: Way, tree: Tree, version: str, found: list[WorkflowView], broken: list[str]
) -> None:
    """Register the modules of one tree. A module that cannot be imported does not affect the others."""
    archive = pack(tree.sources)
    way.install(archive)
    for module in tree.modules:
        request = Register(bundle=archive.digest, module=module, version=version)
        try:
            there = way.ask(request)
            found += there.items
            for each in there.items:
                for note in each.notes:
                    tell(f"note: {line(each.name)}: {line(note)}")
            broken += [f"{each.name}: {each.error}" for each in there.broken]
        except AuthoringError as error:
            broken.append(error.message)


def _list_packed(trees: Sequence[Tree], *, as_json: bool) -> int:
    """Show what would be packed, largest files first, because those are the ones to check."""
    shown = []
    for tree in trees:
        root = tree.sources.root
        sizes = {name: (root / name).stat().st_size for name in tree.sources.files}
        files = sorted(sizes.items(), key=lambda each: (-each[1], each[0]))
        shown.append(
            {
                "root": str(root),
                "digest": pack(tree.sources).digest,
                "bytes": sum(sizes.values()),
                "files": [{"name": name, "bytes": length} for name, length in files],
            }
        )
        if not as_json:
            click.echo(table(("BYTES", "FILE"), [(f"{n:,}", line(name)) for name, n in files]))
            tell(f"{line(str(root))}: {len(files)} files, {size(sum(sizes.values()))}")
        if tree.sources.note:
            tell(f"note: {tree.sources.note}")
    if as_json:
        print_json(shown)
    return 0
