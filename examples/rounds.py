"""
Repeat until a person is content: a loop of at most 10,000 rounds.

    $ tidegate run rounds.py revise_wf --text 'Dear all' --id r1 --detach
    ...
    $ tidegate answer r1 wish shorter
    ...
    $ tidegate resume r1 --detach
    ...
    $ tidegate answer r1 wish ''
    ...
    $ tidegate resume r1
    ...
    "Dear all (shorter)"

A @dynamic that returns exactly what a call of itself returns is a loop: its next round replaces the current one.
"""

from tidegate import dynamic, task, wait_for_input, workflow


@task
def rewrite(text: str, wish: str) -> str:
    """Write another version."""
    return f"{text} ({wish})"


@dynamic
def revise(text: str) -> str:
    """Ask what should change."""
    wish = wait_for_input(
        "wish", expected_type=str, prompt="What should change? (empty: nothing)", show=[text]
    )
    return decide(text=text, wish=wish)


@dynamic
def decide(text: str, wish: str) -> str:
    """Stop, or go round again."""
    if not wish:
        return text
    return revise(text=rewrite(text=text, wish=wish))


@workflow
def revise_wf(text: str) -> str:
    """Revise a text until nobody wants a change."""
    return revise(text=text)
