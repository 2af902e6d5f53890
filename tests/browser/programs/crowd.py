"""A workflow that asks five hundred things at once, so that twenty executions of it fill an inbox."""

from datetime import timedelta

from tidegate import wait_for_input, workflow

ASKED = 500


@workflow
def crowd() -> None:
    for i in range(ASKED):
        wait_for_input(f"ask-{i}", timedelta(hours=3), expected_type=str, prompt=f"What of {i}?")
