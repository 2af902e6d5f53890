"""
`@task` and `@dynamic`: make a Python function into something that a workflow can call.

To a type checker a task is the function it was made from: called in a workflow, it seems to return its values.
Called outside a workflow it runs at once, as the plain function it also is.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, Unpack, cast, overload

from msgspec import UNSET

from tidegate.errors import CompileError
from tidegate.ir.expr import Expr
from tidegate.ir.graph import ORDINARY, Interface, Micros, PythonTarget, Retry, TaskNode
from tidegate.sdk.bind import bind_call
from tidegate.sdk.invoke import finished
from tidegate.sdk.options import OWN, TaskOptions, checked_retries, micros, task_timeout
from tidegate.sdk.promise import Outputs, Promise, result_of, source
from tidegate.sdk.requirements import not_kept_here, requirements_of
from tidegate.sdk.scratch import scratch_blobs
from tidegate.sdk.signature import (
    Signature,
    decode_outputs,
    output_schemas,
    signature_of,
)
from tidegate.sdk.trace import Compiled, Trace, checked_name, current_trace
from tidegate.sdk.variables import variables

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A function that an executor can run; `function` is the function itself."""

    def __init__(
        self, function: Callable[..., Any], options: TaskOptions, *, dynamic: bool
    ) -> None:
        word = "dynamic" if dynamic else "task"
        if unknown := [key for key in options if key not in TaskOptions.__annotations__]:
            raise TypeError(
                f"@{word} has no option {unknown[0]!r}; its options are {', '.join(sorted(OWN))}"
            )
        if not inspect.isroutine(function):
            raise TypeError(f"@{word} decorates functions; {function!r} is not one")
        functools.update_wrapper(self, function)
        self.function = function
        self.dynamic = dynamic
        self.name = options.get("name") or function.__name__
        self._options = options
        self._is_told = False
        """Whether a request of the task cannot be honored when it is called as a function."""
        self.requires = requirements_of(options, f"task '{function.__qualname__}'")

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs, as Python types. Raises CompileError."""
        return self._signature

    @functools.cached_property
    def _signature(self) -> Signature:
        return signature_of(self.function, f"task '{self.target}'")

    @property
    def target(self) -> PythonTarget:
        """Where a worker finds it: its module, and its name there."""
        module, name = self.function.__module__, self.function.__qualname__
        home = vars(sys.modules[module]) if module in sys.modules else {}
        if "." not in name and home.get(name) is not self:
            # `second = task(retries=2)(first)`: its name in the module differs from the function's own.
            name = next((key for key, value in home.items() if value is self), name)
        return PythonTarget(module, name)

    @functools.cached_property
    def retry(self) -> Retry:
        """How many times a failed attempt is repeated, and when. Raises CompileError."""
        what = f"task '{self.target}'"
        pause = self._options.get("backoff")
        default = Retry()
        first = (
            default.pause if pause is None else micros(pause, f"{what}: backoff", positive=False)
        )
        count = checked_retries(self._options.get("retries", 0), f"{what}: retries")
        return Retry(count, first, Micros(max(first, default.cap)))

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Inside a workflow: make a node, and return a promise. Outside: run immediately, and return the result."""
        trace = current_trace()
        if trace is not None:
            return cast(R, result_of(self.add_to(trace, args, kwargs), self.signature.bundle))
        for given in (*args, *kwargs.values()):
            if isinstance(given, Promise | Outputs):
                raise CompileError(
                    f"{given!r} was passed to {self.name!r} outside a workflow's body; in a Workflow, use add_entity"
                )
        if self.dynamic:
            return cast(R, self._run(args, kwargs))
        requires = ORDINARY if self.requires is UNSET else self.requires
        for note in not_kept_here(self.name, requires) if not self._is_told else ():
            sys.stderr.write(f"tidegate: {note}\n")
        self._is_told = True
        with variables(requires.environment):
            result = finished(self.function(*args, **kwargs))
        if requires.environment and inspect.iscoroutine(result):
            return cast(R, _awaited(result, requires.environment))
        return cast(R, result)

    def _run(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run it as if it were a workflow of one task."""
        from tidegate.sdk.local import run_graph  # noqa: PLC0415 - loaded late, to keep `import tidegate` fast

        trace = Trace(str(self.target), scratch_blobs())
        promises = self.add_to(trace, args, kwargs).outputs
        schemas = {name: source(promise).schema for name, promise in promises.items()}
        exprs: dict[str, Expr] = {name: source(promise).expr for name, promise in promises.items()}
        graph = trace.finish(Interface({}, schemas), exprs)
        stored, blobs = run_graph(Compiled(graph, trace.tasks), lambda _: {}, {})
        return decode_outputs(self.signature, stored, blobs)

    def add_to(self, trace: Trace, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Outputs:
        """Make a node of a graph that calls this task. Raises CompileError."""
        target, signature = self.target, self.signature
        node, inputs = bind_call(trace, signature, f"task {self.name!r}", args, kwargs)
        outputs = output_schemas(signature, f"task '{target}'")
        trace.call(target, self)
        trace.add(
            TaskNode(
                id=node,
                name=checked_name(self.name, f"task '{target}'"),
                case=trace.case,
                target=target,
                inputs=inputs,
                outputs=outputs,
                retry=self.retry,
                timeout=task_timeout(self._options.get("timeout"), f"task '{target}': timeout"),
                dynamic=self.dynamic,
                requires=self.requires,
            )
        )
        return Outputs(trace, node, outputs, signature.outputs)

    def __repr__(self) -> str:
        return f"<{'dynamic task' if self.dynamic else 'task'} {self.target}>"


async def _awaited(result: Coroutine[Any, Any, R], environment: Mapping[str, str]) -> R:
    """Await a coroutine, with these variables set from start to end."""
    with variables(environment):
        return await result


class TaskDecorator(Protocol):
    """What `@task(...)` returns."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Unpack[TaskOptions]) -> TaskDecorator: ...
def task(function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]) -> Any:
    """
    Make a function into a task, with or without parentheses; `async def` works too.

    Its inputs and outputs are those of its annotations. A failed attempt is repeated up to `retries` times, so the function may run more than once:
    `current_context().idempotency_key` is the same each time.
    Raises TypeError for an unknown option; CompileError for an invalid one: immediately for resource requests, otherwise when a workflow that calls it is compiled.
    """
    return _decorated(function, options, dynamic=False)


@overload
def dynamic(function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def dynamic(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def dynamic(**options: Unpack[TaskOptions]) -> TaskDecorator: ...
def dynamic(function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]) -> Any:
    """
    Make a function into a task whose body builds a graph at run time, from its real inputs: loops, Python's own `if`, gates, other dynamics.

    The graph then takes the task's place, and may contain further dynamics; graphs nest at most 200 deep. The options are those of `@task`.

    A dynamic task that calls itself and returns exactly what that call returns is a loop: when everything else in a round has ended, the next round takes its place.
    Such a loop may have 10,000 rounds, and the last costs no more than the first.
    """
    return _decorated(function, options, dynamic=True)


def _decorated(function: Callable[..., Any] | None, options: TaskOptions, *, dynamic: bool) -> Any:
    if function is None:
        return lambda function: Task(function, options, dynamic=dynamic)
    return Task(function, options, dynamic=dynamic)
