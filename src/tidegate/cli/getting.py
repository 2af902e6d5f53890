"""
The command that gets a value out of an execution: an output or input of a node, or the result. Files come out as files.

The argument is a node, perhaps with the name of an output or an input, perhaps with a path into that: `fit`, `n2/n0.o0`, `label-3.image`, `fits.o0[3]`.
A node's name may contain dots and brackets, so the longest prefix that is a node counts.
"""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from tidegate.cli.options import full_id, json_option, server_options
from tidegate.cli.render import json_text, line, print_json, result, size, tell, text
from tidegate.cli.store import open_reader
from tidegate.cli.way import Way, spelled, way_to
from tidegate.errors import CodeError, Refused, UnknownNode, UnknownThing
from tidegate.ir.expr import Value
from tidegate.types.values import BLOB, TREE_MEDIA, FileStore, is_blob, is_reference
from tidegate.wire import GetExecution, GetNode, NodeView

STEP = re.compile(r"\.([^.\[\]]+)|\[(-?\d+)\]|\[\"([^\"]*)\"\]")
LISTED = 20


@click.command("get")
@click.argument("execution", metavar="ID")
@click.argument("what", metavar="[NODE[.OUTPUT]]", default="")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it to FILE; files in a value go into FILE if that is a directory.",
)
@json_option
@server_options
def get_command(
    *, home: Path, execution: str, what: str, output: Path | None, as_json: bool
) -> None:
    """
    Get a value out of an execution: an output of a node, what a question shows, or the result.

    NODE is the id or the name of a node; without it, you get the result of the execution. NODE.OUTPUT.field and NODE.OUTPUT[3] select a part of a value.
    For a node without outputs, and for NODE.INPUT, you get its inputs: the image beside a question is QUESTION.image. A file is
    written unchanged, text as text, and everything else as JSON.
    """
    with way_to(home, open_reader) as way:
        id_ = full_id(way, execution)
        value = _node_value(way, id_, what) if what else _result(way, id_)
        if as_json:
            print_json(value)
        elif output is not None:
            _save(way.blobs, value, output)
        else:
            _print(way.blobs, value, spelled("get", id_, *([shlex.quote(what)] if what else [])))


def _result(way: Way, id_: str) -> Value:
    view = way.ask(GetExecution(id=id_))
    if view.outputs is None:
        raise Refused(f"execution {id_} is {view.phase}: it has no result; name one of its nodes")
    return result(view.outputs)


def _node_value(way: Way, id_: str, what: str) -> Value:
    """Return the value that a node and a path into it stand for. Errors: `UnknownNode`, `AmbiguousNode`, `UnknownThing`, `Refused`."""
    ends = [len(what), *sorted((m.start() for m in re.finditer(r"[.\[]", what)), reverse=True)]
    unknown: UnknownNode | None = None
    for end in ends:
        if not end:
            continue
        try:
            node = way.ask(GetNode(id=id_, node=what[:end]))
        except UnknownNode as error:
            unknown = unknown or error
            continue
        return part_of(node, what[end:])
    assert unknown is not None
    raise unknown


def part_of(node: NodeView, rest: str) -> Value:
    """Return the value that the rest of the argument selects in a node. Errors: `UnknownThing`, `Refused`."""
    steps = list(_steps(node, rest))
    outputs = node.outputs or {}
    if not steps:
        return _whole(node)
    first, *others = steps
    if first in outputs:
        value = outputs[first]
    elif first in node.inputs:
        value = node.inputs[first]
    elif len(outputs) == 1:
        value, others = next(iter(outputs.values())), steps
    else:
        raise _no_part(node.name, first, [*outputs, *node.inputs], node.phase)
    for step in others:
        value = _stepped(node.name, value, step)
    return value


def _whole(node: NodeView) -> Value:
    """Return all outputs of a node, or the only one; before it has any, its only input file, such as the image that a question shows."""
    if node.outputs:
        return result(node.outputs)
    files = [name for name, value in node.inputs.items() if is_blob(value)]
    if len(files) == 1:
        return node.inputs[files[0]]
    has = f"; it was given: {_listed(node.inputs)}" if node.inputs else ""
    raise Refused(f"node {line(node.name)!r} ({node.id}) is {node.phase} and has no outputs{has}")


