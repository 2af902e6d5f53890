"""Finding tasks and workflows in the author's modules. Only workers import this, for only they import those."""

import importlib
import sys
from types import ModuleType
from typing import Any

import msgspec

from tidegate.errors import AuthoringError, CodeError
from tidegate.executors.failures import one_line, place_of, trace_of
from tidegate.executors.frames import DescribedWorkflow
from tidegate.sdk.imperative import Workflow
from tidegate.sdk.task import Task
from tidegate.sdk.workflow import FunctionWorkflow


def load_module(module: str, source: str) -> ModuleType:
    """
    Import a module of the source tree, or return it if that has been done.

    Errors: `CodeError`, saying where in the tree and what was raised, with the traceback as `details["trace"]`.
    """
    if module in sys.modules:
        return sys.modules[module]
    try:
        return importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - a module of the author's may raise anything, sys.exit() too
        if isinstance(error, ModuleNotFoundError) and _leads_to(error.name, module):
            raise CodeError(f"there is no module {module!r} in the registered code") from None
        place = place_of(error, source) or module
        raise CodeError(f"{place}: {one_line(error)}", trace=trace_of(error, source)) from None


def load_task(module: str, name: str, source: str) -> Task[..., Any]:
    """Return a task by its place. Errors: `CodeError`."""
    found: object = load_module(module, source)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Task):
        what = "is no task" if found is not None else "is not there"
        raise CodeError(
            f"{module}:{name} {what}; a task is a function at the top of its module, decorated with @task or @dynamic"
        )
    return found


def describe_module(module: str, source: str) -> tuple[DescribedWorkflow, ...]:
    """Compile every workflow that a module holds. Errors: `CodeError` if it cannot be imported."""
    found: dict[int, FunctionWorkflow[..., Any] | Workflow] = {}
    for value in vars(load_module(module, source)).values():
        if isinstance(value, FunctionWorkflow | Workflow):
            found.setdefault(id(value), value)
    return tuple(_describe(workflow) for workflow in found.values())


def _describe(workflow: "FunctionWorkflow[..., Any] | Workflow") -> DescribedWorkflow:
    try:
        graph = msgspec.msgpack.encode(workflow.compile())
    except AuthoringError as error:
        return DescribedWorkflow(workflow.name, error=error.message)
    except Exception as error:  # noqa: BLE001 - annotations and defaults are the author's code too
        return DescribedWorkflow(
            workflow.name, error=f"workflow {workflow.name!r}: {one_line(error)}"
        )
    return DescribedWorkflow(workflow.name, graph)


def _leads_to(missing: str | None, module: str) -> bool:
    return missing is not None and (module == missing or module.startswith(missing + "."))
