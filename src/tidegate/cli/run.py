"""
The commands that drive executions: `run` launches a workflow of a file and follows it, `resume` continues what is in the store.

Both run the engine in this process, unless another one owns the store; then they hand it the work and only follow.
"""

import secrets
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import click
from msgspec import Struct, to_builtins

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.cli.backup import let_act
from tidegate.cli.failing import has_traceback, trace
from tidegate.cli.follow import Follower, Prepared, Until, how_to_answer
from tidegate.cli.follow import until as time_left
from tidegate.cli.here import Here
from tidegate.cli.inputs import inputs_help, read_inputs, workflows_help
from tidegate.cli.options import (
    detach_option,
    executor_options,
    full_id,
    include_option,
    json_option,
    no_wait_option,
    server_options,
    strict_option,
)
from tidegate.cli.render import (
    brief,
    counted,
    failure_line,
    line,
    print_json,
    result,
    tell,
    utc_now,
    why_queued,
)
from tidegate.cli.store import LOSSES, Staff, is_elsewhere, open_engine
from tidegate.cli.terminal import Lines
from tidegate.cli.values import Reader
from tidegate.cli.way import Way, server, spelled, way_to
from tidegate.errors import (
    ExecutionFailed,
    Refused,
    StoreDamaged,
    TaskHeld,
    UnknownSignal,
    UnknownTerminal,
)
from tidegate.remote.local import OwnerGone
from tidegate.sdk.scratch import here as directory
from tidegate.wire import (
    ANSWERABLE,
    ENDED,
    Answer,
    ExecutionView,
    GetExecution,
    GetWorkflow,
    Launch,
    ListExecutions,
    Register,
    WorkflowList,
    WorkflowView,
)

OPEN_PHASES = ["QUEUED", "RUNNING", "WAITING"]
WAITS = 7
"""The exit code with --no-wait if the execution would have to wait."""
MOST_TOLD = 20
"""Executions that `resume` reports individually."""


class RunOptions(Struct, frozen=True, kw_only=True):
    """What `tidegate run` was told."""

    home: Path
    file: Path
    workflow: str | None
    rest: tuple[str, ...]
    inputs: str | None
    answers: tuple[str, ...]
    only: tuple[Path, ...]
    include: tuple[Path, ...]
    detach: bool
    no_wait: bool
    as_json: bool
    id_: str | None
    workers: Any
    strict: bool
    wants_help: bool

    @property
    def until(self) -> Until:
        """How far it is followed. Errors: `click.UsageError`."""
        return how_far(detach=self.detach, no_wait=self.no_wait)


