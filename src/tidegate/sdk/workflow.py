"""
`@workflow`: a function that is run once, with promises, to record a graph.

A workflow is compiled once, on first use; a failed compilation is remembered.
"""

import enum
import functools
import inspect
import itertools
import linecache
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import (
    Any,
    Generic,
    ParamSpec,
    Protocol,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
    runtime_checkable,
)

from tidegate.errors import AuthoringError, CompileError, InvalidValue
from tidegate.ir.expr import Expr, InputRef
from tidegate.ir.graph import Graph, Interface, SubNode
from tidegate.sdk.bind import bind_call, bind_outputs
from tidegate.sdk.promise import Outputs, Promise, result_of
from tidegate.sdk.signature import (
    Signature,
    arguments,
    decode_outputs,
    encode,
    interface_of,
    signature_of,
)
from tidegate.sdk.trace import Compiled, Trace, checked_name, current_trace, inside
from tidegate.types.values import FileStore, NoFiles

P = ParamSpec("P")
R = TypeVar("R")

COMPILING = threading.RLock()
"""One lock for all workflows: two that call each other, compiled by two threads, must not deadlock."""


class WorkflowFailurePolicy(enum.Enum):
    """What happens to the other nodes when one has failed."""

    FAIL_IMMEDIATELY = "abort them at once"
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = "let those that do not depend on it finish"


class WorkflowOptions(TypedDict, total=False):
    """
    Options of `@workflow`.

    Those without an explanation are Flyte's: they are accepted without effect.
    """

    failure_policy: WorkflowFailurePolicy
    """What happens to the other nodes when one has failed."""
    name: str
    """What it is registered as, instead of `module.function`."""
    docs: Any
    """A description, as text; the docstring if not given."""
    interruptible: bool
    pickle_untyped: bool
    default_options: Any


@runtime_checkable
class Launchable(Protocol):
    """What can be run, and can be a node of another workflow."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs, as Python types."""
        ...

    def compiled(self) -> Compiled:
        """Return its graph and tasks."""
        ...


class FunctionWorkflow(Generic[P, R]):
    """A workflow made from a function."""

    def __init__(self, function: Callable[..., Any], options: WorkflowOptions) -> None:
        if unknown := [key for key in options if key not in WorkflowOptions.__annotations__]:
            own = "failure_policy, name, docs"
            raise TypeError(f"@workflow has no option {unknown[0]!r}; its options are {own}")
        if not inspect.isroutine(function):
            raise TypeError(f"@workflow decorates functions; {function!r} is not one")
        functools.update_wrapper(self, function)
        self.function = function
        self.name = options.get("name") or f"{function.__module__}.{function.__qualname__}"
        self._finish_others = (
            options.get("failure_policy")
            is WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
        )
        self._docs = options.get("docs")
        self._once = Once(self.name, self._trace)

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs, as Python types. Raises CompileError."""
        return self._signature

    @functools.cached_property
    def _signature(self) -> Signature:
        return signature_of(self.function, f"workflow {self.name!r}")

    def compile(self) -> Graph:
        """Return the graph; made once. Raises AuthoringError, the same each time."""
        return self.compiled().graph

    def compiled(self) -> Compiled:
        """Return the graph and the tasks it calls. Raises AuthoringError, the same each time."""
        return self._once()

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Inside a workflow: make it a part of that. Outside: run it immediately, skipping sleeps and asking at the terminal."""
        return cast(R, call(self, args, kwargs))

    def run(
        self, inputs: Mapping[str, Any] | None = None, *, answers: Mapping[str, Any] | None = None
    ) -> R:
        """Run it immediately, with answers for its gates by name. Raises ExecutionFailed, NoAnswer."""
        return cast(R, run(self, (), dict(inputs or {}), answers))

    def _trace(self) -> Compiled:
        try:
            trace, interface, outputs = self._traced()
        except AuthoringError as error:
            if not error.details.get("where"):
                error.locate(self._where())
            raise
        doc = inspect.cleandoc(self._docs if isinstance(self._docs, str) else self.__doc__ or "")
        graph = trace.finish(interface, outputs, finish_others=self._finish_others, doc=doc)
        return Compiled(graph, trace.tasks)

    def _traced(self) -> tuple[Trace, Interface, dict[str, Expr]]:
        checked_name(self.name, "a workflow")
        label = f"workflow {self.name!r}"
        if inspect.iscoroutinefunction(self.function):
            raise CompileError(
                f"{label} is `async def`; its body only builds the graph, so write `def`"
            )
        signature = self.signature
        interface = interface_of(signature, label, NoFiles())
        trace = Trace(self.name, NoFiles())
        promises = {
            name: Promise(trace, InputRef(name), param.schema, signature.inputs[name])
            for name, param in interface.inputs.items()
        }
        trace.given.update(promises)
        with inside(trace):
            try:
                result = self.function(**promises)
            except AuthoringError as error:
                if "where" not in error.details:
                    error.locate(self._where_in(error))
                raise
            except RecursionError:
                raise
            except Exception as error:  # the body is the author's own code
                reason = f"its body raised {type(error).__name__}: {' '.join(str(error).split())}"
                wrong = CompileError(f"{label} cannot be compiled: {reason}")
                wrong.locate(self._where_in(error))
                raise wrong from error
            return trace, interface, bind_outputs(trace, signature, result, label)

    def _where(self) -> str:
        """Return the file and line of the function: `flow.py:3`."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        if code is None:
            return ""
        # Python counts from the first decorator.
        lines = itertools.count(code.co_firstlineno)
        text = ((number, linecache.getline(code.co_filename, number)) for number in lines)
        first = code.co_firstlineno
        found = next((n for n, line in text if not line or line.lstrip().startswith("def ")), first)
        return f"{code.co_filename.rpartition('/')[2]}:{found}"

    def _where_in(self, error: BaseException) -> str:
        """Return the file and line of the body where an exception arose: `flow.py:3`."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        file = code.co_filename if code else ""
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == file
        ]
        return f"{file.rpartition('/')[2]}:{lines[-1]}" if lines else ""

    def __repr__(self) -> str:
        return f"<workflow {self.name}>"


