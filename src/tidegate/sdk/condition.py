"""
`conditional(name).if_(test).then(...).elif_(test).then(...).else_().then(...)`, or `.fail(message)` at the end.

Nodes that are called between an `if_` and its `then` belong to that case, and are skipped when another case is taken.
"""

from typing import Any, Generic, Never, TypeVar, cast

from tidegate.errors import CompileError
from tidegate.ir.expr import Condition, Expr, OutputRef, Schema
from tidegate.ir.graph import BranchNode, Case, Fail, Otherwise, When
from tidegate.sdk.bind import infer
from tidegate.sdk.promise import Outputs, Promise, Test, condition_of, source
from tidegate.sdk.signature import SINGLE
from tidegate.sdk.trace import Trace, checked_name, trace_for

R = TypeVar("R")
T = TypeVar("T")


class _Branch:
    """A conditional under construction."""

    def __init__(self, trace: Trace, name: str) -> None:
        self.trace = trace
        self.name = name
        self.label = f"{trace.label}: conditional {name!r}"
        self.node = trace.reserve()
        self.case = trace.case
        self.conditions: list[Condition | None] = []
        """The condition of each case so far; None for the last, which has none."""
        self.outputs: list[dict[str, tuple[Expr, Schema]]] = []
        """What each case returns."""
        self.complete = False
        trace.open_branch(self.node, name)

    def open(self, condition: Condition | None) -> None:
        """Start a case."""
        if self.complete:
            raise CompileError(f"{self.label} is already complete; start another one")
        self.conditions.append(condition)
        self.trace.enter(Case(self.node, len(self.conditions) - 1))

    def close(self) -> None:
        """End a case."""
        self.trace.leave(Case(self.node, len(self.conditions) - 1))

    def then(self, value: object) -> None:
        """End a case with what it returns."""
        self.close()
        self.outputs.append(self._outputs_of(value))

    def _outputs_of(self, value: object) -> dict[str, tuple[Expr, Schema]]:
        where = f"case {len(self.conditions)} of conditional {self.name!r}"
        match value:
            case None:
                return {}
            case Outputs():
                parts: dict[str, object] = dict(value.outputs)
            case Promise():
                expr = source(value).expr
                parts = {expr.output if isinstance(expr, OutputRef) else SINGLE: value}
            case tuple():
                parts = {f"o{i}": item for i, item in enumerate(value)}
            case _:
                parts = {SINGLE: value}
        return {name: infer(self.trace, part, where) for name, part in parts.items()}

    def finish(self, message: str | None) -> Any:
        """Make the node, and return promises of the outputs that all cases share."""
        self.complete = True
        exprs, schemas = _in_common(self.outputs)
        whens = tuple(
            When(condition, outputs)
            for condition, outputs in zip(self.conditions, exprs, strict=False)
            if condition is not None
        )
        self.trace.close_branch(self.node)
        self.trace.add(
            BranchNode(
                id=self.node,
                name=self.name,
                case=self.case,
                cases=whens,
                otherwise=Otherwise(exprs[-1]) if message is None else Fail(message),
                outputs=schemas,
            )
        )
        results = Outputs(self.trace, self.node, schemas)
        return results[0] if list(schemas) == [SINGLE] else results


def _in_common(
    cases: list[dict[str, tuple[Expr, Schema]]],
) -> tuple[list[dict[str, Expr]], dict[str, Schema]]:
    if all(len(case) == 1 for case in cases) and len({name for case in cases for name in case}) > 1:
        # One value each, under different names: the intention is clear.
        cases = [{SINGLE: part} for case in cases for part in case.values()]
    names = [name for name in cases[0] if all(name in case for case in cases)]
    schemas = {name: _any_of([case[name][1] for case in cases]) for name in names}
    return [{name: case[name][0] for name in names} for case in cases], schemas


def _any_of(schemas: list[Schema]) -> Schema:
    """Return the type of a value that has one of these types."""
    different = [s for i, s in enumerate(schemas) if s not in schemas[:i]]
    if len(different) == 1 or {} in different:
        return different[0] if len(different) == 1 else {}
    definitions: Schema = {}
    for schema in different:
        for name, part in schema.get("$defs", {}).items():
            if definitions.setdefault(name, part) != part:
                return {}  # two classes with the same name: anything is accepted here, and checked at run time
    parts = [{key: part for key, part in s.items() if key != "$defs"} for s in different]
    return {"anyOf": parts, "$defs": definitions} if definitions else {"anyOf": parts}


class Conditional:
    """A conditional without a case so far."""

    def __init__(self, branch: _Branch) -> None:
        self._branch = branch

    def if_(self, test: "bool | Test") -> "Case_[Never]":
        """Start the first case: it is taken if the test holds. Raises CompileError if the test is not a condition."""
        if self._branch.conditions:
            raise CompileError(
                f"{self._branch.label} already has its if_; continue with elif_ or else_"
            )
        self._branch.open(condition_of(test, self._branch.trace))
        return Case_(self._branch)


class Case_(Generic[R]):  # noqa: N801 - `Case` is the frozen one
    """A case waiting for its `then`."""

    def __init__(self, branch: _Branch) -> None:
        self._branch = branch

    def then(self, value: T) -> "Cases[R | T]":
        """Give the result of the case; the nodes that were called for it belong to it."""
        self._branch.then(value)
        return Cases(self._branch)

    def fail(self, message: str) -> "Cases[R]":
        """Not allowed: only the last case can fail."""
        raise CompileError(
            f"{self._branch.label}: only else_() can fail (with {message!r}); invert the conditions, or let a task raise"
        )


class Cases(Generic[R]):
    """Some complete cases, with more to come."""

    def __init__(self, branch: _Branch) -> None:
        self._branch = branch

    def elif_(self, test: "bool | Test") -> Case_[R]:
        """Start another case: it is taken if its test holds, and none before."""
        self._branch.open(condition_of(test, self._branch.trace))
        return Case_(self._branch)

    def else_(self) -> "LastCase[R]":
        """Start the last case: it is taken if no test holds."""
        self._branch.open(None)
        return LastCase(self._branch)


class LastCase(Generic[R]):
    """The last case, waiting for its `then` or `fail`."""

    def __init__(self, branch: _Branch) -> None:
        self._branch = branch

    def then(self, value: T) -> R | T:
        """Give the result of the case. Returns promises of the outputs that all cases share, by name."""
        self._branch.then(value)
        return cast("R | T", self._branch.finish(None))

    def fail(self, message: str) -> R:
        """Make the execution fail with this message if no test holds."""
        if not message:
            raise CompileError(f"{self._branch.label}: fail() needs a non-empty message")
        self._branch.close()
        return cast("R", self._branch.finish(message))


def conditional(name: str) -> Conditional:
    """
    Start a conditional: the first case whose test holds is taken.

        conditional("size").if_(n > 3).then(a(n=n)).elif_(n > 1).then(b(n=n)).else_().fail("too small")

    `name` is the name of the node. It waits only for the values its tests use; nodes called inside a `then` run only if that case is taken.
    It ends with `else_()`, and returns promises of the outputs that all cases share. Raises CompileError outside a workflow, and for an invalid case.
    """
    return begin(trace_for("conditional(...)", "create_conditional"), name)


def begin(trace: Trace, name: str) -> Conditional:
    """Start a conditional in a graph."""
    return Conditional(_Branch(trace, checked_name(name, f"{trace.label}: conditional")))
