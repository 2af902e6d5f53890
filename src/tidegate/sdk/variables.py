"""
The variables of a task's environment, set while it runs.

In a worker they end with the process of the attempt. Where tasks run in a long-lived process, the previous values are restored.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def variables(given: Mapping[str, str]) -> Iterator[None]:
    """Run the block with these variables set, for this process and the programs that it starts."""
    if not given:
        yield
        return
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    _heed(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _heed(given)


def _heed(given: Mapping[str, str]) -> None:
    # The one variable that the C library reads only when it is told to.
    if "TZ" in given:
        time.tzset()
