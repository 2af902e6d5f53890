"""
Wait for time: a trial period between two steps.

    $ tidegate run sleeping.py trial_wf --user ada
    ...
    "ada: trial ended after: welcome, ada"

A sleep has no output; `>>` puts it in order.
"""

from datetime import timedelta

from tidegate import sleep, task, workflow


@task
def welcome(user: str) -> str:
    """Begin."""
    return f"welcome, {user}"


@task
def end_trial(user: str, greeting: str) -> str:
    """End."""
    return f"{user}: trial ended after: {greeting}"


@workflow
def trial_wf(user: str) -> str:
    """Welcome, wait, end. A real trial takes longer; in a test, even a year takes no time."""
    greeting = welcome(user=user)
    pause = sleep(timedelta(seconds=1))
    end = end_trial(user=user, greeting=greeting)
    greeting >> pause
    pause >> end
    return end
