"""Of a plain model of pydantic a look at its classes tells that it comes back; of any other it says nothing."""

import enum
from datetime import UTC, datetime, timedelta, timezone
from math import nan
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, computed_field, field_validator
from tests.unit.types.exact import comes_back

from tidegate.types.registry import codec
from tidegate.types.sure import sure_model


class Color(enum.Enum):
    RED = "red"


class Line(BaseModel):
    name: str
    price: float = 0.0
    color: Color = Color.RED
    kind: Literal["a", "b"] = "a"


class Order(BaseModel):
    model_config = ConfigDict(title="An order", frozen=True)
    id: int
    when: datetime | None = None
    lines: list[Line] = []
    notes: dict[str, int | None] = {}
    parent: "Order | None" = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def count(self) -> int:
        return len(self.lines)


class Sub(Line):
    pass


LINE = Line(name="a", price=1.5)


def test_a_plain_model_is_sure_to_come_back():
    test = sure_model(Order)

    assert test is not None
    assert test(Order(id=1, when=datetime(2026, 1, 1, tzinfo=UTC), lines=[LINE], notes={"a": None}, parent=Order(id=2)))  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        Order.model_construct(id="1"),
        Order.model_construct(id=True),
        Order.model_construct(id=1, lines=(LINE,)),
        Order.model_construct(id=1, lines=[Sub(name="a")]),
        Order.model_construct(id=1, lines=[Line.model_construct(name="a", price=nan)]),
        Order.model_construct(id=1, lines=[Line.model_construct(name="a", price=1)]),
        Order.model_construct(id=1, lines=[Line.model_construct(name="a", kind="c")]),
        Order.model_construct(id=1, lines=[Line.model_construct()]),
        Order.model_construct(id=1, notes={1: 1}),
        Order(id=1, when=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))),
        Order(id=1, when=datetime(2026, 1, 1, tzinfo=timezone(timedelta(0), "Z"))),
        Order(id=1, parent=Order.model_construct(id=1.0)),
        Order.model_construct(),
        LINE,
    ],
    ids=repr,
)
def test_of_a_value_of_other_classes_it_says_nothing(value: Any):
    test = sure_model(Order)

    assert test is not None
    assert not test(value)


class Validated(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def check(cls, n: int) -> int:
        return n + 1


class Private(BaseModel):
    n: int
    _cache: int = PrivateAttr(default=0)


class Late(BaseModel):
    n: int

    def model_post_init(self, context: Any) -> None:
        self.n += 1


class Stripped(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    name: str


class Inner(BaseModel):
    inner: list[Validated]


UNSURE = [
    Validated, Private, Late, Stripped, Inner,
    pydantic.create_model("Aliased", n=(int, Field(alias="m"))),
    pydantic.create_model("Hidden", n=(int, Field(exclude=True))),
    pydantic.create_model("Limited", n=(Annotated[int, Field(ge=1)], 1)),
    pydantic.create_model("Union", n=(int | float, 1)),
    pydantic.create_model("Anything", n=(Any, 1)),
    pydantic.create_model("Bytes", n=(bytes, b"")),
    pydantic.create_model("Tuple", n=(tuple[int, ...], ())),
]  # fmt: skip


@pytest.mark.parametrize("cls", UNSURE)
def test_of_a_model_with_code_of_its_own_or_of_other_types_it_says_nothing(cls: Any):
    assert sure_model(cls) is None


ORDERS = st.builds(
    Order,
    id=st.integers(-(2**63), 2**63),
    when=st.none() | st.datetimes(timezones=st.just(UTC) | st.none()).map(lambda at: at.replace(fold=0)),
    lines=st.lists(st.builds(Line, name=st.text(), price=st.floats(allow_nan=False, allow_infinity=False)), max_size=2),
    notes=st.dictionaries(st.text(max_size=3), st.none() | st.integers(-9, 9), max_size=2),
)  # fmt: skip


@settings(deadline=None)
@given(value=ORDERS)
def test_what_it_is_sure_of_does_come_back(value: Order):
    comes_back(Order, value)


def test_code_is_found_in_a_codec_that_is_made_of_it():
    with pytest.raises(Exception, match="n: the number 3 would be read back as the number 4"):
        codec(Validated).encode(Validated(n=2), None)  # type: ignore[arg-type]
