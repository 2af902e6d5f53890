"""
`Workflow(name)`: a workflow built by calls, node by node, where a function's body would not do.

It can be called, run, and used inside another workflow like one made from a function. It is complete when it is first compiled.
"""

import sys
from collections import namedtuple
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Unpack

from tidegate.errors import CompileError
from tidegate.ir.expr import Expr, InputRef, Schema
from tidegate.ir.graph import Graph, Interface, Param
from tidegate.sdk.bind import annotation_of, bind, infer
from tidegate.sdk.condition import Conditional, begin
from tidegate.sdk.gates import (
    ABSENT,
    ApproveOptions,
    InputOptions,
    add_approval,
    add_input,
    add_sleep,
)
from tidegate.sdk.promise import Named, Outputs, Promise
from tidegate.sdk.signature import Signature, schema_of
from tidegate.sdk.task import Task
from tidegate.sdk.trace import Compiled, Trace, checked_name, trace_for
from tidegate.sdk.workflow import Launchable, Once, WorkflowFailurePolicy, add_workflow, call, run
from tidegate.types.values import NoFiles


class Workflow:
    """
    A workflow built step by step, with `add_workflow_input`, `add_entity`, the gates `add_sleep`, `add_wait_for_input`
    and `add_approve`, `create_conditional`, and `add_workflow_output`; `>>` orders its nodes.

    `name` is the name it is registered under; `failure_policy` says what happens to the other nodes after a failure; `doc` describes it.
    It is called, run and nested like a workflow made from a function; it is complete when it is first compiled.
    Every `add_...` raises CompileError for invalid arguments, and once the workflow has been compiled.
    """

    def __init__(
        self, name: str, failure_policy: WorkflowFailurePolicy | None = None, doc: str = ""
    ) -> None:
        self.name = checked_name(name, "a Workflow")
        self.doc = doc
        # Where it is defined, which a function knows by itself; `collections.namedtuple` finds it in the same way.
        self.module: str = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001
        self._finish_others = (
            failure_policy is WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
        )
        self._label = f"workflow {name!r}"
        self._trace = Trace(name, NoFiles())
        self._inputs: dict[str, Param] = {}
        self._outputs: dict[str, tuple[Expr, Schema]] = {}
        self._input_types: dict[str, Any] = {}
        self._output_types: dict[str, Any] = {}
        self._once = Once(name, self._finish)
        self._complete = False

    @property
    def inputs(self) -> dict[str, Promise]:
        """The promises of its inputs, by name. Raises CompileError for an unknown name."""
        return Named(self._label, "input", {name: self._input(name) for name in self._inputs})

    def add_workflow_input(self, input_name: str, python_type: Any) -> Promise:
        """Add an input of a type; return its promise."""
        self._open()
        checked_name(input_name, f"{self._label}: an input")
        if input_name in self._inputs:
            raise CompileError(f"{self._label} already has an input {input_name!r}")
        self._inputs[input_name] = Param(
            schema_of(python_type, f"{self._label}: input {input_name!r}")
        )
        self._input_types[input_name] = python_type
        promise = self._trace.given[input_name] = self._input(input_name)
        return promise

    def add_entity(
        self, entity: "Task[..., Any] | Launchable", /, *args: Any, **kwargs: Any
    ) -> Outputs:
        """Add a node that calls a task or a workflow; return it. Its outputs are `node.outputs["o0"]`, and `>>` orders it."""
        trace = self._open()
        added = add_entity(trace, entity, args, kwargs)
        if self._complete:
            # Adding an entity compiles it, so this workflow has been compiled.
            raise CompileError(f"{self._label} cannot be a part of itself")
        return added

    add_task = add_subwf = add_launch_plan = add_entity

    def add_sleep(self, duration: timedelta) -> Outputs:
        """Add a node that waits for a duration."""
        return add_sleep(self._open(), duration)

    def add_wait_for_input(
        self,
        name: str,
        timeout: timedelta | None = None,
        expected_type: Any = ABSENT,
        **options: Unpack[InputOptions],
    ) -> Outputs:
        """Add a node that waits for a value; its output is `o0`. See `wait_for_input`."""
        return add_input(self._open(), name, timeout, expected_type, options)

    def add_approve(
        self,
        upstream_item: Any,
        name: str,
        timeout: timedelta | None = None,
        **options: Unpack[ApproveOptions],
    ) -> Outputs:
        """Add a node that waits for the approval of a value; its output has that value's name. See `approve`."""
        return add_approval(self._open(), upstream_item, name, timeout, options)

    def create_conditional(self, name: str) -> Conditional:
        """Start a conditional; nodes added between an `if_` and its `then` belong to that case."""
        return begin(self._open(), name)

    def add_workflow_output(self, output_name: str, p: Any, python_type: Any = None) -> None:
        """Add an output: a promise, or a list or dict of promises. Its type defaults to the promise's."""
        trace = self._open()
        checked_name(output_name, f"{self._label}: an output")
        if output_name in self._outputs:
            raise CompileError(f"{self._label} already has an output {output_name!r}")
        where = f"output {output_name!r} of {self._label}"
        if python_type is None:
            expr, schema = infer(trace, p, where)
            python_type = annotation_of(p)
        else:
            expr, schema = bind(trace, p, python_type, where), schema_of(python_type, where)
        self._outputs[output_name] = (expr, schema)
        self._output_types[output_name] = python_type

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs, as Python types."""
        names = list(self._output_types)
        # Its fields are known only now.
        bundle = None if len(names) < 2 else namedtuple("outputs", names, rename=True)  # noqa: PYI024
        return Signature(self._input_types, {}, self._output_types, bundle)

    def ready(self) -> bool:
        """Say whether it has a node and can be compiled."""
        return bool(self._trace.nodes)

    def compile(self) -> Graph:
        """Return the graph; it is made once, and nothing can be added afterwards. Raises AuthoringError, the same each time."""
        return self.compiled().graph

    def compiled(self) -> Compiled:
        """Return the graph and the tasks it calls. Raises AuthoringError, the same each time."""
        return self._once()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Inside a workflow: make it a part of that. Outside: run it immediately."""
        return call(self, args, kwargs)

    def run(
        self, inputs: Mapping[str, Any] | None = None, *, answers: Mapping[str, Any] | None = None
    ) -> Any:
        """Run it immediately, with answers for its gates by name. Raises ExecutionFailed, NoAnswer."""
        return run(self, (), dict(inputs or {}), answers)

    def _input(self, name: str) -> Promise:
        return Promise(
            self._trace, InputRef(name), self._inputs[name].schema, self._input_types[name]
        )

    def _open(self) -> Trace:
        if self._complete:
            raise CompileError(f"{self._label} has been compiled, so nothing can be added to it")
        return self._trace

    def _finish(self) -> Compiled:
        self._complete = True
        interface = Interface(
            self._inputs, {name: schema for name, (_, schema) in self._outputs.items()}
        )
        outputs = {name: expr for name, (expr, _) in self._outputs.items()}
        graph = self._trace.finish(
            interface, outputs, finish_others=self._finish_others, doc=self.doc
        )
        return Compiled(graph, self._trace.tasks)

    def __repr__(self) -> str:
        return f"<workflow {self.name}>"


ImperativeWorkflow = Workflow
"""Flyte's other name for it."""


def create_node(entity: "Task[..., Any] | Launchable", /, *args: Any, **kwargs: Any) -> Outputs:
    """Call a task or a workflow in a workflow's body, and return the node, to order nodes without outputs. Raises CompileError."""
    return add_entity(trace_for("create_node(...)", "add_entity"), entity, args, kwargs)


def add_entity(
    trace: Trace,
    entity: "Task[..., Any] | Launchable",
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Outputs:
    """Make a node of a graph that calls a task or a workflow."""
    match entity:
        case Task():
            return entity.add_to(trace, args, kwargs)
        case Launchable():
            return add_workflow(entity, trace, args, kwargs)
        case _:
            raise CompileError(
                f"{trace.label}: {entity!r} is neither a task nor a workflow; for gates use add_sleep, add_wait_for_input and add_approve"
            )
