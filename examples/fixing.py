"""
Fix the code of an execution that failed, and continue it with what it has.

    $ tidegate run fixing.py publish_wf --n 5 --id f1 --answer title=Ours
    ...
    $ echo $?
    1
    $ sed -i 's/title + ": " + value/f"{title}: {value}"/' fixing.py
    $ tidegate recover f1 --here --id f2 --yes
    ...
    $ tidegate resume f2
    ...
    "Ours: 2.0"

The mean is not computed again, and the title is not asked for again.
"""

from tidegate import task, wait_for_input, workflow


@task
def mean(n: int) -> float:
    """Compute for an hour."""
    return sum(range(n)) / n


@task
def publish(title: str, value: float) -> str:
    """Publish; the first version adds a number to a text."""
    return title + ": " + value


@workflow
def publish_wf(n: int) -> str:
    """Compute, ask, publish."""
    return publish(value=mean(n=n), title=wait_for_input("title", expected_type=str))