@click.command(
    "run",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": False},
    options_metavar="",
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.argument("workflow", required=False)
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[--INPUT VALUE]...")
@click.option("--inputs", metavar="JSON", help="All inputs as one JSON object, or @FILE.")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="NAME=JSON",
    help="An answer given in advance; repeatable.",
)
@detach_option
@no_wait_option
@click.option(
    "--id", "id_", metavar="ID", help="The execution's id; the same id again returns the first."
)
@executor_options
@strict_option
@click.option(
    "--only",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Pack only the file, what it imports, and this path; repeatable.",
)
@include_option
@click.option(
    "-h", "--help", "wants_help", is_flag=True, help="Show this; after a workflow, show its inputs."
)
@json_option
@server_options
@click.pass_context
def run_command(ctx: click.Context, /, **given: Any) -> int:
    """
    Run a workflow of a Python file, and ask its questions.

    WORKFLOW is its name, the last part of it, or the variable that holds it; without it, the workflows of the file are listed. Each input of the workflow is an option: --data '[1, 2, 3]' or --data @file.json.
    The result is printed as JSON: the value of a single output, else an object by name.

    Ctrl-C leaves the execution in the store; `tidegate resume` continues it.
    """
    options = RunOptions(**given) if given["file"] is not None else None
    if options is not None and (options.workflow or "").startswith("-"):
        raise click.UsageError(f"name a workflow before {line(options.workflow)}")
    if options is None or (options.wants_help and options.workflow is None):
        click.echo(ctx.get_help())
        return 0 if given["wants_help"] else 2
    began = utc_now()
    staff = Staff(options.workers, options.strict or None)
    with way_to(options.home, partial(open_engine, staff=staff)) as way, Here(way, staff) as here:
        id_ = options.id_ or here.new_id()
        found = _register(way, options, here, id_)
        if options.workflow is None:
            _list_workflows(options, found)
            return 0
        chosen = found.items[0]
        if options.wants_help:
            click.echo(inputs_help(chosen, str(options.file)))
            return 0
        inputs = read_inputs(chosen, options.rest, options.inputs, Reader(way.blobs))
        prepared = [_prepared(way, chosen, each) for each in options.answers]
        launched = way.ask(
            Launch(
                workflow=chosen.name,
                version=chosen.version,
                inputs=inputs,
                id=id_,
                launched_from=directory(),
                # What only this terminal may have is waited for elsewhere.
                environment=chosen.environment if _runs_here(options) else "",
            ),
        )
        tell(f"execution {id_}{_where(way, options, launched)}")
        for note in launched.notes or ():
            tell(f"note: {line(note)}")
        if options.id_ and not here.runs(id_):
            tell(
                "note: another server decides about this id, and runs its tasks in its own workers"
            )
        if launched.asked_version:
            tell(
                f"it was launched before, with version {line(launched.version)}, and continues with that:"
                f" the code has changed since (now {line(launched.asked_version)}); to run the new code, choose another --id"
            )
        prepared = _answer_early(way, id_, chosen, prepared)
        since = None if launched.created is not False else began
        view = _follow(way, id_, prepared, until=options.until, since=since)
        _tell_of_others(way, id_)
        return _finish(view, way, until=options.until, as_json=options.as_json)


@click.command("resume")
@click.argument("execution", metavar="[ID]", required=False)
@detach_option
@no_wait_option
@executor_options
@strict_option
@click.option(
    "--any-environment",
    is_flag=True,
    help="Run its tasks here even if the interpreter or packages differ from the launch.",
)
@json_option
@server_options
def resume_command(
    *,
    home: Path,
    execution: str | None,
    strict: bool,
    any_environment: bool,
    workers: Any,
    as_json: bool,
    **far: bool,
) -> int:
    """
    Continue an execution, or all unfinished ones, and ask their questions.

    Tasks of executions launched with `tidegate run` continue in workers of this terminal, unless the interpreter or packages differ from
    those of the launch. `resume` also adopts a restored store.
    """
    if any_environment and (execution is None or strict):
        raise click.UsageError(
            "--any-environment is for one execution: name it, and leave --strict-environment out"
        )
    began, until = utc_now(), how_far(**far)
    if server() is None:
        let_act(home)
    anywhere = (execution or "") if any_environment else ""
    staff = Staff(workers, strict or None, anywhere)
    with way_to(home, partial(open_engine, staff=staff)) as way, Here(way, staff) as here:
        if execution is not None:
            id_ = full_id(way, execution)
            _serve(way, here, id_, until)
            view = _follow(way, id_, [], until=until, since=began)
            return _finish(view, way, until=until, as_json=as_json)
        page = way.ask(ListExecutions(phases=OPEN_PHASES, limit=1000))
        ids = [each.id for each in reversed(page.items)]
        if not ids:
            tell("nothing left to continue")
        lines = Lines()
        views = []
        damaged = False
        for id_ in ids:
            try:
                _serve(way, here, id_, until)
                views.append(_follow(way, id_, [], until=until, lines=lines, since=began))
            except (StoreDamaged, TaskHeld) as error:
                damaged = True
                tell(line(error.message))
        if as_json:
            print_json(views)
        elif len(views) == 1 and not damaged:
            return _finish(views[0], way, until=until, as_json=False)
        for said in standings(views):
            tell(said)
        return int(damaged or any(view.phase in {"FAILED", "ABORTED"} for view in views))