class Once:
    """A compilation that is made at most once, by one thread at a time; a failure is kept and raised again."""

    def __init__(self, name: str, make: Callable[[], Compiled]) -> None:
        self._name = name
        self._make = make
        self._made: Compiled | None = None
        self._failure: Exception | None = None
        self._running = False

    def __call__(self) -> Compiled:
        """Return what was compiled. Raises what the compilation raised, and CompileError if the workflow calls itself."""
        if self._made is not None:
            return self._made
        with COMPILING:
            if self._failure is not None:
                raise self._failure
            if self._made is None:
                self._made = self._run()
            return self._made

    def _run(self) -> Compiled:
        if self._running:
            raise CompileError(
                f"workflow {self._name!r} calls itself, directly or through another, without end; let a @dynamic decide when to call it"
            )
        self._running = True
        try:
            return self._make()
        except RecursionError as error:
            reason = "it calls itself without end, or a value in it is nested too deep"
            self._failure = CompileError(f"workflow {self._name!r} cannot be compiled: {reason}")
            raise self._failure from error
        except Exception as error:
            self._failure = error
            raise
        finally:
            self._running = False


def call(workflow: Launchable, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Do what calling a workflow means in the current place: add it to a trace, or run it."""
    trace = current_trace()
    if trace is None:
        return run(workflow, args, kwargs, None)
    return result_of(add_workflow(workflow, trace, args, kwargs), workflow.signature.bundle)


def add_workflow(
    workflow: Launchable, trace: Trace, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Outputs:
    """Make a workflow a node of a graph. Raises CompileError."""
    signature, name = workflow.signature, workflow.name.rpartition(".")[2]
    compiled = workflow.compiled()
    node, inputs = bind_call(trace, signature, f"workflow {name!r}", args, kwargs)
    trace.call_all(compiled.tasks)
    trace.add(SubNode(id=node, name=name, case=trace.case, graph=compiled.graph, inputs=inputs))
    return Outputs(trace, node, compiled.graph.interface.outputs, signature.outputs)


def run(
    workflow: Launchable,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    answers: Mapping[str, Any] | None,
) -> Any:
    """Run a workflow in this process, and return its outputs as its function would. Raises InvalidValue for wrong inputs."""
    from tidegate.sdk.local import run_graph  # noqa: PLC0415 - loaded late, to keep `import tidegate` fast

    compiled = workflow.compiled()
    signature = workflow.signature
    label = f"workflow {workflow.name!r}"
    try:
        given = arguments(signature, label, args, kwargs)
    except CompileError as error:
        raise InvalidValue(error.message) from None

    def stored(blobs: FileStore) -> dict[str, Any]:
        return {
            name: encode(signature.inputs[name], value, blobs, f"{label}: input {name!r}")
            for name, value in given.items()
        }

    outputs, blobs = run_graph(compiled, stored, answers or {})
    return decode_outputs(signature, outputs, blobs)


class WorkflowDecorator(Protocol):
    """What `@workflow(...)` returns."""

    def __call__(self, function: Callable[P, R], /) -> FunctionWorkflow[P, R]:
        """Make a workflow from a function."""
        ...


@overload
def workflow(function: Callable[P, R], /) -> FunctionWorkflow[P, R]: ...
@overload
def workflow(**options: Unpack[WorkflowOptions]) -> WorkflowDecorator: ...
def workflow(
    function: Callable[..., Any] | None = None, /, **options: Unpack[WorkflowOptions]
) -> Any:
    """
    Make a function into a workflow, with or without parentheses.

    Its body calls tasks, gates and other workflows, and is run once, with promises in place of values, when the workflow is first needed.
    Call it to run it immediately; `.run(inputs, answers={...})` also takes the answers of its gates.
    Raises TypeError for an unknown option; when it is compiled, CompileError and UnsupportedType, the same each time.
    """
    if function is None:
        return lambda function: FunctionWorkflow(function, options)
    return FunctionWorkflow(function, options)
