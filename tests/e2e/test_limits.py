"""A limit of memory, as anyone who runs the workflow meets it."""

import json

TEXT = """
import time
from datetime import timedelta
from tidegate import Resources, task, workflow

@task(limits=Resources(mem="100Mi"), retries=1, backoff=timedelta(0))
def fill() -> int:
    held = b"x" * (300 << 20)
    time.sleep(600)
    return len(held)

@workflow
def wf() -> int:
    return fill()
"""


def test_a_task_above_its_limit_is_retried_as_declared_and_then_fails(tidegate):
    tidegate.write("wf.py", TEXT)

    ended = tidegate("run", "wf.py", "wf", "--id", "e")

    assert ended.code == 1
    assert "of memory, more than its limit of 100Mi" in ended.err
    (node,) = json.loads(tidegate("show", "e", "--json").out)["nodes"]
    assert (node["phase"], node["attempts"]) == ("FAILED", 2)
    assert node["failure"]["code"] == "TaskOutOfMemory"
