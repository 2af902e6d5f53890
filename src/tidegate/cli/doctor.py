"""The command that checks the store: the file itself, each execution against its history, and the process that owns it."""

from pathlib import Path

import click
from msgspec import to_builtins

from tidegate.cli.options import json_option, shared_options
from tidegate.cli.progress import counting
from tidegate.cli.render import counted, line, moment, print_json, tell
from tidegate.remote.local import OwnerGone, OwnerSilent, connect
from tidegate.runtime import checked, rebuild_lists
from tidegate.wire import PartView

MISSING = 6
"""The exit code if something is missing. Damage has been 1 from the start."""

PATIENCE = 5.0
"""Seconds until an owner that does not reply counts as a problem."""


@click.command("doctor")
@click.option(
    "--rebuild",
    is_flag=True,
    help="First rebuild the data behind lists, from the history of each execution. Nothing else may run on the store in the meantime.",
)
@json_option
@shared_options
def doctor_command(*, home: Path, rebuild: bool, as_json: bool) -> int:
    """
    Check the store: the file, each execution against its history, and that its code and files exist.

    Exits with 1 if something is wrong, and with 6 if something is missing: the store itself, the code of an unfinished execution, a file.

    If a process owns the store (`tidegate serve`, `run`), its parts are checked, too.
    """
    if rebuild:
        rebuild_lists(home, counting("lists rebuilt"))
    parts, problems = _owner(home)
    found = checked(home)
    told = {each.why for each in parts}
    problems += [each for each in found.problems + found.missing if each not in told]
    count = found.executions
    if as_json:
        shown = {"executions": count, "problems": problems, "parts": to_builtins(parts)}
        print_json({"home": str(home), **shown})
    else:
        for problem in problems:
            click.echo(line(problem))
        tell(
            f"{home}: {counted(count, 'execution')} checked, {counted(len(problems), 'problem')} found"
        )
    return MISSING if found.missing else int(bool(problems))


def _owner(home: Path) -> tuple[list[PartView], list[str]]:
    """Return the parts of the process that owns the store, and what is wrong with them; nothing if there is none."""
    connection = connect(home, PATIENCE)
    if connection is None:
        return [], []
    try:
        with connection:
            parts = connection.health().parts
    except OwnerGone:
        return [], []
    except OwnerSilent as error:
        return [], [error.message]
    return parts, [
        f"part {each.name} of the owner is down since {moment(each.since)}: {each.why}"
        for each in parts
        if not each.up
    ]
