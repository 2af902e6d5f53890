"""
Completions for a shell when Tab is pressed: commands and options, files, the workflows of a file and their inputs, ids, gates, nodes.

Rule 1: it never blocks a prompt: after `PATIENCE` this process ends, whatever it waits for.
Rule 2: it changes nothing: no store is made, no user file is run; the contents of a file are read from its source.
Rule 3: on any error there are no completions.
"""

import ast
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem, ShellComplete
from click.types import StringParamType

from tidegate.cli.completion import VARIABLE
from tidegate.cli.inputs import TAKEN
from tidegate.cli.options import full_id
from tidegate.cli.render import GLYPHS, line
from tidegate.cli.store import open_reader
from tidegate.cli.way import Way, way_to
from tidegate.home import find_home
from tidegate.wire import (
    ENDED,
    Ask,
    GetExecution,
    ListExecutions,
    ListSignals,
    ListWorkflows,
)

PATIENCE: Final = 4.0
"""Seconds after which nothing is completed: it takes 0.3, ten times as much on a busy machine, and never ends if the store hangs."""

MOST: Final = 100
"""Ids that are offered, newest first: a shell asks before it shows more."""

LARGEST: Final = 1_000_000
"""Bytes of a source file that are read."""

V = TypeVar("V")
Item = CompletionItem[str]
Find = Callable[[click.Context, str], Iterator[Item]]


