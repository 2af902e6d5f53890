"""
Use a workflow as a part of another, and address its gates by their paths.

    $ tidegate run parts.py release_wf --id p1 --detach
    ...
    $ tidegate approve p1 ok
    error: execution p1 has 2 open signals named 'ok'; address one by its path: n0/ok, n1/ok
    $ echo $?
    3
    $ tidegate approve p1 n0/ok
    ...
    $ tidegate approve p1 n1/ok
    ...
    $ tidegate resume p1
    ...
    ["docs 2.0","code 2.0"]

Two gates have the name `ok`, so the name alone is refused.
"""

from tidegate import approve, task, workflow


@task
def build(part: str) -> str:
    """Build a part."""
    return f"{part} 2.0"


@workflow
def checked(part: str) -> str:
    """Build a part, and let somebody check it."""
    return approve(build(part=part), "ok")


@task
def join(docs: str, code: str) -> list[str]:
    """Put both together."""
    return [docs, code]


@workflow
def release_wf() -> list[str]:
    """Release both parts once both are checked."""
    return join(docs=checked(part="docs"), code=checked(part="code"))
