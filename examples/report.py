"""
A report that is published once somebody has given it a title and somebody has approved it.

    $ tidegate run report.py report_wf --data '[1, 2, 3]' --id q3 --detach
    ...
    $ tidegate answer q3 title Ours
    ...
    $ tidegate resume q3 --detach
    ...
    $ tidegate approve q3 review --comment 'looks right'
    ...
    $ tidegate resume q3
    ...
    {"title":"Ours","mean":2.0,"length":3,"max":3.0,"min":1.0}

Without `--detach`, `tidegate run` asks both questions itself.
"""

from datetime import timedelta

from tidegate import approve, task, wait_for_input, workflow


@task
def create_report(data: list[float]) -> dict:
    """Summarize the numbers."""
    return {
        "mean": round(sum(data) / len(data), 1),
        "length": len(data),
        "max": max(data),
        "min": min(data),
    }


@task
def finalize_report(report: dict, title: str) -> dict:
    """Put the title on top."""
    return {"title": title, **report}


@workflow
def report_wf(data: list[float]) -> dict:
    """Summarize, ask for a title, ask for a review, publish."""
    report = create_report(data=data)
    title = wait_for_input(
        "title",
        timeout=timedelta(hours=1),
        expected_type=str,
        prompt="What should the report be called?",
        show={"report": report},
    )
    final = finalize_report(report=report, title=title)
    return approve(final, "review", timeout=timedelta(hours=2), prompt="May it be published?")
