"""
The command `tidegate`: finds the subcommand, and turns every error into one line and an exit code.

Subcommands are imported when they are called, so that `tidegate --help` is quick.
"""

import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click
from click.shell_completion import CompletionItem

from tidegate.cli.completion import VARIABLE
from tidegate.cli.examples import epilog
from tidegate.cli.options import use_blobs, use_store
from tidegate.cli.render import line, tell
from tidegate.errors import (
    EngineFailed,
    ExecutionFailed,
    Forbidden,
    InvalidValue,
    Overloaded,
    Refused,
    StoreError,
    TidegateError,
    Unauthenticated,
    UnknownThing,
)

FAILED, USAGE, REFUSED, UNKNOWN, STORE, BUG, INTERRUPTED = 1, 2, 3, 4, 5, 70, 130

COMMANDS = {
    "run": ("tidegate.cli.run", "Run a workflow of a Python file, and ask its questions."),
    "list": ("tidegate.cli.reading", "List executions, newest first."),
    "show": ("tidegate.cli.showing", "Show an execution: its nodes, and its open questions."),
    "inbox": ("tidegate.cli.reading", "Show everything that waits for an answer."),
    "answer": ("tidegate.cli.deciding", "Answer a question of an execution."),
    "approve": ("tidegate.cli.deciding", "Approve what an execution asks about."),
    "reject": ("tidegate.cli.deciding", "Reject what an execution asks about: it then fails."),
    "abort": ("tidegate.cli.deciding", "End an execution; also called terminate."),
    "recover": ("tidegate.cli.again", "Continue a failed or aborted execution in a new one."),
    "relaunch": ("tidegate.cli.again", "Launch an execution again from the start."),
    "resume": ("tidegate.cli.run", "Continue an execution, or all of them."),
    "logs": ("tidegate.cli.reading", "Show what the tasks of an execution printed."),
    "events": ("tidegate.cli.reading", "Show the history of an execution."),
    "get": ("tidegate.cli.getting", "Get a value or a file out of an execution."),
    "deck": ("tidegate.cli.deck", "Show the report of a task."),
    "register": ("tidegate.cli.register", "Register the workflows of files and directories."),
    "serve": ("tidegate.cli.serve", "Serve the store over HTTP: run, launch, watch and answer."),
    "open": ("tidegate.cli.opening", "Open the page in a browser, signed in as you."),
    "token": (
        "tidegate.cli.token",
        "Manage tokens for access over the network.",
    ),
    "audit": ("tidegate.cli.audit", "Show who decided, signed in, made tokens or was refused."),
    "replicas": ("tidegate.cli.replicas", "Show the servers that share a store on Postgres."),
    "demo": ("tidegate.cli.serve", "Serve the store, with example workflows that wait for you."),
    "completion": (
        "tidegate.cli.completion",
        "Print the shell script that completes commands, ids, gates and files.",
    ),
    "doctor": ("tidegate.cli.doctor", "Check the store."),
    "store": (
        "tidegate.cli.moving",
        "Move the store: into Postgres or a file, its files elsewhere.",
    ),
    "backup": ("tidegate.cli.backup", "Copy the store into a directory, while it runs."),
    "restore": ("tidegate.cli.backup", "Restore a backup, held until adopted."),
}
"""Where each subcommand lives, and its one-line help, so that listing them needs no imports."""

ALIASES = {"terminate": "abort"}
"""Other names of subcommands: the word used on the page."""

EPILOG = """\b
Exit codes:
  0    done (with --detach: nothing more can happen without an answer)
  1    the execution failed, timed out or was aborted; doctor: damage found
  2    the command line, the file or a value is wrong
  3    refused: already answered, timed out, ended, not open yet, not allowed
  4    no such execution, workflow or signal
  5    the store cannot be opened, read or written
  6    doctor: something required is missing
  7    --no-wait: it is waiting for an answer or a point in time
  70   an internal error of Tidegate
  130  interrupted; the execution is kept in the store
"""


