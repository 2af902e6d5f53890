"""Branches on inputs and outputs, nested and consumed, one that fails and one that does nothing."""

from tidegate import Echo, conditional, task, workflow


@task
def fahrenheit(celsius: float) -> float:
    return celsius * 9 / 5 + 32


@task
def kelvin(celsius: float) -> float:
    return celsius + 273.15


@workflow
def convert(celsius: float) -> float:
    return (
        conditional("convert")
        .if_((celsius >= 0.0) & (celsius < 100.0))
        .then(fahrenheit(celsius=celsius))
        .else_()
        .then(kelvin(celsius=celsius))
    )


@workflow
def convert_many(celsius: float) -> float:
    return (
        conditional("convert_many")
        .if_((celsius > 0.1) & (celsius < 1.0))
        .then(fahrenheit(celsius=celsius))
        .elif_((celsius > 1.0) & (celsius <= 10.0))
        .then(kelvin(celsius=celsius))
        .else_()
        .fail("It must be between 0.1 and 10.")
    )


@workflow
def convert_twice(celsius: float) -> float:
    result = (
        conditional("convert_twice")
        .if_((celsius > 0.1) & (celsius < 1.0))
        .then(fahrenheit(celsius=celsius))
        .elif_((celsius > 1.0) & (celsius <= 10.0))
        .then(kelvin(celsius=celsius))
        .else_()
        .fail("It must be between 0.1 and 10.")
    )
    return kelvin(celsius=result)


@task
def is_even(number: int) -> bool:
    return number % 2 == 0


@task
def failed() -> int:
    return -1


@task
def success() -> int:
    return 0


@workflow
def even_wf(number: int = 5) -> int:
    result = is_even(number=number)
    return conditional("even").if_(result.is_true()).then(success()).else_().then(failed())


@workflow
def boolean_input_wf(boolean_input: bool) -> int:
    return (
        conditional("boolean_input")
        .if_(boolean_input.is_true())
        .then(success())
        .else_()
        .then(failed())
    )


@workflow
def nested_conditions(celsius: float) -> float:
    return (
        conditional("outer")
        .if_((celsius > 0.1) & (celsius < 1.0))
        .then(
            conditional("inner")
            .if_(celsius < 0.5)
            .then(fahrenheit(celsius=celsius))
            .elif_((celsius > 0.5) & (celsius < 0.9))
            .then(kelvin(celsius=celsius))
            .else_()
            .fail("0.9 is an outlier.")
        )
        .elif_((celsius > 1.0) & (celsius <= 10.0))
        .then(kelvin(celsius=celsius))
        .else_()
        .fail("It must be between 0.1 and 10.")
    )


@workflow
def consume_task_output(celsius: float, number: int = 5) -> float:
    even = is_even(number=number)
    return (
        conditional("by_parity")
        .if_(even.is_true())
        .then(fahrenheit(celsius=celsius))
        .else_()
        .then(kelvin(celsius=celsius))
    )


echo = Echo(name="echo", inputs={"celsius": float})


@workflow
def noop_in_conditional(celsius: float, number: int = 5) -> float:
    even = is_even(number=number)
    return (
        conditional("noop")
        .if_(even.is_true())
        .then(fahrenheit(celsius=celsius))
        .else_()
        .then(echo(celsius=celsius))
    )
