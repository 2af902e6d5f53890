"""The command that checks the store: the file itself, and each execution against what its history says."""

from pathlib import Path

import click

from tidegate.cli.options import json_option, shared_options
from tidegate.cli.render import line, print_json, tell
from tidegate.runtime import problems_of


@click.command("doctor")
@json_option
@shared_options
def doctor_command(*, home: Path, as_json: bool) -> int:
    """Check the store: the file, and each execution against its history. Exits with 1 if there are problems."""
    count, problems = problems_of(home)
    if as_json:
        print_json({"home": str(home), "executions": count, "problems": problems})
    else:
        for problem in problems:
            click.echo(line(problem))
        tell(f"{home}: {count} executions checked, {len(problems)} problems found")
    return int(bool(problems))
