"""
Offer choices that only a task knows, with one of them suggested.

    $ tidegate run choices.py deploy_wf --strengths '[1.0, 2.0, 4.0]' --id d1 --detach
    ...
    $ tidegate answer d1 model model-9
    error: signal 'model': expected one of: model-0, model-1, model-2, got 'model-9'
    $ echo $?
    2
    $ tidegate answer d1 model model-1
    ...
    $ tidegate resume d1
    ...
    "deployed model-1"

The body of a @dynamic runs with real values, so the type may be made of them.
"""

from typing import Literal

from tidegate import dynamic, task, wait_for_input, workflow


@task
def train(strength: float) -> float:
    """Return a score."""
    return 1 / (1 + strength)


@task
def deploy(name: str) -> str:
    """Put a model to work."""
    return f"deployed {name}"


@dynamic
def train_all(strengths: list[float]) -> str:
    """Train them at the same time."""
    return choose(scores=[train(strength=each) for each in strengths])


@dynamic
def choose(scores: list[float]) -> str:
    """Ask which one goes out."""
    named = {f"model-{i}": score for i, score in enumerate(scores)}
    name = wait_for_input(
        "model",
        expected_type=Literal[tuple(named)],
        suggested=max(named, key=named.__getitem__),
        prompt="Which model goes out?",
        show={"scores": named},
    )
    return deploy(name=name)


@workflow
def deploy_wf(strengths: list[float]) -> str:
    """Train, ask, deploy."""
    return train_all(strengths=strengths)
