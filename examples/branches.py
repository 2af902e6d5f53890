"""
Branch on a value that a task or a person gives.

    $ tidegate run branches.py payout_wf --amount 50
    ...
    "paid 50"
    $ tidegate run branches.py payout_wf --amount 5000 --answer large=true
    ...
    "paid 5000"
    $ tidegate run branches.py payout_wf --amount -1
    ...
    $ echo $?
    1

The gate of a branch that is not taken is never asked.
"""

from datetime import timedelta

from tidegate import approve, conditional, task, workflow


@task
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


@workflow
def payout_wf(amount: int) -> str:
    """Pay small amounts at once, large ones after an approval, negative ones never."""
    return (
        conditional("size")
        .if_((amount > 0) & (amount <= 1000))
        .then(pay(amount=amount))
        .elif_(amount > 1000)
        .then(pay(amount=approve(amount, "large", timeout=timedelta(days=2))))
        .else_()
        .fail("the amount must be positive")
    )