def _serve(way: Way, here: Here, id_: str, until: Until) -> None:
    """Run the tasks of an execution here, if a terminal has launched it: all others run in the workers of the store."""
    if until is Until.QUIET or server() is not None:
        return
    view = way.ask(GetExecution(id=id_))
    if view.environment and view.phase not in ENDED:
        code = way.ask(GetWorkflow(name=view.workflow, version=view.version)).workflow
        here.serve(id_, code.bundle)


def standings(views: Sequence[ExecutionView]) -> list[str]:
    """Say how executions are doing: one line each, and for very many, how many are in each phase."""
    lines = [f"{each.id}  {line(each.workflow)}  {each.phase}{_why(each)}" for each in views]
    if len(lines) <= MOST_TOLD:
        return lines
    counted = Counter(each.phase for each in views).items()
    told = ", ".join(f"{number} {phase}" for phase, number in counted)
    return [*lines[:MOST_TOLD], f"and {len(views) - MOST_TOLD} more; of all {len(views)}: {told}"]


def _runs_here(options: RunOptions) -> bool:
    """Return whether the attempts run in this terminal's workers for as long as it is there."""
    return (
        server() is None and options.until is not Until.QUIET and not is_elsewhere(options.workers)
    )


def _where(way: Way, options: RunOptions, launched: ExecutionView) -> str:
    """Say whose workers run an execution, if that is not this terminal."""
    if _runs_here(options) or (server() is None and way.is_owner):
        return ""
    whose = "store" if server() is None else "server"
    return f", in the workers of the {whose} ({line(launched.python or '')})"


def _register(way: Way, options: RunOptions, here: Here, id_: str) -> WorkflowList:
    """Register the workflows of the file, where they are to run; the store may change hands meanwhile."""
    for _ in range(LOSSES):
        with suppress(UnknownTerminal, OwnerGone):
            return _registered(way, options, here, id_)
    return _registered(way, options, here, id_)


def _registered(way: Way, options: RunOptions, here: Here, id_: str) -> WorkflowList:
    sources = find_sources(options.file, options.only, include=options.include)
    if sources.note:
        tell(f"note: {sources.note}")
    archive = pack(sources)
    here.keep(archive)
    # It is imported where its tasks are to run.
    terminal = here.serve(id_, archive.digest) if _runs_here(options) else ""
    way.install(archive)
    only = [] if options.workflow is None else [options.workflow]
    request = Register(bundle=archive.digest, module=sources.module, only=only, terminal=terminal)
    return way.ask(request)


def _list_workflows(options: RunOptions, found: WorkflowList) -> None:
    if options.as_json:
        print_json(found.items)
    else:
        click.echo(workflows_help(found.items, str(options.file)))
    for each in found.broken:
        tell(f"cannot be compiled: {line(each.name)}: {line(each.error)}")


def _prepared(way: Way, workflow: WorkflowView, given: str) -> Prepared:
    """Check an answer given in advance, as far as its question is known."""
    name, sign, raw = given.partition("=")
    if not sign:
        raise click.UsageError(f"--answer {line(given)!r} must be NAME=JSON")
    signal_ = next((each for each in workflow.signals if name in (each.name, each.path)), None)
    if signal_ is not None:
        Reader(way.blobs).answer(signal_.schema, raw, f"--answer {name}")
    elif not workflow.dynamic:
        there = ", ".join(each.path for each in workflow.signals)
        raise UnknownSignal(
            f"workflow {workflow.name} has no signal {name!r}; {f'its signals are: {there}' if there else 'it has none'}"
        )
    return Prepared(name, raw)


def _answer_early(
    way: Way, id_: str, workflow: WorkflowView, prepared: Sequence[Prepared]
) -> list[Prepared]:
    """Give the answers that may be given before their gate opens, so that they are stored now; return the others."""
    early = {each.path: each for each in workflow.signals if each.kind == "input"}
    rest = []
    for each in prepared:
        signal_ = early.pop(each.name, None)
        if signal_ is None:
            rest.append(each)
        else:
            value = Reader(way.blobs).answer(signal_.schema, each.given, f"--answer {each.name}")
            request = Answer(id=id_, name=each.name, value=value, key=f"run-{secrets.token_hex(8)}")
            with suppress(Refused):  # it was answered before, or it will never be asked
                way.ask(request)
    return rest


