"""Importing the author's modules, in a worker and nowhere else, and saying in one line why that fails."""

import importlib
import inspect
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from tidegate.errors import AuthoringError, CodeError, Fault
from tidegate.executors.frames import DescribedWorkflow
from tidegate.ir.expr import Value
from tidegate.ir.graph import PythonTarget
from tidegate.ports.executor import ENVIRONMENT, MISSING
from tidegate.sdk.failures import not_packed, one_line, trace_of, where_of
from tidegate.sdk.faults import faults_of
from tidegate.sdk.load import AnyWorkflow, check_targets, describe_module, load
from tidegate.sdk.task import Task
from tidegate.types.registry import codec
from tidegate.types.values import FileStore


def load_module(module: str, source: str) -> ModuleType:
    """
    Import a module of a source tree.

    Errors: `CodeError`, saying where in the tree and what was raised, with the traceback as `details["trace"]`. It could be imported when it was
    registered, so an attempt that meets one is held for `details["held"]`.
    """
    try:
        found = importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - a module of the author's may raise anything, sys.exit() too
        if isinstance(error, ModuleNotFoundError) and _leads_to(error.name, module):
            why = f"there is no module {module!r} in the registered code"
            raise CodeError(f"{why}{not_packed(error, source)}", held=MISSING) from None
        searched = f"; searched in {sys.prefix}" if isinstance(error, ModuleNotFoundError) else ""
        place = where_of(error, source) or module
        is_missing = isinstance(error, ModuleNotFoundError | FileNotFoundError)
        raise CodeError(
            f"{place}: {one_line(error)}{searched}{not_packed(error, source)}",
            trace=trace_of(error, source),
            held=MISSING if is_missing else ENVIRONMENT,
            exited=isinstance(error, SystemExit),
        ) from None
    _check_origin(found, source)
    return found


def _check_origin(found: ModuleType, source: str) -> None:
    """Raise CodeError if a module of the tree is hidden by another with its name: `types.py` by Python's own, say."""
    for own in (f"{found.__name__.replace('.', '/')}{end}" for end in (".py", "/__init__.py")):
        path = Path(source, own)
        if path.is_file() and not Path(found.__file__ or "").is_relative_to(source):
            raise CodeError(f"{own} has the name of a module that Python already has; rename it")


def load_task(module: str, name: str, source: str) -> Task[..., Any]:
    """Return a task by its target. Errors: `CodeError`."""
    load_module(module, source)
    return load(module, name)


def warm(task: Task[..., Any]) -> None:
    """Load and build what a task needs for its inputs and outputs, so that no attempt has to."""
    signature = task.signature
    for annotation in (*signature.inputs.values(), *signature.outputs.values()):
        with suppress(Exception):  # each attempt reports that itself
            codec(annotation)
    if inspect.iscoroutinefunction(task.function):
        importlib.import_module("asyncio")


def describe(module: str, source: str) -> tuple[DescribedWorkflow, ...]:
    """Compile every workflow of a module. Errors: `CodeError` if it cannot be imported."""
    found = describe_module(load_module(module, source))
    return tuple(_describe(variable, workflow) for variable, workflow in found)


def check(place: PythonTarget, value: Value, blobs: FileStore, source: str) -> tuple[Fault, ...]:
    """Return what is wrong with a value, by a type that a module defines under a name. Errors: `CodeError`."""
    load_module(place.module, source)
    return faults_of(place, value, blobs)


def _describe(variable: str, workflow: AnyWorkflow) -> DescribedWorkflow:
    try:
        graph = workflow.compile()
        check_targets(graph)
        return DescribedWorkflow(workflow.name, variable, msgspec.msgpack.encode(graph))
    except AuthoringError as error:
        return DescribedWorkflow(workflow.name, variable, error=error.message)
    except Exception as error:  # noqa: BLE001 - annotations and defaults are the author's code too
        return DescribedWorkflow(
            workflow.name, variable, error=f"workflow {workflow.name!r}: {one_line(error)}"
        )


def _leads_to(missing: str | None, module: str) -> bool:
    return missing is not None and (module == missing or module.startswith(f"{missing}."))
