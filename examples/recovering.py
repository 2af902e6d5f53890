"""
Continue after a failure, with the results and answers so far.

    $ tidegate run recovering.py publish_wf --id v1 --answer title=Ours
    ...
    $ echo $?
    1
    $ touch service-is-up
    $ tidegate recover v1 --id v2 --yes
    ...
    $ tidegate resume v2
    ...
    "published Ours"

The title is not asked for again.
"""

from pathlib import Path

from tidegate import current_context, task, wait_for_input, workflow


@task
def publish(title: str) -> str:
    """Publish, if the service is up."""
    if not Path(current_context().launched_from, "service-is-up").exists():
        raise ConnectionError("the service is down")
    return f"published {title}"


@workflow
def publish_wf() -> str:
    """Ask for a title, and publish."""
    return publish(title=wait_for_input("title", expected_type=str))
