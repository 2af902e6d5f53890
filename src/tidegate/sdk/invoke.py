"""
Calling a task's function: stored inputs in, stored outputs out; for a dynamic task, its graph out.

This is the boundary between the machine and the author's code, the same in a worker and in a plain call.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from tidegate.errors import InvalidValue, StoreError, UnknownBlob, UnsupportedType
from tidegate.ir.expr import Value
from tidegate.ir.graph import Graph, Interface, PythonTarget
from tidegate.sdk.bind import bind_outputs
from tidegate.sdk.signature import Signature, output_schemas, spread
from tidegate.sdk.trace import Compiled, TaskRun, Trace, inside
from tidegate.sdk.variables import variables
from tidegate.types.registry import codec
from tidegate.types.values import FileStore

NOTHING: Mapping[str, str] = MappingProxyType({})


class Callee(Protocol):
    """What is called: the function of a task, with its signature."""

    @property
    def function(self) -> Callable[..., Any]:
        """The author's function."""
        ...

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs."""
        ...

    @property
    def target(self) -> PythonTarget:
        """Where it is found."""
        ...


def invoke(
    task: Callee,
    inputs: Mapping[str, Value],
    *,
    dynamic: bool,
    blobs: FileStore,
    run: TaskRun | None = None,
    environment: Mapping[str, str] = NOTHING,
) -> dict[str, Value] | Graph:
    """
    Run a task with stored inputs; return its stored outputs, or the graph of a dynamic one. `environment` are variables that are set meanwhile.

    Exceptions of the function propagate. Raises InvalidValue, naming the task and the input or output, if a value does not match its type;
    CompileError if a dynamic task's graph is wrong.
    """
    if dynamic:
        return unfold(task, inputs, blobs, run or TaskRun(), environment).graph
    with variables(environment):
        arguments = _decoded(task, inputs, blobs)
        result = _called(task, arguments, run or TaskRun())
        signature = task.signature
        if not signature.outputs:
            return {}
        outputs = spread(signature, result, f"task '{task.target}'")
        return {name: _encoded(task, name, value, blobs) for name, value in outputs.items()}


def unfold(
    task: Callee,
    inputs: Mapping[str, Value],
    blobs: FileStore,
    run: TaskRun,
    environment: Mapping[str, str] = NOTHING,
) -> Compiled:
    """Run the body of a dynamic task with stored inputs, and return the graph it builds. `environment` as above."""
    label = f"dynamic task '{task.target}'"
    trace = Trace(str(task.target), blobs, run)
    with variables(environment):
        arguments = _decoded(task, inputs, blobs)
        trace.given.update(arguments)
        result = _called(task, arguments, trace)
        outputs = bind_outputs(trace, task.signature, result, label)
    interface = Interface({}, output_schemas(task.signature, label))
    return Compiled(trace.finish(interface, outputs), trace.tasks)


def finished(result: Any) -> Any:
    """
    Return the result of a function; for an `async def`, run its coroutine in a new event loop.

    Inside a running loop the coroutine itself is returned, for the caller to await.
    """
    if not inspect.iscoroutine(result):
        return result
    # It takes a third of the time of `import tidegate`, and few tasks are asynchronous.
    asyncio = importlib.import_module("asyncio")
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(result)
    return result


def _called(task: Callee, arguments: dict[str, Any], scope: TaskRun | Trace) -> Any:
    with inside(scope):
        result = finished(task.function(**arguments))
    if not inspect.iscoroutine(result):
        return result

    def run() -> Any:
        with inside(scope):
            return finished(result)

    # A loop runs in this thread, as in a notebook; use another thread.
    with importlib.import_module("concurrent.futures").ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def _decoded(task: Callee, inputs: Mapping[str, Value], blobs: FileStore) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, annotation in task.signature.inputs.items():
        if name not in inputs:
            continue
        try:
            arguments[name] = codec(annotation).decode(inputs[name], blobs)
        except InvalidValue as error:
            raise InvalidValue(
                f"task '{task.target}': input {name!r}: {error.message}", error.faults
            ) from None
        except (UnknownBlob, StoreError) as error:
            raise type(error)(f"task '{task.target}': input {name!r}: {error.message}") from None
    return arguments


def _encoded(task: Callee, name: str, value: Any, blobs: FileStore) -> Value:
    try:
        return codec(task.signature.outputs[name]).encode(value, blobs)
    except (InvalidValue, UnsupportedType) as error:
        faults = error.faults if isinstance(error, InvalidValue) else ()
        raise InvalidValue(
            f"task '{task.target}' returned a {type(value).__name__} for output {name!r}: {error.message}",
            faults,
        ) from None
