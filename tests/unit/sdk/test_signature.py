"""What a function takes and gives is read from its annotations, and asked for where they are missing."""

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, Optional

import pytest

from tidegate import CompileError, InvalidValue, UnsupportedType, task, workflow
from tidegate.sdk.signature import arguments, gather, signature_of, spread


class Point(NamedTuple):
    x: int
    label: str


One = NamedTuple("One", [("only", float)])  # noqa: UP014 - the way Flyte's guide writes it


def nothing(): ...
def none() -> None: ...
def one() -> int: ...
def pair() -> tuple[int, str]: ...
def bare_pair() -> (int, str): ...  # type: ignore[syntax]
def many() -> tuple[int, ...]: ...
def plain_tuple() -> tuple: ...
def named() -> Point: ...
def single_named() -> One: ...
def optional() -> Optional[int]: ...
def text() -> "tuple[int, str]": ...
def text_pair() -> "(int, str)": ...  # type: ignore[syntax]
def annotated() -> Annotated[int, "unit"]: ...


@pytest.mark.parametrize(
    ("function", "outputs", "bundle"),
    [
        (nothing, {}, None),
        (none, {}, None),
        (one, {"o0": int}, None),
        (pair, {"o0": int, "o1": str}, tuple),
        (bare_pair, {"o0": int, "o1": str}, tuple),
        (many, {"o0": tuple[int, ...]}, None),
        (plain_tuple, {"o0": tuple}, None),
        (named, {"x": int, "label": str}, Point),
        (single_named, {"only": float}, One),
        (optional, {"o0": Optional[int]}, None),
        (text, {"o0": int, "o1": str}, tuple),
        (text_pair, {"o0": int, "o1": str}, tuple),
        (annotated, {"o0": Annotated[int, "unit"]}, None),
    ],
)
def test_a_return_annotation_names_the_outputs(
    function: Callable[..., Any], outputs: dict[str, Any], bundle: Any
) -> None:
    signature = signature_of(function, "f")

    assert (signature.outputs, signature.bundle) == (outputs, bundle)


def test_a_decorated_function_has_the_signature_of_what_it_wraps():
    def twice(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @twice
    def function(a: int, b: str = "x") -> float: ...

    signature = signature_of(function, "f")

    assert (signature.inputs, signature.outputs) == ({"a": int, "b": str}, {"o0": float})


def test_inputs_keep_their_order_types_and_defaults():
    def function(b: int, a: str = "x", *, c: float = 1.5) -> None: ...

    signature = signature_of(function, "f")

    assert list(signature.inputs.items()) == [("b", int), ("a", str), ("c", float)]
    assert signature.defaults == {"a": "x", "c": 1.5}


def test_a_missing_annotation_is_refused_with_the_parameter_s_name():
    @task
    def add(a: int, b):  # type: ignore[no-untyped-def]
        return a

    @workflow
    def wf(a: int):
        add(a=a, b=1)

    with pytest.raises(CompileError, match=r"task '.*add': parameter 'b' has no type"):
        wf.compile()


def test_parameters_without_names_are_refused():
    def function(*values: int) -> None: ...

    with pytest.raises(CompileError, match=r"\*values"):
        signature_of(function, "f")


def test_a_parameter_that_can_be_given_by_position_only_is_refused():
    def function(value: int, /) -> None: ...

    with pytest.raises(CompileError, match="parameter 'value' is positional-only; drop"):
        signature_of(function, "f")


def test_a_method_is_refused_with_where_to_put_the_function():
    class Shop:
        def open(self, day: int) -> None: ...

    with pytest.raises(CompileError, match="f is a method; .* function of a module"):
        signature_of(Shop.open, "f")


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_that_yields_is_refused(kind):
    names: dict[str, Any] = {}
    exec(f"{kind} function(n: int) -> int:\n    yield n", names)

    with pytest.raises(
        CompileError, match="f is a generator; return its values instead, as a list for example"
    ):
        signature_of(names["function"], "f")


def test_an_annotation_that_cannot_be_read_is_refused():
    def function(a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(CompileError, match="f: its annotations cannot be evaluated.*Nowhere"):
        signature_of(function, "f")


def test_a_type_that_cannot_be_stored_is_refused_with_the_parameter_s_name():
    class Socket: ...

    @task
    def use(connection: Socket): ...

    @workflow
    def wf(connection: Socket):
        use(connection=connection)

    with pytest.raises(UnsupportedType, match=r"workflow '.*wf': parameter 'connection'.*Socket"):
        wf.compile()


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "input 'a' is missing; its inputs are a, b"),
        ((1,), {"a": 2}, "input 'a' is given twice"),
        ((1, 2, 3), {}, "3 inputs given; its inputs are a, b"),
        ((1,), {"c": 1}, "unknown input 'c'; its inputs are a, b"),
    ],
)
def test_inputs_that_do_not_match_are_refused(args, kwargs, message):
    def function(a: int, b: int = 2) -> None: ...

    with pytest.raises(CompileError, match=message):
        arguments(signature_of(function, "f"), "f", args, kwargs)


def test_inputs_come_by_position_and_by_name_with_defaults():
    def function(a: int, b: int = 2, c: int = 3) -> None: ...

    assert arguments(signature_of(function, "f"), "f", (1,), {"c": 4}) == OrderedDict(a=1, b=2, c=4)


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (none, None),
        (one, 1),
        (pair, (1, "a")),
        (many, (1, 2)),
        (named, Point(1, "a")),
        (single_named, One(1.5)),
    ],
)
def test_outputs_are_gathered_as_they_were_spread(function: Callable[..., Any], result: Any):
    signature = signature_of(function, "f")

    assert gather(signature, spread(signature, result, "f")) == result
    assert type(gather(signature, spread(signature, result, "f"))) is type(result)


def test_the_one_field_of_a_named_tuple_may_be_returned_bare():
    signature = signature_of(single_named, "f")

    assert spread(signature, 1.5, "f") == {"only": 1.5}


@pytest.mark.parametrize("result", [1, (1,), (1, "a", 2), None])
def test_a_wrong_number_of_outputs_is_refused(result):
    with pytest.raises(InvalidValue, match="task x: it returned .*declares 2: o0, o1"):
        spread(signature_of(pair, "f"), result, "task x")
