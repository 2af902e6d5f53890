"""
Pass tables and arrays; this needs pandas, pyarrow and numpy.

    $ tidegate run tables.py measure_wf --n 5 --answer fine=true
    ...
    2.0

Beside a question, a table is shown as a table.
"""

import numpy as np
import pandas as pd

from tidegate import approve, task, workflow


@task
def measure(n: int) -> pd.DataFrame:
    """Make a table."""
    return pd.DataFrame({"x": range(n), "y": [i / 2 for i in range(n)]})


@task
def means(table: pd.DataFrame) -> np.ndarray:
    """Return the mean of each column."""
    return table.to_numpy().mean(axis=0)


@task
def largest(values: np.ndarray) -> float:
    """Return the largest."""
    return float(values.max())


@workflow
def measure_wf(n: int) -> float:
    """Measure, let somebody look at the table, compute."""
    table = approve(measure(n=n), "fine", prompt="Is the table complete?")
    return largest(values=means(table=table))
