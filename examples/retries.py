"""
Retry a task that fails now and then, without doing its work twice.

    $ tidegate run retries.py charge_wf --cents 250
    ...
    "charged 250 at attempt 3"

All attempts of a node share one idempotency key: give it to the service that you call.
"""

from datetime import timedelta

from tidegate import current_context, task, workflow

WORKS_AT = 3


@task(retries=4, backoff=timedelta(milliseconds=100), timeout=timedelta(seconds=30))
def charge(cents: int) -> str:
    """Charge a card. The first two attempts fail."""
    run = current_context()
    headers = {"Idempotency-Key": run.idempotency_key}
    print(f"attempt {run.attempt}: POST /charges {headers}")
    if run.attempt < WORKS_AT:
        raise ConnectionError("the service is busy")
    return f"charged {cents} at attempt {run.attempt}"


@workflow
def charge_wf(cents: int) -> str:
    """Charge once."""
    return charge(cents=cents)
