"""
Answer many questions from a file, and approve many things at once.

    $ for name in Ada Bob; do tidegate run many.py letter_wf --name $name --id $name --detach; done
    ...
    $ echo '{"execution": "Ada", "signal": "tone", "value": "warm"}' > answers.jsonl
    $ echo '{"execution": "Bob", "signal": "tone", "value": "formal"}' >> answers.jsonl
    $ tidegate answer --from answers.jsonl --yes
    ...
    $ tidegate resume --detach
    ...
    $ tidegate approve --workflow letter_wf --all --yes
    ...
    $ tidegate resume Ada
    ...
    "a warm letter to Ada"

Without `--yes`, both commands list everything and ask first.
"""

from typing import Literal

from tidegate import approve, task, wait_for_input, workflow


@task
def draft(name: str, tone: str) -> str:
    """Write a letter."""
    return f"a {tone} letter to {name}"


@workflow
def letter_wf(name: str) -> str:
    """Ask for the tone, write, and let somebody check it."""
    tone = wait_for_input("tone", expected_type=Literal["warm", "formal"])
    return approve(draft(name=name, tone=tone), "send")
