"""
Let the other branches finish when one has failed.

    $ tidegate run policies.py nightly_wf --id n1
    ...
    $ echo $?
    1
    $ tidegate logs n1
    ...
    the good one has finished
    ...
"""

import time

from tidegate import WorkflowFailurePolicy, task, workflow


@task
def bad() -> str:
    """Fail."""
    raise RuntimeError("this source is down")


@task
def good() -> str:
    """Take longer than the other one takes to fail."""
    time.sleep(0.5)
    print("the good one has finished")
    return "fine"


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def nightly_wf() -> tuple[str, str]:
    """Run both."""
    return bad(), good()