def reply(group: click.Group, shell: str, words: Sequence[str]) -> NoReturn:
    """Write the completions of a command line, and end this process: one per line, in the form of the shell."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    with suppress(Exception, SystemExit):
        if shell == "bash":
            typed, last = _split(words[0] if words else "")
            for item in _found(group, typed[1:], last.value):
                sys.stdout.write(f"{_for_bash(item, last)}\n")
        else:
            for item in _found(group, words[:-1], words[-1] if words else ""):
                help_ = line(item.help or "", 80)
                sys.stdout.write(f"{item.value}\t{help_}\n")
        sys.stdout.flush()
    os._exit(0)


def _give_up(_: int, __: FrameType | None) -> None:
    os._exit(0)


def _found(group: click.Group, words: Sequence[str], last: str) -> Iterator[Item]:
    """Yield the completions of the last word. Those that cannot be typed, or are not displayed exactly, are left out."""
    found = ShellComplete(group, {}, "tidegate", VARIABLE).get_completions(list(words), last)
    if words[:1] == ["run"] and len(words) > 2 and last.startswith("-"):
        found = [*input_options(words[1], words[2], last), *found]
    # For `--phase=wa` click completes the part after the sign.
    option, sign, behind = last.partition("=") if last.startswith("-") else ("", "", last)
    for item in found:
        for each in _files(behind) if item.type in ("file", "dir") else (item,):
            if each.value.startswith(last) and each.value.isprintable():
                yield each
            elif sign and each.value.startswith(behind) and each.value.isprintable():
                yield CompletionItem(f"{option}={each.value}", help=each.help)


# ---- words of a line ----


class _Word:
    """The last word of a line: as written, what it means, and the quote that is open in it."""

    def __init__(self) -> None:
        self.raw = ""
        self.value = ""
        self.quote = ""


def _split(text: str) -> tuple[list[str], _Word]:
    """Return the words of a line in bash before the last, and the last, which may be empty or incomplete."""
    words: list[str] = []
    word, begun, escaped = _Word(), False, False
    for letter in text:
        if letter in " \t" and not word.quote and not escaped:
            if begun:
                words.append(word.value)
                word, begun = _Word(), False
            continue
        begun = True
        word.raw += letter
        if escaped or (word.quote == "'" and letter != "'"):
            word.value, escaped = word.value + letter, False
        elif letter == "\\":
            escaped = True
        elif letter == word.quote:
            word.quote = ""
        elif letter in "'\"" and not word.quote:
            word.quote = letter
        else:
            word.value += letter
    return words, word


def _for_bash(item: Item, last: _Word) -> str:
    """Return what bash puts in place of the part of a word that it completes: for `a=b` only the part after the `=`."""
    end = "" if item.value.endswith(("/", "=")) else " "
    if last.quote:
        typed = len(last.value) - len(last.raw.rpartition(last.quote)[2])
        return item.value[typed:]
    breaks = "".join(each for each in os.environ.get("TIDEGATE_BREAKS", "") if not each.isspace())
    at = max((last.raw.rfind(each) for each in breaks if each not in "\\\"'"), default=-1)
    kept = _split(last.raw[: at + 1])[1].value
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", item.value.removeprefix(kept)) + end


# ---- what completes an argument ----


class _Found(StringParamType):
    """An argument that is completed from search results."""

    def __init__(self, find: Find) -> None:
        self._find = find

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[Item]:
        """Return its completions."""
        del param
        return list(self._find(ctx, incomplete))


def completed(command: click.Command, name: str) -> click.Command:
    """Return a subcommand with completions for its arguments."""
    for param in command.params:
        find = FINDERS.get((name, param.name or "")) or FINDERS.get(("", param.name or ""))
        if find is not None:
            param.type = _Found(find)
    return command


def ask(ctx: click.Context, request: Ask[V]) -> V:
    """Handle a request with the store, or the server, of this command line."""
    return _way(ctx, lambda way: way.ask(request))


def _way(ctx: click.Context, use: Callable[[Way], V]) -> V:
    # The group itself has not been called, so options before the subcommand are still where they were parsed.
    given = ctx.find_root().params.get("home")
    home = find_home(given) if given else ctx.params.get("home") or Path(os.devnull)
    with ctx, way_to(home, open_reader) as way:
        return use(way)


def _executions(ctx: click.Context, typed: str) -> Iterator[Item]:
    verb = ctx.info_name or ""
    request = ListExecutions(text=typed, phases=WANTED.get(verb, []), limit=MOST)
    for each in ask(ctx, request).items:
        if each.id.startswith(typed):
            yield CompletionItem(each.id, help=f"{each.workflow.rpartition('.')[2]} {each.phase}")


def _signals(ctx: click.Context, typed: str) -> Iterator[Item]:
    kinds = {"answer": ("input",), "approve": ("approve",), "reject": ("approve",)}
    wanted = kinds.get(ctx.info_name or "", ("input", "approve"))
    for each in _of_execution(ctx, lambda id_: ListSignals(id=id_)).items:
        is_open = each.phase == "WAITING" or (each.phase == "QUEUED" and each.kind == "input")
        if each.kind in wanted and is_open and each.path.startswith(typed):
            yield CompletionItem(each.path, help=each.expects)


def _nodes(ctx: click.Context, typed: str) -> Iterator[Item]:
    nodes = _of_execution(ctx, lambda id_: GetExecution(id=id_)).nodes
    names = [each.name for each in nodes]
    for each in nodes:
        if ctx.info_name == "deck" and not each.deck:
            continue
        # A name that several have identifies none of them.
        value = each.name if names.count(each.name) == 1 else each.id
        if value.startswith(typed):
            yield CompletionItem(value, help=f"{each.kind} {each.phase}")


def _of_execution(ctx: click.Context, request: Callable[[str], Ask[V]]) -> V:
    given = ctx.params.get("execution") or ""
    return _way(ctx, lambda way: way.ask(request(full_id(way, given))))


def _registered(ctx: click.Context, typed: str) -> Iterator[Item]:
    for each in ask(ctx, ListWorkflows()).items:
        for value in (each.name.rpartition(".")[2], each.name):
            if value.startswith(typed):
                yield CompletionItem(value)


def _phases(_: click.Context, typed: str) -> Iterator[Item]:
    for each in GLYPHS:
        value = each.lower() if typed.islower() or not typed else each
        if value.startswith(typed):
            yield CompletionItem(value)


def _sources(_: click.Context, typed: str) -> Iterator[Item]:
    yield from (each for each in _files(typed) if each.value.endswith((".py", "/")))


def _values(_: click.Context, typed: str) -> Iterator[Item]:
    if typed.startswith("@"):
        yield from (CompletionItem(f"@{each.value}") for each in _files(typed[1:]))


def _files(typed: str) -> Iterator[Item]:
    """Yield the files and directories whose path starts with the typed text."""
    folder, _, name = typed.rpartition("/")
    at = Path(f"{folder}/" if "/" in typed else ".").expanduser()
    prefix = typed[: len(typed) - len(name)]
    with suppress(OSError):
        for each in sorted(at.iterdir()):
            if each.name.startswith(name) and (name or not each.name.startswith(".")):
                yield CompletionItem(f"{prefix}{each.name}{'/' if each.is_dir() else ''}")


# ---- what a file of workflows holds ----


def _workflows(ctx: click.Context, typed: str) -> Iterator[Item]:
    for name, node in _drawn(ctx.params.get("file")):
        if name.startswith(typed):
            doc = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
            yield CompletionItem(name, help=(doc or "").partition("\n")[0])


def _inputs(ctx: click.Context, typed: str) -> Iterator[Item]:
    """Yield the options for the inputs of a workflow, and after one of them the files that may hold its value."""
    if typed.startswith("@"):
        yield from _values(ctx, typed)
    elif not typed or typed.startswith("-"):
        yield from input_options(ctx.params.get("file"), ctx.params.get("workflow"), typed)


def input_options(file: object, workflow: object, typed: str) -> Iterator[Item]:
    """Yield the options of `run` that are the inputs of a workflow."""
    for name, node in _drawn(file):
        if name == workflow and isinstance(node, ast.FunctionDef):
            for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                option = f"--{each.arg}"
                if each.arg not in TAKEN and option.startswith(typed):
                    kind = ast.unparse(each.annotation) if each.annotation else ""
                    yield CompletionItem(option, help=kind)


def _drawn(file: object) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the workflows of a source file, by their names. Nothing of it is run."""
    path = Path(str(file))
    if file is None or not path.is_file() or path.stat().st_size > LARGEST:
        return
    for node in ast.parse(path.read_bytes()).body:
        match node:
            case ast.FunctionDef(name=name) if any(map(_is_workflow, node.decorator_list)):
                yield name, node
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=made)):
                if _called(made) == "Workflow":
                    yield name, node
            case _:
                pass


def _is_workflow(decorator: ast.expr) -> bool:
    return _called(decorator.func if isinstance(decorator, ast.Call) else decorator) == "workflow"


def _called(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


OPEN: Final = ["QUEUED", "RUNNING", "WAITING"]
WANTED: Final[dict[str, list[str]]] = {
    **dict.fromkeys(("answer", "approve", "reject", "abort", "terminate", "resume"), OPEN),
    "recover": sorted(ENDED - {"SUCCEEDED"}),
    "relaunch": sorted(ENDED),
}
"""The phases of executions that a subcommand can work on; all phases for commands not listed."""

FINDERS: Final[dict[tuple[str, str], Find]] = {
    ("", "execution"): _executions,
    ("", "name"): _signals,
    ("", "node"): _nodes,
    ("", "value"): _values,
    ("", "phases"): _phases,
    ("", "workflow"): _registered,
    ("get", "what"): _nodes,
    ("recover", "rerun"): _nodes,
    ("run", "file"): _sources,
    ("run", "workflow"): _workflows,
    ("run", "rest"): _inputs,
    ("register", "paths"): _sources,
}
"""The completions of the argument of a subcommand, or of any."""