def _steps(node: NodeView, rest: str) -> Iterator[str | int]:
    """Yield the steps of a path into a value. Errors: `UnknownThing`."""
    at = 0
    while at < len(rest):
        found = STEP.match(rest, at)
        if found is None:
            raise UnknownThing(f"{rest[at : at + 80]!r} is not a part of {node.name!r}: write .NAME or [NUMBER]")  # fmt: skip
        name, number, key = found.groups()
        yield int(number) if number is not None else name if name is not None else key
        at = found.end()


def _stepped(of: str, value: Value, step: str | int) -> Value:
    if isinstance(step, int):
        if isinstance(value, list) and -len(value) <= step < len(value):
            return value[step]
        there = f"{len(value):,} items" if isinstance(value, list) else "no items"
        raise UnknownThing(f"{of!r} has {there}, and no [{step}]")
    if isinstance(value, dict) and step in value and not is_blob(value):
        return value[step]
    names = list(value) if isinstance(value, dict) and not is_blob(value) else []
    raise _no_part(of, step, names, "")


def _no_part(of: str, step: str | int, there: list[str], phase: str) -> UnknownThing:
    has = f"it has: {_listed(there)}" if there else "it has no parts"
    is_ = f" is {phase} and" if phase else ""
    return UnknownThing(f"{line(of)!r}{is_} has no {step!r}; {has}")


def _listed(names: Mapping[str, Any] | list[str]) -> str:
    shown = [line(name) for name in names]
    return ", ".join(shown[:LISTED]) + (", ..." if len(shown) > LISTED else "")


# ---- out of the store ----


def _print(blobs: FileStore, value: Value, again: str) -> None:
    """Write a value to standard output; a file goes there only if it is not a terminal."""
    shown = sys.stdout.isatty()
    if is_blob(value) and BLOB in value:
        name = _file_name(value)
        if shown or value.get("media") == TREE_MEDIA:
            tell(f"{line(name)}: {size(value.get('size', 0))}, {line(value.get('media', ''))}")
            tell(f"save it: {again} -o {shlex.quote(line(name))}")
        else:
            with blobs.checkout(value[BLOB], name).open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    elif isinstance(value, str):
        click.echo(text(value) if shown else value)
    else:
        print_json(value)


def _save(blobs: FileStore, value: Value, output: Path) -> None:
    """Write a value to a file, or its files into a directory. Errors: `CodeError`."""
    try:
        if is_blob(value) and BLOB in value:
            target = output / _file_name(value) if output.is_dir() else output
            _save_file(blobs, value, target)
        elif output.is_dir():
            _save_files(blobs, value, output)
        else:
            said = value if isinstance(value, str) else json_text(value, indent=True) + "\n"
            output.write_text(said, encoding="utf-8")
            tell(f"wrote {line(output)}")
    except OSError as error:
        raise CodeError(f"{line(error.filename or output)}: cannot be written: {error.strerror}") from None  # fmt: skip


def _save_files(blobs: FileStore, value: Value, folder: Path) -> None:
    found = list(_files(value))
    if not found:
        raise CodeError(f"{line(folder)} is a directory, and there are no files in this value")
    taken: set[str] = set()
    for each in found:
        name = _file_name(each)
        path = Path(name)
        number = 1
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        taken.add(name)
        _save_file(blobs, each, folder / name)


def _files(value: Value) -> Iterator[dict[str, Any]]:
    """Yield the files in a value, in its order."""
    todo = [value]
    while todo:
        each = todo.pop()
        if is_reference(each):
            yield each
        elif isinstance(each, dict):
            todo.extend(reversed(each.values()))
        elif isinstance(each, list):
            todo.extend(reversed(each))


def _save_file(blobs: FileStore, value: dict[str, Any], target: Path) -> None:
    name, runs = _file_name(value), value.get("executable")
    if value.get("media") == TREE_MEDIA:
        copy = blobs.checkout_tree(value[BLOB], name)
        shutil.copytree(copy, target, dirs_exist_ok=True)
        runnable = runs if isinstance(runs, list) else []
    else:
        shutil.copyfile(blobs.checkout(value[BLOB], name), target)
        runnable = [""] if runs is True else []
    for each in runnable:
        path = target / each
        if path.is_file() and target.resolve() in (path.resolve(), *path.resolve().parents):
            path.chmod(path.stat().st_mode | 0o111)
    tell(f"wrote {line(target)} ({size(value.get('size', 0))})")


def _file_name(value: dict[str, Any]) -> str:
    """Return the name of a file, reduced to a plain name."""
    name = Path(str(value.get("name") or "")).name
    return name if name not in ("", ".", "..") and "\0" not in name else value[BLOB][:12]