def _follow(
    way: Way,
    id_: str,
    prepared: Sequence[Prepared],
    *,
    until: Until,
    lines: Lines | None = None,
    since: datetime | None,
) -> ExecutionView:
    with _interruptible(id_):
        reader = None if until is not Until.ENDED else (lines or Lines())
        return Follower(way, id_, prepared, reader, since=since).follow(until)


@contextmanager
def _interruptible(id_: str) -> Iterator[None]:
    """Let Ctrl-C, a hang-up and SIGTERM leave the execution in the store, and say how to continue it."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        tell("")
        where = "" if server() is None else "; it continues on the server"
        tell(f"interrupted{where}; {continue_with(id_)}")
        raise click.exceptions.Exit(130) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_of_others(way: Way, id_: str) -> None:
    """Say that the other work of this process is left for later: attempts in progress are repeated then."""
    if way.is_owner:
        page = way.ask(ListExecutions(phases=["QUEUED", "RUNNING"]))
        others = [each.id for each in page.items if each.id != id_]
        if others:
            left = counted(len(others), "other execution")
            have = "has" if len(others) == 1 else "have"
            tell(f"{left} {have} work left; continue with: {spelled('resume')}")


def how_far(*, detach: bool, no_wait: bool) -> Until:
    """Return how far an execution is followed. Errors: `click.UsageError`."""
    if detach and no_wait:
        raise click.UsageError("give --detach or --no-wait, not both")
    if detach:
        return Until.QUIET
    return Until.WAITING if no_wait else Until.ENDED


def _finish(view: ExecutionView, way: Way, *, until: Until, as_json: bool) -> int:
    failed = view.phase in {"FAILED", "ABORTED"}
    detach = until is Until.QUIET
    waits = until is Until.WAITING and view.phase not in ENDED
    if detach and as_json:
        waiting = [to_builtins(each) for each in view.waiting]
        print_json({"id": view.id, "phase": view.phase, "waiting": waiting})
    elif as_json:
        print_json(view)
    elif detach or waits:
        click.echo(view.id)
        _tell_state(view, way)
    elif not failed:
        print_json(result(view.outputs))
    if failed:
        # Its output was shown as it was printed.
        if view.error is not None and has_traceback(view.error):
            for said in trace(view.error):
                tell(said)
        raise ExecutionFailed(failure_line(view))
    return WAITS if waits else 0


def _why(view: ExecutionView) -> str:
    """Return what to say of an execution after its phase."""
    if view.phase == "SUCCEEDED":
        return f": {brief(result(view.outputs))}"
    if view.phase in ENDED:
        return f": {line(failure_line(view))}"
    return f" for {', '.join(line(each.path) for each in view.waiting)}" if view.waiting else ""


def _tell_state(view: ExecutionView, way: Way) -> None:
    if view.phase == "SUCCEEDED":
        tell(f"result: {brief(result(view.outputs))}")
    for each in view.waiting:
        if each.kind in ANSWERABLE:
            tell(f"waiting for {line(each.path)}, {line(time_left(each))}")
            tell(f"  answer with: {how_to_answer(each)}")
        elif each.due is not None:
            tell(f"waiting for {line(each.name)}, until {each.due:%Y-%m-%d %H:%M:%S} UTC")
    for node in view.nodes:
        if node.held is not None:
            tell(f"{line(node.name)} {line(why_queued(node.held))}")
    if view.phase not in ENDED:
        # An execution of another process continues by itself.
        is_mine = server() is None and way.is_owner
        told = (
            continue_with(view.id) if is_mine else f"follow it with: {spelled('resume', view.id)}"
        )
        tell(f"then {told}" if is_mine else told)


def continue_with(id_: str) -> str:
    """Say how to continue with an execution."""
    return f"continue with: {spelled('resume', id_)}"
