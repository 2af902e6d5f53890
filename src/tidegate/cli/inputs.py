"""The inputs of a workflow as options of `tidegate run FILE WORKFLOW`: how they are parsed, and their help."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches

import click
from msgspec import UNSET

from tidegate.cli.render import brief, columns, line, table, text
from tidegate.cli.values import Reader, json_object
from tidegate.errors import Fault, InvalidValue
from tidegate.ir.expr import Value
from tidegate.wire import InputView, WorkflowView

TAKEN = frozenset(
    {
        "answer",
        "debug",
        "detach",
        "executor",
        "help",
        "home",
        "id",
        "inputs",
        "insecure-ray",
        "json",
        "only",
        "ray-address",
        "remote",
        "server",
        "workers",
    }
)
"""Options of `run` itself; an input with such a name is given with --inputs."""


def read_inputs(
    workflow: WorkflowView,
    words: Sequence[str],
    whole: str | None,
    reader: Reader,
    known: Collection[str] = (),
) -> dict[str, Value]:
    """
    Return the inputs that the command line gives: those of `--inputs`, and over them the single options. Those that are `known` need not be given.

    Errors: `click.UsageError` if an option is wrong, `InvalidValue` if its value is.
    """
    inputs = {} if whole is None else json_object(whole, "--inputs")
    single: set[str] = set()
    there = {each.name: each for each in workflow.inputs}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise click.UsageError(f"unexpected argument {line(word)!r}{_options(there)}")
        option, sign, joined = word[2:].partition("=")
        name = option.replace("-", "_")
        negated = name.startswith("no_") and _is_bool(there.get(name[3:]))
        if name not in there and not negated:
            raise _no_such(option, there)
        own = name.removeprefix("no_") if name not in there else name
        if own in single:
            raise click.UsageError(
                f"--{line(own)} is given twice; a list is one value, such as '[1, 2]'"
            )
        single.add(own)
        if own != name:
            inputs[own] = False
        elif sign:
            inputs[name] = reader.typed(there[name].schema, joined, f"--{option}")
        elif _is_bool(there[name]) and (not rest or rest[0].startswith("--")):
            inputs[name] = True
        elif not rest:
            raise click.UsageError(f"--{option} needs a value: {there[name].expects}")
        else:
            inputs[name] = reader.typed(there[name].schema, rest.pop(0), f"--{option}")
    missing = [
        each
        for each in workflow.inputs
        if each.name not in inputs and each.name not in known and each.default is UNSET
    ]
    if missing:
        faults = [Fault((each.name,), f"is missing; give {_how(each)}") for each in missing]
        raise InvalidValue(f"inputs of {workflow.name}", faults)
    return inputs


def _how(each: InputView) -> str:
    if each.name in TAKEN:
        return f"it with --inputs ({each.expects})"
    return f"--{each.name} ({each.expects})"


def _is_bool(each: InputView | None) -> bool:
    return each is not None and each.schema.get("type") == "boolean"


def _no_such(option: str, there: dict[str, InputView]) -> click.UsageError:
    close = get_close_matches(option.replace("-", "_"), there, n=1)
    hint = f"; did you mean --{close[0]}?" if close else _options(there)
    return click.UsageError(f"unknown input --{line(option)}{hint}")


def _options(there: dict[str, InputView]) -> str:
    if not there:
        return "; the workflow takes no inputs"
    return f"; the inputs are: {', '.join(f'--{name}' for name in there)}"


def inputs_help(workflow: WorkflowView, file: str) -> str:
    """Return the help of one workflow: its inputs, and its questions."""
    short = workflow.name.rpartition(".")[2]
    parts = [f"Usage: tidegate run {line(file)} {line(short)} [--INPUT VALUE]..."]
    if workflow.doc:
        parts.append(text(workflow.doc).strip())
    if workflow.inputs:
        rows = [
            (
                f"  --{line(each.name)}"
                if each.name not in TAKEN
                else f"  {line(each.name)} (with --inputs)",
                line(each.expects, 60),
                "required" if each.default is UNSET else f"default: {brief(each.default, 40)}",
            )
            for each in workflow.inputs
        ]
        parts.append("Inputs:\n" + columns(rows))
    else:
        parts.append("It takes no inputs.")
    if workflow.signals:
        asked = [
            (
                f"  {line(each.path)}",
                line(each.expects, 60) if each.kind == "input" else "an approval",
            )
            for each in workflow.signals
        ]
        parts.append("It will ask for:\n" + columns(asked))
    parts.append("See `tidegate run --help` for the other options.")
    return "\n\n".join(parts)


def workflows_help(workflows: Sequence[WorkflowView], file: str) -> str:
    """Return a list of the workflows of a file, with their inputs."""
    rows = [
        (
            line(each.name.rpartition(".")[2]),
            " ".join(f"--{line(one.name)}" for one in each.inputs),
            line(each.doc.strip().partition("\n")[0], 60),
        )
        for each in workflows
    ]
    return (
        table(("WORKFLOW", "INPUTS", ""), rows, whole=2)
        + f"\n\nRun one: tidegate run {line(file)} WORKFLOW --INPUT VALUE"
    )
