"""
Use a workflow with other defaults, and with inputs that are fixed.

    $ tidegate run plans.py friday_wf
    ...
    ["weekly to team@example.org","weekly to ada@example.org"]
"""

from tidegate import LaunchPlan, task, workflow


@task
def send(kind: str, to: str) -> str:
    """Send a report."""
    return f"{kind} to {to}"


@workflow
def report_wf(kind: str, to: str) -> str:
    """Send a report of a kind."""
    return send(kind=kind, to=to)


weekly = LaunchPlan.get_or_create(
    report_wf,
    "weekly",
    fixed_inputs={"kind": "weekly"},
    default_inputs={"to": "team@example.org"},
)


@task
def join(first: str, second: str) -> list[str]:
    """Put both together."""
    return [first, second]


@workflow
def friday_wf() -> list[str]:
    """Send the weekly report to the team, and to one more."""
    return join(first=weekly(), second=weekly(to="ada@example.org"))
