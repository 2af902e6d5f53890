"""A line through points: a workflow within a workflow within a workflow, with defaults, and one through a launch plan."""

from tidegate import LaunchPlan, current_context, task, workflow


@task
def slope(x: list[int], y: list[int]) -> float:
    n = len(x)
    products = sum(a * b for a, b in zip(x, y))
    squares = sum(a * a for a in x)
    return (n * products - sum(x) * sum(y)) / (n * squares - sum(x) ** 2)


@task
def intercept(x: list[int], y: list[int], slope: float) -> float:
    return sum(y) / len(y) - slope * sum(x) / len(x)


@workflow
def line_wf(x: list[int], y: list[int]) -> (float, float):
    slope_value = slope(x=x, y=y)
    intercept_value = intercept(x=x, y=y, slope=slope_value)
    return (slope_value, intercept_value)


@task
def at(val: int, slope_value: float, intercept_value: float) -> float:
    return (slope_value * val) + intercept_value


@workflow
def at_wf(val: int = 5, x: list[int] = [0, 1, 2], y: list[int] = [1, 3, 5]) -> float:
    slope_value, intercept_value = line_wf(x=x, y=y)
    return at(val=val, slope_value=slope_value, intercept_value=intercept_value)


@workflow
def nested_wf() -> float:
    return at_wf()


launch_plan = LaunchPlan.get_or_create(
    at_wf, "at_workflow", default_inputs={"val": 7, "x": [0, 1, 2], "y": [1, 3, 5]}
)


@workflow
def nested_lp() -> float:
    return launch_plan()


default_plan = LaunchPlan.get_default_launch_plan(current_context(), line_wf)
created_plan = LaunchPlan.create(
    name="created", workflow=line_wf, default_inputs={"x": [0, 2], "y": [1, 5]}
)
