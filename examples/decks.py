"""
Show a report to those who decide.

    $ tidegate run decks.py fit_wf --data '[1, 2, 6]' --id f1 --detach
    ...
    $ tidegate deck f1 fit -o report.html
    ...
    $ tidegate approve f1 publish --comment 'one outlier, fine'
    ...
    $ tidegate resume f1
    ...
    3.0
"""

from tidegate import Deck, approve, current_context, task, workflow


@task
def fit(data: list[float]) -> float:
    """Compute a mean, and report how far the data is from it."""
    mean = sum(data) / len(data)
    Deck("Residuals").table([{"x": x, "residual": x - mean} for x in data])
    current_context().default_deck.markdown(f"The mean is **{mean}**.")
    return mean


@workflow
def fit_wf(data: list[float]) -> float:
    """Publish the mean if somebody has seen the report and agrees."""
    return approve(fit(data=data), "publish", prompt="Are the residuals fine?")