class Commands(click.Group):
    """The subcommands, imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which users need them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        del ctx
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        found: click.Command = getattr(importlib.import_module(module), f"{name}_command")
        found.epilog = f"{epilog(name)}\n\n{EPILOG}"
        if isinstance(found, click.Group):
            for part in found.commands.values():
                part.epilog = EPILOG
        if VARIABLE in os.environ:
            from tidegate.cli.completing import completed  # noqa: PLC0415 - when Tab is pressed

            return completed(found, name)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return what completes the name of a subcommand, or an option before it, without importing one."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=what) for name, (_, what) in COMMANDS.items()]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand, or suggest the closest one."""
        if args and args[0] not in COMMANDS and args[0] not in ALIASES:
            close = get_close_matches(args[0], [*COMMANDS, *ALIASES], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"no such command {line(args[0])!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, wanted: object) -> None:
    if wanted:
        # Reading the metadata of installed packages takes longer than everything else.
        from importlib.metadata import version  # noqa: PLC0415

        click.echo(f"tidegate {version('tidegate')}")
        ctx.exit()


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--home",
    metavar="DIR",
    help="The directory of the store (default: $TIDEGATE_HOME, else your data directory).",
)
@click.option(
    "--store",
    metavar="URL",
    expose_value=False,
    callback=use_store,
    help="The database of the store, postgresql://USER@HOST/DATABASE (default: $TIDEGATE_STORE, else a file in the directory).",
)
@click.option(
    "--blobs",
    metavar="URL",
    expose_value=False,
    callback=use_blobs,
    help="The object store for the files of a new store: s3://BUCKET/PREFIX, gs://, az:// or file:///DIR (default: $TIDEGATE_BLOBS, else the directory).",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version.",
)
@click.pass_context
def tidegate(ctx: click.Context, /, *, home: str | None, debug: bool) -> None:
    """Durable Python workflows that wait: for time, for a value, for an approval."""
    ctx.obj = {"home": home, "debug": debug}


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    if shell := os.environ.get(VARIABLE):
        from tidegate.cli.completing import reply  # noqa: PLC0415 - when Tab is pressed

        reply(tidegate, shell, sys.argv[1:])
    # If they were closed, there is nowhere to write to, but the command can still do its work.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    words = _spelled_out(list(sys.argv[1:] if args is None else args))
    code = _run(words)
    try:
        sys.stdout.flush()
    except OSError as error:
        _hush()
        if not isinstance(error, BrokenPipeError) and code != INTERRUPTED:
            code = _complain(_unwritten(error), STORE, debug=False)
    sys.exit(code)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _unwritten(error: OSError) -> str:
    return f"the output cannot be written: {error.strerror}"


def _spelled_out(words: list[str]) -> list[str]:
    """Rewrite `--remote URL` and `--remote=URL` as `--server URL`: for click, an option either has a value or has none."""
    made: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            return [*made, word, *rest]
        if made and made[-1] == "--remote" and word.startswith(("http://", "https://")):
            made[-1] = "--server"
            made.append(word)
        elif word.startswith("--remote="):
            made += ["--server", word.removeprefix("--remote=")]
        else:
            made.append(word)
    return made


def _run(words: list[str]) -> int:
    debug = "--debug" in words or bool(os.environ.get("TIDEGATE_DEBUG"))
    try:
        result: Any = tidegate.main(words, prog_name="tidegate", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help(), err=True)
        return USAGE
    except click.UsageError as error:
        said = error.format_message().rstrip(".")
        # An answer of "no" to a confirmation needs no explanation.
        see = f"; see {error.ctx.command_path} --help" if error.ctx and said[-1:] != "?" else ""
        return _complain(said + see, error.exit_code, debug=debug)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code, debug=debug)
    except SystemExit:
        # Nobody reads the output, and click exits with 1 then; but nothing has failed.
        _hush()
        return 0
    except TidegateError as error:
        return _complain(_explained(error), exit_code(error), debug=debug)
    except Exception as error:  # noqa: BLE001
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _hush()
            return _complain(_unwritten(error), STORE, debug=debug)
        # The outermost boundary: the user gets one line, whatever happened.
        what = f"internal error: {type(error).__name__}: {error} (use --debug for the traceback)"
        return _complain(what, BUG, debug=debug)
    return result if isinstance(result, int) else 0


def exit_code(error: TidegateError) -> int:
    """Return the exit code of an error."""
    match error:
        case ExecutionFailed():
            return FAILED
        case EngineFailed():
            return BUG
        case Refused() | Unauthenticated() | Forbidden():
            return REFUSED
        case UnknownThing():
            return UNKNOWN
        case StoreError() | Overloaded():
            return STORE
        case _:
            # For a command, a server that does not reply is like a store in use.
            return STORE if error.status == StoreError.status else USAGE


def _explained(error: TidegateError) -> str:
    if isinstance(error, InvalidValue) and error.faults:
        faults = "; ".join(
            str(fault) for fault in error.faults[:5] if fault.reason not in error.message
        )
        return f"{error.message}: {faults}" if faults else error.message
    return error.message


def _complain(message: str, code: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    tell(f"error: {line(message)}")
    return code


def _hush() -> None:
    """Point stdout at /dev/null so that the interpreter does not report EPIPE on exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
