"""
One question for each item of a list that is known at run time.

    $ tidegate run fan_out.py label_wf --n 2 --id l1 --detach
    ...
    $ tidegate answer l1 label-0 cat
    ...
    $ tidegate answer l1 label-1 dog
    ...
    $ tidegate resume l1
    ...
    {"cat":1,"dog":1}

All questions are open at the same time, and may be answered in any order and by several people.
"""

from collections import Counter
from typing import Literal

from tidegate import dynamic, task, wait_for_input, workflow


@task
def load(n: int) -> list[str]:
    """Find the items."""
    return [f"picture {i}" for i in range(n)]


@task
def count(labels: list[str]) -> dict[str, int]:
    """Count the answers."""
    return dict(sorted(Counter(labels).items()))


@dynamic
def ask(items: list[str]) -> dict[str, int]:
    """Ask about each item."""
    return count(
        labels=[
            wait_for_input(
                f"label-{i}",
                expected_type=Literal["cat", "dog"],
                prompt=f"What is on **{item}**?",
            )
            for i, item in enumerate(items)
        ]
    )


@workflow
def label_wf(n: int) -> dict[str, int]:
    """Label n items."""
    return ask(items=load(n=n))
