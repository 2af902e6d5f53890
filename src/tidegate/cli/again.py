"""The commands that launch an execution again: recover, which continues with its results, and relaunch. They first say what is kept."""

import secrets
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click
from msgspec import UNSET, Struct
from msgspec.structs import replace

from tidegate.cli.here import Here
from tidegate.cli.inputs import read_inputs
from tidegate.cli.options import full_id, include_option, json_option, server_options
from tidegate.cli.render import line, print_json, tell
from tidegate.cli.store import Staff, StoreWay, open_briefly, open_reader
from tidegate.cli.values import Reader
from tidegate.cli.way import ServerWay, Way, spelled, way_to
from tidegate.errors import NotRecoverable, RecoveredAlready
from tidegate.ir.expr import Value
from tidegate.remote.recovering import Code, code_in, previewed, recovered
from tidegate.wire import (
    ExecutionView,
    GetExecution,
    GetWorkflow,
    Recover,
    RecoveryNode,
    RecoveryView,
    Relaunch,
)

MOST_NAMED = 10
"""Names in a line of what is kept: as many as people read. An explicit preview lists them all."""

APPROVE = "approve"
"""The kind of an approval, and of an answer."""
INPUT = "input"

new_id_option = click.option(
    "--id", "new_id", default="", help="The id of the new execution; the same id returns it again."
)
here_option = click.option("--here", is_flag=True, help="Use the code in this directory.")
version_option = click.option(
    "--version", default="", metavar="V", help="Use this version of the registered code."
)
only_option = click.option(
    "--only",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="With --here: pack only the file, what it imports, and this; repeatable.",
)


class RecoverWords(Struct, frozen=True, kw_only=True):
    """What `tidegate recover` was told."""

    home: Path
    execution: str
    new_id: str
    here: bool
    version: str
    rerun: tuple[str, ...]
    keep_approvals: bool
    only: tuple[Path, ...]
    include: tuple[Path, ...]
    only_preview: bool
    yes: bool
    as_json: bool


class RelaunchWords(Struct, frozen=True, kw_only=True):
    """What `tidegate relaunch` was told."""

    home: Path
    execution: str
    rest: tuple[str, ...]
    inputs: str | None
    version: str
    new_id: str
    as_json: bool


@click.command("recover")
@click.argument("execution", metavar="ID")
@here_option
@version_option
@click.option(
    "--rerun", multiple=True, metavar="NODE", help="Keep nothing of this node; repeatable."
)
@click.option(
    "--keep-approvals",
    is_flag=True,
    help="Keep approvals despite changed code; only for approvers, and recorded.",
)
@click.option("--preview", "only_preview", is_flag=True, help="Show what would happen, and stop.")
@new_id_option
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@only_option
@include_option
@json_option
@server_options
def recover_command(**given: Any) -> None:
    """
    Continue an execution that failed or was aborted in a new one, with its results.

    Results and answers are kept. After a failure, approvals are kept too, recorded with who gave them; after an abort they are asked
    for again. A task that runs again keeps its idempotency key if its name, signature and inputs are unchanged. An execution is recovered
    at most once: if it already has a successor, the latest one is recovered.

    With --here or --version it continues with fixed code. Everything unchanged is kept: a result whose task has the same name, signature and inputs, and
    an answer whose question has the same name and type and shows the same values. Approvals are asked for again, unless --keep-approvals is given. A task that is
    kept although its source has changed is listed; --rerun runs it again, and then every task whose inputs change because of it. A dynamic task whose source
    has changed builds its graph again, and unchanged parts of it are kept.
    """
    options = RecoverWords(**given)
    if options.here and options.version:
        raise click.UsageError("--here and --version exclude each other")
    if (options.only or options.include) and not options.here:
        raise click.UsageError(
            "--only and --include choose what is packed of this directory: add --here"
        )
    staff = Staff(workers=1)
    with way_to(options.home, open_reader) as way, Here(way, staff) as here:
        id_ = full_id(way, options.execution)
        wanted = _wanted(id_, options)
        code = _code_here(way, here, id_, options) if options.here else None
        try:
            found = previewed(way, wanted, code)
        except (NotRecoverable, RecoveredAlready):
            if options.only_preview or not options.new_id:
                raise
            found = None  # the id may be that of its successor, which is found again
    if options.only_preview and found is not None:
        _print_preview(found, as_json=options.as_json)
        return
    for said in () if found is None else what_becomes_of(found):
        tell(fitted(said, sys.stderr))
    if found is not None and sys.stdin.isatty() and not options.yes:
        click.confirm("Recover it?", default=True, abort=True, err=True)
    with way_to(options.home, open_briefly) as way, Here(way, staff) as here:
        if code is not None:
            code = replace(code, terminal=here.serve(id_, code.bundle))
        _tell_launched(way, recovered(way, wanted, code), as_json=options.as_json)


def _wanted(id_: str, options: RecoverWords) -> Recover:
    return Recover(
        id=id_,
        new_id=options.new_id or _fresh(),
        version=options.version,
        rerun=list(options.rerun),
        keep_approvals=options.keep_approvals,
    )


def _code_here(way: StoreWay | ServerWay, here: Here, id_: str, options: RecoverWords) -> Code:
    """Bring the code of this directory to where it is inspected: in this terminal, as `tidegate run` does."""
    code = code_in(way, way.install, id_, Path(), options.only, options.include)
    if code.note:
        tell(f"note: {code.note}")
    return replace(code, terminal=here.serve(id_, code.bundle))


