"""
The result of a call while a workflow is compiled: the future output of a node, which can be passed on, indexed, compared and ordered.

`p.field` and `p["key"]` are parts of it; `== != < <= > >=`, `is_true()`, `is_false()`, `is_none()` and `&`, `|` make conditions;
`a >> b` makes b wait for a. It has no value yet, so Python's own `if`, `and`, `or`, `not`, `for` cannot use it: they raise a CompileError that says so.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, TypeVar, assert_never

from tidegate.errors import CompileError, InvalidValue, UnsupportedType
from tidegate.ir.expr import (
    AllOf,
    AnyOf,
    Comparator,
    Compare,
    Condition,
    Const,
    Expr,
    InputRef,
    IsNone,
    NodeId,
    OutputRef,
    Schema,
)
from tidegate.sdk.options import override
from tidegate.sdk.trace import Trace
from tidegate.types.registry import codec
from tidegate.types.schema import at_path, describe, kinds

T = TypeVar("T")

USE_CONDITIONAL = (
    "has no value while the workflow is compiled, so Python's if, and, or, not and chained comparisons cannot use it; "
    "use conditional(...).if_(...), with & and | between conditions, or a @dynamic"
)


NO_VALUE = "has no value while the workflow is compiled, so Python cannot"


class Unknown:
    """Something without a value yet: computing with it, converting it or using it as a key is refused, naming the thing."""

    __slots__ = ()

    def _refuse_arithmetic(self, *_: object) -> NoReturn:
        raise CompileError(f"{_label(self)} {NO_VALUE} compute with it; let a task do that")

    def _refuse_number(self, *_: object) -> NoReturn:
        raise CompileError(
            f"{_label(self)} {NO_VALUE} count or index with it; let a task do that, or a @dynamic, whose inputs are values"
        )

    def __hash__(self) -> int:
        raise CompileError(
            f"{_label(self)} {NO_VALUE} look for it in a set or use it as a key; let a task do that"
        )

    def __str__(self) -> str:
        raise CompileError(
            f"{_label(self)} {NO_VALUE} turn it into a string; build the string in a task (repr() says what it stands for)"
        )

    def __format__(self, spec: str) -> str:
        return str(self)

    def __bool__(self) -> NoReturn:
        raise CompileError(f"{_label(self)} {USE_CONDITIONAL}")

    def __setattr__(self, name: str, value: object) -> None:
        raise CompileError(
            f"{_label(self)} {NO_VALUE} set {name!r} on it; let a task return the changed value"
        )

    def __setitem__(self, key: object, value: object) -> None:
        raise CompileError(
            f"{_label(self)} {NO_VALUE} set {key!r} in it; let a task return the changed value"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse_arithmetic
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __add__
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __xor__ = __rxor__ = __add__
    __lshift__ = __rlshift__ = __neg__ = __pos__ = __abs__ = __invert__ = __add__
    __int__ = __float__ = __index__ = __round__ = _refuse_number


class Source(NamedTuple):
    """What a promise stands for: the source of its value, its graph, its schema, and its Python type as far as it is known."""

    trace: Trace
    expr: InputRef | OutputRef
    schema: Schema
    annotation: Any


class Promise(Unknown):
    """One output of a node, one input of the workflow, or a part of either."""

    # One private name, so that every other one can be a field of the value.
    __slots__ = ("_source",)
    _source: Source

    def __init__(
        self, trace: Trace, expr: InputRef | OutputRef, schema: Schema, annotation: Any = Any
    ) -> None:
        object.__setattr__(self, "_source", Source(trace, expr, schema, annotation))

    def __getattr__(self, name: str) -> "Promise":
        # Python protocols (copy, pickle, numpy) probe for such names, and must get an AttributeError.
        if name.startswith("_"):
            raise AttributeError(f"{name}; write [{name!r}] for a field with that name")
        return self._part(name)

    def __getitem__(self, key: str | int) -> "Promise":
        if not isinstance(key, str | int):
            raise CompileError(
                f"{source_of(self)} can be indexed by a key or a position, not by {key!r}; let a task do that"
            )
        return self._part(key)

    def _part(self, key: str | int) -> "Promise":
        path = (*self._source.expr.path, key)
        expr: InputRef | OutputRef
        match self._source.expr:
            case InputRef(name):
                expr = InputRef(name, path)
            case OutputRef(node, output):
                expr = OutputRef(node, output, path)
            case _:
                assert_never(self._source.expr)
        try:
            schema = at_path(self._source.schema, (key,))
        except (InvalidValue, CompileError) as error:
            raise CompileError(f"{source_of(self)}: {error.message}") from None
        return Promise(self._source.trace, expr, schema)

    def __iter__(self) -> Iterator["Promise"]:
        items = self._source.schema.get("prefixItems", ())
        if not items or self._source.schema.get("maxItems") != len(items):
            raise CompileError(
                f"{source_of(self)} has no length while the workflow is compiled, so it cannot be unpacked or looped over; do that in a task or a @dynamic"
            )
        return iter([self._part(i) for i in range(len(items))])

    def __len__(self) -> NoReturn:
        raise CompileError(
            f"{source_of(self)} has no length while the workflow is compiled; compute it in a task"
        )

    def __deepcopy__(self, memo: object) -> "Promise":
        return self  # a copy of what it points to would belong to another workflow

    def __repr__(self) -> str:
        return f"<promise of {source_of(self)}>"

    __hash__ = Unknown.__hash__  # Python removes it where == is defined

    def __eq__(self, other: object) -> "Test":  # type: ignore[override]
        return _compare("==", self, other)

    def __ne__(self, other: object) -> "Test":  # type: ignore[override]
        return _compare("!=", self, other)

    def __lt__(self, other: object) -> "Test":
        return _compare("<", self, other)

    def __le__(self, other: object) -> "Test":
        return _compare("<=", self, other)

    def __gt__(self, other: object) -> "Test":
        return _compare(">", self, other)

    def __ge__(self, other: object) -> "Test":
        return _compare(">=", self, other)

    def is_true(self) -> "Test":
        """Make the condition that this is true."""
        return _compare("==", self, True)

    def is_false(self) -> "Test":
        """Make the condition that this is false."""
        return _compare("==", self, False)

    def is_(self, value: bool) -> "Test":  # noqa: FBT001 - the name and order of Flyte
        """Make the condition that this is true, or false."""
        return _compare("==", self, value)

    def is_none(self) -> "Test":
        """Make the condition that this is null."""
        return Test(self._source.trace, IsNone(self._source.expr))

    def __and__(self, other: object) -> NoReturn:
        raise CompileError(
            f"{source_of(self)} is not a condition; write (x.is_true()) & (y > 3), with parentheses"
        )

    __or__ = __rand__ = __ror__ = __and__

    def __rshift__(self, other: T) -> T:
        return order(self, other)

    def __rrshift__(self, other: object) -> "Promise":
        return order(other, self)

    def with_overrides(self, **changes: Any) -> "Promise":
        """Change the name, the timeout or the retries of the node; see `Task`."""
        for trace, node in _nodes(self):
            override(trace, node, changes)
        return self


class Named(dict[str, Promise]):
    """Promises by name; an unknown name raises a CompileError that says whose it is, and which names exist."""

    def __init__(self, whose: str, kind: str, promises: Mapping[str, Promise]) -> None:
        super().__init__(promises)
        self._whose = whose
        self._kind = kind

    def __missing__(self, key: object) -> NoReturn:
        has = ", ".join(self) or "none"
        raise CompileError(f"{self._whose} has no {self._kind} {key!r}; it has: {has}")


class Outputs(Unknown):
    """A node with its outputs: none, one with a name, or several. By name, by position, or unpacked."""

    __slots__ = ("_node", "_trace", "outputs")
    _trace: Trace
    _node: NodeId
    outputs: "Named"

    def __init__(
        self,
        trace: Trace,
        node: NodeId,
        outputs: Mapping[str, Schema],
        annotations: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        promises = Named(
            label_of(trace, node),
            "output",
            {
                name: Promise(trace, OutputRef(node, name), schema, annotations.get(name, Any))
                for name, schema in outputs.items()
            },
        )
        for name, own in (("_trace", trace), ("_node", node), ("outputs", promises)):
            object.__setattr__(self, name, own)

    def __getattr__(self, name: str) -> Promise:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: str | int) -> Promise:
        if isinstance(key, int) and -len(self.outputs) <= key < len(self.outputs):
            return list(self.outputs.values())[key]
        return self.outputs[key] if isinstance(key, str) else self.outputs.__missing__(key)

    def __iter__(self) -> Iterator[Promise]:
        return iter(self.outputs.values())

    def __len__(self) -> int:
        return len(self.outputs)

    def __repr__(self) -> str:
        return (
            f"<outputs of {label_of(self._trace, self._node)}: {', '.join(self.outputs) or 'none'}>"
        )

    def __rshift__(self, other: T) -> T:
        return order(self, other)

    def __rrshift__(self, other: object) -> "Outputs":
        return order(other, self)

    def with_overrides(self, **changes: Any) -> "Outputs":
        """Change the name, the timeout or the retries of the node."""
        override(self._trace, self._node, changes)
        return self


def result_of(outputs: Outputs, bundle: type | None) -> Promise | Outputs:
    """Return what a call in a workflow's body returns: the promise itself where the function would return the one value."""
    return outputs[0] if len(outputs) and bundle is None else outputs


