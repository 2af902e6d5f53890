"""Finding the author's objects: the task behind a target, and the workflows of a module."""

import functools
import importlib
from types import ModuleType
from typing import Any, TypeAlias

from tidegate.errors import CodeError
from tidegate.ir.graph import Graph, PythonTarget, SubNode, TaskNode
from tidegate.sdk.imperative import Workflow
from tidegate.sdk.task import Task
from tidegate.sdk.workflow import FunctionWorkflow

AnyWorkflow: TypeAlias = FunctionWorkflow[..., Any] | Workflow


def load(module: str, name: str) -> Task[..., Any]:
    """Import a module and return the task with that name in it. Exceptions of the module propagate. Raises CodeError."""
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise
        raise CodeError(
            f"there is no module {module!r}, which should define the task {name!r}"
        ) from error
    try:
        found = functools.reduce(getattr, name.split("."), found)
    except AttributeError:
        raise CodeError(f"module {module!r} has no task {name!r}; {_why(name)}") from None
    if not isinstance(found, Task):
        raise CodeError(f"{module}:{name} is not a task but a {type(found).__name__}; {_why(name)}")
    return found


def describe_module(module: ModuleType) -> list[tuple[str, AnyWorkflow]]:
    """
    Return the workflows of an imported module, by their names in it, in the order of definition.

    A workflow counts where it is defined, so an imported one does not; one with two names counts once.
    """
    found: dict[int, tuple[str, AnyWorkflow]] = {}
    for name, thing in vars(module).items():
        match thing:
            case FunctionWorkflow() if thing.function.__module__ == module.__name__:
                found.setdefault(id(thing), (name, thing))
            case Workflow() if thing.module == module.__name__:
                found.setdefault(id(thing), (name, thing))
            case _:
                pass
    return list(found.values())


def check_targets(graph: Graph) -> None:
    """Raise CodeError if a worker could not find a task of a graph by importing its module."""
    for node in graph.nodes.values():
        match node:
            case TaskNode(target=PythonTarget(module, name)):
                load(module, name)
            case SubNode(graph=inner):
                check_targets(inner)
            case _:
                pass


def _why(name: str) -> str:
    if "<locals>" in name:
        return "a worker cannot find a task that is defined inside a function; define it at module level"
    return "define it with @task at module level, under this name"