@click.command(
    "relaunch", context_settings={"ignore_unknown_options": True, "allow_extra_args": False}
)
@click.argument("execution", metavar="ID")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[--INPUT VALUE]...")
@click.option("--inputs", metavar="JSON", help="Inputs as one JSON object, or @FILE.")
@version_option
@new_id_option
@json_option
@server_options
def relaunch_command(**given: Any) -> None:
    """
    Launch an execution again from the start, with the same version and inputs, or with others. Nothing is kept, and every question is asked again.

    Each input of the workflow is an option, as in `tidegate run`: it replaces the former value.
    """
    options = RelaunchWords(**given)
    with way_to(options.home, open_briefly) as way:
        id_ = full_id(way, options.execution)
        relaunch = Relaunch(
            id=id_,
            new_id=options.new_id or _fresh(),
            version=options.version,
            inputs=_other_inputs(way, id_, options),
        )
        _tell_launched(way, way.ask(relaunch), as_json=options.as_json)


def _other_inputs(way: Way, id_: str, options: RelaunchWords) -> dict[str, Value]:
    """Return the inputs given on the command line to replace the former ones."""
    if not options.rest and options.inputs is None:
        return {}
    first = way.ask(GetExecution(id=id_))
    request = GetWorkflow(name=first.workflow, version=options.version or first.version)
    workflow = way.ask(request).workflow
    known = () if first.inputs is UNSET else tuple(first.inputs)
    return read_inputs(workflow, options.rest, options.inputs, Reader(way.blobs), known)


def _fresh() -> str:
    # With a client-chosen id it is safe to resend the request to the store's next owner.
    return secrets.token_hex(8)


def _tell_launched(way: Way, view: ExecutionView, *, as_json: bool) -> None:
    if as_json:
        print_json(view)
    else:
        click.echo(view.id)
    if way.is_owner or view.environment:
        # What a terminal has launched waits for one that has what it needs.
        tell(f"not running; continue with `{spelled('resume', view.id)}`")


def fitted(said: str, stream: TextIO) -> str:
    """Return a line that fits the terminal, wrapped between words and never inside a name; unchanged if the stream is not a terminal."""
    if not stream.isatty():
        return said
    columns = max(shutil.get_terminal_size().columns, 40)
    lines = textwrap.wrap(
        said, columns, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def _print_preview(found: RecoveryView, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for said in what_becomes_of(found, most=len(found.nodes)):
        click.echo(fitted(said, sys.stdout))


def what_becomes_of(found: RecoveryView, most: int = MOST_NAMED) -> list[str]:
    """Say what a recovery keeps of an execution, and what it repeats: one line for each kind of thing."""
    how = "was aborted" if found.phase == "ABORTED" else "failed"
    said = [f"{line(found.execution)} {how}; a new execution continues it{_with_code(found)}"]
    said += [f"  note: {line(note)}" for note in found.notes]
    equal = Counter(each.name for each in found.nodes)

    def listed(what: str, nodes: Iterable[RecoveryNode]) -> Iterator[str]:
        names = [_named(each, is_one=equal[each.name] == 1) for each in nodes]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        if names:
            yield f"  {what}: {', '.join(names[:most])}{more}"

    kept = [each for each in found.nodes if each.becomes == "kept"]
    plain = [each for each in kept if not each.changed]
    said += listed("results kept", (each for each in plain if each.kind == "task"))
    said += listed("answers kept", (each for each in plain if each.kind == INPUT))
    said += listed("approvals kept", (each for each in plain if each.kind == APPROVE))
    changed = [each for each in found.nodes if each.changed]
    tasks = [each for each in changed if each.kind == "task"]
    said += listed("kept although their source has changed (--rerun NODE runs them)", tasks)
    asked = [each for each in changed if each.kind == INPUT]
    said += listed(
        "answers kept although their question has changed (--rerun NODE asks again)", asked
    )
    said += _done_again(found, listed)
    compared = [each for each in found.nodes if each.becomes == "compared" and not each.changed]
    said += listed("kept if their inputs come out the same", compared)
    unused = (each for each in found.nodes if each.becomes == "unused")
    said += listed("not used, because the code has no such node", unused)
    return said


def _done_again(found: RecoveryView, listed: Any) -> Iterator[str]:
    """Yield what runs and what is asked, by the reason."""
    asked = [each for each in found.nodes if each.becomes == "asked" and each.why]
    for why in dict.fromkeys(each.why for each in asked):
        hint = "" if why != "the code has changed" else " (--keep-approvals keeps them)"
        yield from listed(
            f"asked for again, because {why}{hint}", (each for each in asked if each.why == why)
        )
    runs = [each for each in found.nodes if each.becomes == "runs" and each.kind == "task"]
    same = "run again, with the same idempotency key if their inputs are the same"
    tried = "it had not succeeded"
    yield from listed(same, (each for each in runs if each.why == tried))
    for why in dict.fromkeys(each.why for each in runs if each.why not in ("", tried)):
        yield from listed(f"run, because {why}", (each for each in runs if each.why == why))


def _with_code(found: RecoveryView) -> str:
    if found.same_code:
        return ""
    return f", with version {line(found.new_version)} of its code (it had {line(found.version)})"


def _named(node: RecoveryNode, *, is_one: bool) -> str:
    id_ = "" if is_one or not node.node else line(node.node)
    by = f"by {line(node.who, 40)}" if node.who and node.kind in (INPUT, APPROVE) else ""
    more = ", ".join(filter(None, (id_, by)))
    return f"{line(node.name)} ({more})" if more else line(node.name)
