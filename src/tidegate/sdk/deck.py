"""`Deck`: a report that a task makes while it runs, above all for the people who are asked about its result."""

from typing import Any

from tidegate.sdk.report import Section
from tidegate.sdk.trace import current_run


class Deck(Section):
    """
    A deck of the running attempt. Outside a task it is a plain object.

        Deck("Residuals", "<h3>Largest first</h3>").table(rows).append(figure)

    It is stored when the task ends, even if it fails. `current_context().default_deck` is a deck that always exists.
    """

    def __init__(self, name: str, html: Any = "") -> None:
        super().__init__(name, html)
        run = current_run()
        if run is not None:
            run.report.decks.append(self)

    @staticmethod
    def publish() -> None:
        """Store the decks of the running attempt as they are now; for long-running tasks."""
        run = current_run()
        if run is not None:
            run.report.publish()
