"""
Say what a task needs of its machine, and set variables for it.

    $ tidegate run resources.py train_wf --rows 4
    ...
    2.0
"""

import os

from tidegate import Resources, task, workflow


@task(
    requests=Resources(cpu=0.5, mem="100Mi"),
    limits=Resources(mem="1Gi"),
    environment={"MODE": "half"},
)
def train(rows: int) -> float:
    """Use half a processor; an attempt that takes more than 1 GiB is ended."""
    return rows / 2 if os.environ["MODE"] == "half" else float(rows)


@workflow
def train_wf(rows: int) -> float:
    """Train."""
    return train(rows=rows)