class Test:
    """A condition: what `if_` takes. `&` and `|` combine two; put each in parentheses."""

    __slots__ = ("condition", "trace")
    __test__ = False  # pytest takes every class with this name for a test class

    def __init__(self, trace: Trace, condition: Condition) -> None:
        self.trace = trace
        self.condition = condition

    def __and__(self, other: object) -> "Test":
        found = condition_of(other, self.trace)
        # In a flat list, not nested: a loop may combine thousands.
        return Test(self.trace, AllOf((*_parts(self.condition, AllOf), *_parts(found, AllOf))))

    def __or__(self, other: object) -> "Test":
        found = condition_of(other, self.trace)
        return Test(self.trace, AnyOf((*_parts(self.condition, AnyOf), *_parts(found, AnyOf))))

    __rand__ = __and__
    __ror__ = __or__

    def __bool__(self) -> NoReturn:
        raise CompileError(f"{self.trace.label}: a condition on a promise {USE_CONDITIONAL}")

    def __invert__(self) -> NoReturn:
        raise CompileError(
            f"{self.trace.label}: a condition cannot be negated with ~; invert the comparison, or use is_false()"
        )


def condition_of(thing: object, trace: Trace) -> Condition:
    """Return the argument of `if_` as a condition. Raises CompileError, saying what to write instead."""
    match thing:
        case Test():
            if thing.trace is not trace:
                raise CompileError(f"{trace.label}: a condition of {thing.trace.label} is used")
            return thing.condition
        case bool():
            # In a @dynamic, Python may know the result already.
            return Compare("==", Const(thing), Const(True))
        case Promise():
            raise CompileError(
                f"{source_of(thing)} is not a condition by itself; write .is_true(), or compare it"
            )
        case _:
            raise CompileError(
                f"{trace.label}: a condition is a comparison like (x > 3), or x.is_true(), not {thing!r}"
            )


