"""
Build a workflow with statements instead of a function, for instance from a configuration.

    $ tidegate run imperative.py greet_wf --name Ada --answer greeting=Hello --answer fine=true
    ...
    "Hello, Ada"
"""

from datetime import timedelta

from tidegate import Workflow, task


@task
def greet(greeting: str, name: str) -> str:
    """Greet somebody."""
    return f"{greeting}, {name}"


greet_wf = Workflow("greet_wf")
name = greet_wf.add_workflow_input("name", str)
asked = greet_wf.add_wait_for_input("greeting", timedelta(hours=1), expected_type=str)
made = greet_wf.add_entity(greet, greeting=asked.outputs["o0"], name=name)
checked = greet_wf.add_approve(made.outputs["o0"], "fine", timedelta(hours=1))
greet_wf.add_workflow_output("text", checked.outputs["o0"])
