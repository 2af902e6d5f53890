"""
Wait for a value of any type: a form with checked fields.

    $ tidegate run forms.py order_wf --id o1 --detach
    ...
    $ tidegate answer o1 order '{"size": "small", "copies": 500, "due": "2026-07-01"}'
    error: signal 'order': copies: must be at most 100, got the number 500
    $ echo $?
    2
    $ tidegate answer o1 order '{"size": "small", "copies": 3, "due": "2026-07-01"}'
    ...
    $ tidegate resume o1
    ...
    "3 small ones by 2026-07-01"

In the browser it is a form. A wrong answer is refused with every fault in it, and the question stays open.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated

from pydantic import Field

from tidegate import task, wait_for_input, workflow


class Size(Enum):
    """Shown as two buttons."""

    SMALL = "small"
    LARGE = "large"


@dataclass
class Order:
    """Shown as a form."""

    size: Size
    copies: Annotated[int, Field(ge=1, le=100)]
    due: date
    note: str = ""


@task
def confirm(order: Order) -> str:
    """Say what was ordered."""
    return f"{order.copies} {order.size.value} ones by {order.due}"


@workflow
def order_wf() -> str:
    """Ask for an order."""
    order = wait_for_input("order", expected_type=Order, prompt="What do you need?")
    return confirm(order=order)