def source(promise: Promise) -> Source:
    """Return what a promise stands for."""
    return promise._source  # noqa: SLF001 - no public name of a promise is ours


def home(outputs: Outputs) -> tuple[Trace, NodeId]:
    """Return the graph and the id of a node."""
    return outputs._trace, outputs._node  # noqa: SLF001 - its public names are those of its outputs


def same_trace(promise: Promise, trace: Trace) -> Promise:
    """Return the promise. Raises CompileError if it belongs to another workflow."""
    if source(promise).trace is not trace:
        raise CompileError(
            f"{trace.label} uses {source_of(promise)} of {source(promise).trace.label}; pass it in as an input"
        )
    return promise


def order(first: object, then: T) -> T:
    """Make `then` wait for the end of `first`; return `then`. Both may be lists. Raises CompileError."""
    for trace, later in _nodes(then):
        for other, earlier in _nodes(first):
            if other is not trace:
                raise CompileError(
                    f"{label_of(other, earlier)} >> {label_of(trace, later)}: they belong to different workflows"
                )
            trace.order(earlier, later)
    return then


def _nodes(thing: object) -> list[tuple[Trace, NodeId]]:
    match thing:
        case Outputs():
            return [home(thing)]
        case Promise():
            trace, expr, *_ = source(thing)
            if isinstance(expr, OutputRef):
                return [(trace, expr.node)]
            raise CompileError(
                f"{source_of(thing)} exists from the start, so >> has nothing to order; use it between nodes"
            )
        case list() | tuple():
            return [pair for item in thing for pair in _nodes(item)]
        case _:
            raise CompileError(f">> orders nodes of a workflow, and {thing!r} is not one")


def label_of(trace: Trace, node: NodeId) -> str:
    """Name a node in a message: `'create_report' (n0)`."""
    found = trace.nodes.get(node)
    return f"{found.name!r} ({node})" if found else node


def source_of(promise: Promise) -> str:
    """Name the source of a promise in a message: `output 'o0' of 'create_report' (n0)`."""
    trace, expr, *_ = source(promise)
    path = "".join(f"[{part!r}]" for part in expr.path)
    match expr:
        case InputRef(name):
            return f"input {name!r}{path}"
        case OutputRef(node, output):
            return f"output {output!r}{path} of {label_of(trace, node)}"
        case _:
            assert_never(expr)


def _parts(condition: Condition, kind: type[AllOf] | type[AnyOf]) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, kind) else (condition,)


def _label(thing: object) -> str:
    match thing:
        case Promise():
            return source_of(thing)
        case Outputs():
            return label_of(*home(thing))
        case _:
            raise AssertionError(thing)


def _compare(op: Comparator, promise: Promise, other: object) -> Test:
    """Compare a promise with another or with a constant. Raises CompileError if values of these types can never be compared."""
    trace, left, declared, _ = source(promise)
    if isinstance(other, Promise):
        same_trace(other, trace)
        right: Expr = source(other).expr
        schema = source(other).schema
    else:
        try:
            coded = codec(type(other))
            right = Const(coded.encode(other, trace.blobs))
        except (InvalidValue, UnsupportedType) as error:
            raise CompileError(
                f"{source_of(promise)} cannot be compared with {other!r}: {error.message}"
            ) from None
        schema = coded.schema
    ours, theirs = kinds(declared), kinds(schema)
    equality = op in ("==", "!=")
    plain = {"number", "string", "boolean", "null"} if equality else {"number", "string"}
    both = (ours & theirs if ours and theirs else ours | theirs or plain) & plain
    if not both and not (equality and (ours == {"null"} or theirs == {"null"})):
        hint = "" if ours & theirs <= plain else "; compare a part of it, or let a task decide"
        raise CompileError(
            f"{source_of(promise)} is {describe(declared)}, which `{op}` cannot compare with {describe(schema)}{hint}"
        )
    return Test(trace, Compare(op, left, right))
