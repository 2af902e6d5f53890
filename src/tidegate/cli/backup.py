"""The commands that keep a store safe: `tidegate backup` and `tidegate restore`."""

from pathlib import Path

import click

from tidegate.cli.options import json_option, shared_options
from tidegate.cli.render import print_json, tell
from tidegate.cli.way import spelled
from tidegate.home import adopt


@click.command("backup")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--with-access",
    "access",
    is_flag=True,
    help="Copy tokens and logins, too: anyone who has the backup then has them.",
)
@json_option
@shared_options
def backup_command(*, home: Path, directory: Path, access: bool, as_json: bool) -> int:
    """
    Copy a snapshot of the store into the empty directory DIR, while the store keeps running.

    The copy has all executions, files, code, logs and decks (of those in an object store, only the address); tokens and logins are left out, unless asked for.
    """
    from tidegate.backup import RECORD, back_up  # noqa: PLC0415 - no other command needs it

    made = back_up(home, directory, access=access)
    size = sum(each.size for each in made.entries)
    if as_json:
        print_json({"directory": str(directory), "files": len(made.entries), "bytes": size})
    else:
        tell(f"{home}: {len(made.entries)} files, {size:,} bytes copied to {directory}")
        if any(each.path == RECORD for each in made.entries):
            tell(
                "files, code and logs are in an object store, which this copy only names: keep earlier versions there"
            )
        tell(f"restore it with: tidegate restore {directory} --home NEW")
    return 0


@click.command("restore")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@shared_options
def restore_command(*, home: Path, directory: Path, as_json: bool) -> int:
    """
    Restore the backup in DIR into a new store, after checking every file against the backup's manifest.

    The new store can be read, but it runs nothing and accepts no answers until `tidegate serve --adopt` or `tidegate resume`, because the
    original may still be running.
    """
    from tidegate.backup import restore  # noqa: PLC0415 - as above

    made, executions = restore(directory, home)
    if as_json:
        print_json({"home": str(home), "executions": executions, "made": made.made.isoformat()})
    else:
        tell(
            f"{home}: {executions} executions restored as they were at {made.made:%Y-%m-%d %H:%M} UTC"
        )
        tell(f"it is held until you run: {spelled('serve')} --adopt, or {spelled('resume')}")
    return 0


def let_act(home: Path) -> None:
    """Let a restored store act, and say so."""
    if adopt(home):
        tell(f"{home}: adopted; its executions continue")
