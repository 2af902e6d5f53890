"""
Decide what happens when nobody answers in time.

    $ tidegate run timeouts.py keep_wf
    ...
    "kept, because nobody objected"
    $ tidegate run timeouts.py strict_wf
    ...
    $ echo $?
    1

With `on_timeout` that answer is taken, and recorded as given by the timeout; without it, the execution fails with `TimeoutExpired`.
"""

from datetime import timedelta

from tidegate import task, wait_for_input, workflow

SOON = timedelta(seconds=1)


@task
def act(objection: str | None) -> str:
    """Do what the answer says."""
    return f"changed: {objection}" if objection else "kept, because nobody objected"


@workflow
def keep_wf() -> str:
    """Continue without an answer."""
    objection = wait_for_input("objection", timeout=SOON, expected_type=str | None, on_timeout=None)
    return act(objection=objection)


@workflow
def strict_wf() -> str:
    """Fail without an answer."""
    return act(objection=wait_for_input("objection", timeout=SOON, expected_type=str))
